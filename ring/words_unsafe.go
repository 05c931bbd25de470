package ring

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Positions and stamps are single 64-bit words, and lanes are mapped whole.
const _ = uint(1 << 63) // does not compile where words have 32 bits

// word is one aligned 64-bit word of shared memory. Every access to a shared
// word in this module goes through its methods, so that this is the one file to
// replace by a build that schedules or fails accesses.
//
// sync/atomic is sequentially consistent. Where the protocol needs less
// (acquire, release), the comment at the use says what is needed; W9 is the one
// place that needs all of it.
type word struct{ v atomic.Uint64 }

// wordAt returns the word at byte offset off of b. It slices first and casts
// after: a bad offset panics in Go instead of corrupting memory. b begins on an
// 8-byte boundary (a page of a mapping, or a heap buffer of whole words) and
// off is a multiple of 8.
func wordAt(b []byte, off uint64) *word {
	return (*word)(unsafe.Pointer(&b[off : off+8 : off+8][0]))
}

func (w *word) load() uint64           { return w.v.Load() }
func (w *word) store(v uint64)         { w.v.Store(v) }
func (w *word) cas(old, v uint64) bool { return w.v.CompareAndSwap(old, v) }
func (w *word) add(d uint64) uint64    { return w.v.Add(d) }

// futex makes the system call on w. The kernel compares the 32 bits at w's
// address, which on a little-endian machine are w's low half.
func (w *word) futex(op, value uintptr, timeout *unix.Timespec) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, value, uintptr(unsafe.Pointer(timeout)), 0, 0)
}

// put64 stores v at byte offset off of b with one plain 8-byte store. Plain
// stores are ordered for others only by the release store of a stamp or of a
// state that follows them.
func put64(b []byte, off, v uint64) { binary.LittleEndian.PutUint64(b[off:off+8:off+8], v) }

// addressOf is where b lies in memory, to tell a fault in a mapping of ours
// from any other (D10).
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
