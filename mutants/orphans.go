package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of those whose parent dies below it:
// broken code leaves processes behind that nobody else would end, in groups of their
// own, too.
func adoptOrphans() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("adopt orphans: %w", err)
	}
	return nil
}

// endOrphans ends the children of this process that have variable, NAME=VALUE, in
// their environment, and then what these leave behind, until there are none. It is
// called when the one that was started with variable has been waited for.
func endOrphans(variable string) error {
	for {
		pids, err := children(variable)
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			// Nobody else waits for it, so that the number is still its own.
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				return fmt.Errorf("end process %d, which a test left behind: %w", pid, err)
			}
			for {
				if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
					break
				}
			}
		}
	}
}

// children are the processes whose parent is this one and which have variable. One
// that has ended has none any more.
func children(variable string) (pids []int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for processes that a test left behind: %w", err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// Either may fail for a process that ends at this moment, or is another user's.
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ") // "pid (name) state parent"
		if fields := strings.Fields(rest); len(fields) < 2 || fields[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		environ, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		for v := range bytes.SplitSeq(environ, []byte{0}) {
			if string(v) == variable {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids, nil
}
