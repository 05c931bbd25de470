//go:build !sched

package ring

import (
	"encoding/binary"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Positions and stamps are single 64-bit words, and lanes are mapped whole.
const _ = uint(1 << 63) // does not compile where words have 32 bits

// word is one aligned 64-bit word of shared memory. Every access to a shared
// word in this module goes through its methods, and every store into shared bytes
// through the functions below, so that this is the one file to replace by a build
// that schedules accesses. Each store names its failpoint: the place at which a
// process can be made to die just before it. In a normal build that is nothing.
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

func (w *word) load() uint64 { return w.v.Load() }

func (w *word) store(at failpoint.Point, v uint64) {
	failpoint.Hit(at)
	w.v.Store(v)
}

func (w *word) cas(at failpoint.Point, old, v uint64) bool {
	failpoint.Hit(at)
	return w.v.CompareAndSwap(old, v)
}

func (w *word) add(at failpoint.Point, d uint64) uint64 {
	failpoint.Hit(at)
	return w.v.Add(d)
}

// futex makes the system call on w. The kernel compares the 32 bits at w's
// address, which on a little-endian machine are w's low half.
func (w *word) futex(op, value uintptr, timeout *unix.Timespec) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, value, uintptr(unsafe.Pointer(timeout)), 0, 0)
}

// put64 stores v at byte offset off of b with one plain 8-byte store. Plain
// stores are ordered for others only by the release store of a stamp or of a
// state that follows them.
func put64(at failpoint.Point, b []byte, off, v uint64) {
	failpoint.Hit(at)
	binary.LittleEndian.PutUint64(b[off:off+8:off+8], v)
}

// put32 stores v at byte offset off of b with one plain 4-byte store.
func put32(at failpoint.Point, b []byte, off uint64, v uint32) {
	failpoint.Hit(at)
	binary.LittleEndian.PutUint32(b[off:off+4:off+4], v)
}

// putBytes stores src at the beginning of b.
func putBytes(at failpoint.Point, b, src []byte) {
	failpoint.Hit(at)
	copy(b, src)
}

// zero clears b.
func zero(at failpoint.Point, b []byte) {
	failpoint.Hit(at)
	clear(b)
}

// appendShared appends what b holds now to dst. Others may be writing there: what
// was copied is checked before it is believed.
func appendShared(dst, b []byte) []byte { return append(dst, b...) }

// pause waits a while for what other processes are about to do.
func pause(d time.Duration) { time.Sleep(d) }

// get32 loads the 4 bytes at byte offset off of b, which others may be writing.
func get32(b []byte, off uint64) uint32 {
	return binary.LittleEndian.Uint32(b[off : off+4 : off+4])
}

// progressTries is how often a reader's line is read before its check is believed to
// fail: a reader publishes in well under a microsecond unless it is preempted.
const progressTries = 1000

// clockNow and clockSince are the time of records. They are here for a build that
// schedules accesses, in which time must not depend on how long anything takes.
func clockNow() time.Time                  { return time.Now() }
func clockSince(t time.Time) time.Duration { return time.Since(t) }

// useCounter says that records may have the cycle counter's time.
const useCounter = hasCounter

// addressOf is where b lies in memory, to tell a fault in a mapping of ours
// from any other (D10).
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
