package ring

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Commands of membarrier(2), of Linux 4.16.
const (
	barrierGlobal   = 1 << 1 // MEMBARRIER_CMD_GLOBAL_EXPEDITED
	barrierRegister = 1 << 2 // MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED
)

// expectBarriers has this process take part in the barriers of readers, and says whether it
// does. So its writers may commit with plain stores: the one case in which the order of a
// store and of a later load counts is the reader's sleep (W9), and whoever goes to sleep
// pays for both sides. That is the asymmetry of Dekker's algorithm with a heavy side, as in
// userspace RCU.
//
// A producer that claims by compare-and-swap does without as well as long as the reader looks
// at positions, which that orders. There remains a record that was claimed already when the
// reader looked last, and is committed at the very moment at which it goes to sleep: that
// takes a writer that was stopped in mid-append.
var expectBarriers = sync.OnceValue(func() bool { return membarrier(barrierRegister) })

// barrier makes every thread that runs now in a process that expects barriers execute
// one. Where the kernel refuses, a wake-up may be missed, and Sleep's timeout is the bound.
func barrier() { membarrier(barrierGlobal) }

func membarrier(command uintptr) bool {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, command, 0, 0)
	return errno == 0
}
