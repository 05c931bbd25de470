package ring

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// newLaneClock relates Go's monotonic readings to CLOCK_MONOTONIC. The two
// readings around time.Now bound the error; the middle of them halves it.
func newLaneClock() (laneClock, error) {
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
		return laneClock{}, fmt.Errorf("ring: reading CLOCK_MONOTONIC: %w", err)
	}
	start := clockNow()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &after); err != nil {
		return laneClock{}, fmt.Errorf("ring: reading CLOCK_MONOTONIC: %w", err)
	}
	return laneClock{start: start, base: uint64(before.Nano()+after.Nano()) / 2}, nil
}

// bootID names the running boot of this machine. Memory and positions of a ring
// that was last used under another boot id may be of different ages (C5).
var bootID = sync.OnceValues(readBootID)

func readBootID() (id [16]byte, err error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id, fmt.Errorf("ring: reading the boot id: %w", err)
	}
	s := strings.ReplaceAll(strings.TrimSpace(string(b)), "-", "")
	for i := range id {
		v, err := strconv.ParseUint(s[min(2*i, len(s)):min(2*i+2, len(s))], 16, 8)
		if err != nil {
			return id, fmt.Errorf("ring: boot id %q: %w", s, err)
		}
		id[i] = byte(v)
	}
	return id, nil
}

// startTicks is when this process began, in clock ticks since boot: with the
// pid and the boot id it names the process for display. 0 where it can't be had.
var startTicks = sync.OnceValue(readStartTicks)

func readStartTicks() uint64 {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0
	}
	// The command's name, in parentheses, may hold anything; fields count from
	// the last parenthesis. Field 22 of proc(5) is the 20th after it.
	s := string(b)
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 20 {
		return 0
	}
	n, _ := strconv.ParseUint(fields[19], 10, 64)
	return n
}
