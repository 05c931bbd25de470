// Package cpus binds processes to processors, as taskset does.
package cpus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Apart returns one of the processors that this process may run on, the last, and the
// others. ok is false if there is only one.
func Apart() (one, others unix.CPUSet, ok bool, err error) {
	if err := unix.SchedGetaffinity(0, &others); err != nil {
		return one, others, false, fmt.Errorf("sched_getaffinity: %w", err)
	}
	last := 0
	for cpu := range 64 * len(others) {
		if others.IsSet(cpu) {
			last = cpu
		}
	}
	one.Set(last)
	others.Clear(last)
	return one, others, others.Count() > 0, nil
}

// On calls f, which starts processes: all of them, and what they start, run on these
// processors. It must start them from the goroutine that calls it.
func On(set unix.CPUSet, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("sched_setaffinity: %w", err)
	}
	err := f()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// Bind binds a process to these processors: all of its threads, or the first one alone.
func Bind(pid int, set unix.CPUSet, firstAlone bool) error {
	if firstAlone {
		return bind(pid, set)
	}
	tasks, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "task"))
	if err != nil {
		return err
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := bind(tid, set); err != nil && !errors.Is(err, unix.ESRCH) { // it may have ended
			return err
		}
	}
	return nil
}

func bind(tid int, set unix.CPUSet) error {
	if err := unix.SchedSetaffinity(tid, &set); err != nil {
		return fmt.Errorf("sched_setaffinity of %d: %w", tid, err)
	}
	return nil
}
