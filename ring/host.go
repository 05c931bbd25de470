package ring

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// newLaneClock is the clock of a new owner. pace is that of the cycle counter, in
// nanoseconds per unit, times 2³²; 0: unknown, and the counter is not used.
func newLaneClock(pace uint64) (laneClock, error) {
	if pace > 0 && counterTrusted() {
		counter, start := bothClocks()
		return laneClock{counter: true, start: start, base: counter, mult: pace}, nil
	}
	// The two readings around time.Now bound the error; the middle of them halves it.
	var before, after unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &before); err != nil {
		return laneClock{}, fmt.Errorf("ring: reading CLOCK_MONOTONIC: %w", err)
	}
	start := clockNow()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &after); err != nil {
		return laneClock{}, fmt.Errorf("ring: reading CLOCK_MONOTONIC: %w", err)
	}
	return laneClock{start: start, base: uint64(before.Nano()+after.Nano()) / 2, mult: nanosecondMult}, nil
}

// counterTrusted says whether the kernel itself tells the time by the cycle counter. It has
// then seen that the counter runs at one pace in all states of all processors, and watches
// it; when it loses its trust it takes another source, and so do those who attach from
// then on.
func counterTrusted() bool {
	if !useCounter {
		return false
	}
	b, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	if err != nil {
		return false
	}
	switch runtime.GOARCH + " " + strings.TrimSpace(string(b)) {
	case "amd64 tsc", "arm64 arch_sys_counter":
		return true
	}
	return false
}

// bothClocks reads the cycle counter and the time at one moment: of several tries the one
// that was over the soonest, since this thread may lose its processor in between.
func bothClocks() (counter uint64, now time.Time) {
	shortest := uint64(math.MaxUint64)
	for range 8 {
		before := readCounter()
		t := clockNow()
		if took := readCounter() - before; took < shortest {
			shortest, counter, now = took, before+took/2, t
		}
	}
	return counter, now
}

// counterPace is how fast the counter runs, as far as a moment tells: to some ten
// millionths. 0 if there is no counter. Anchors are what makes it exact.
var counterPace = sync.OnceValue(func() uint64 {
	if !useCounter {
		return 0
	}
	from, start := bothClocks()
	time.Sleep(2 * time.Millisecond)
	to, end := bothClocks()
	pace, _ := ratio(uint64(end.Sub(start)), to-from)
	return pace
})

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
