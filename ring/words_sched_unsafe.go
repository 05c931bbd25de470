//go:build sched

package ring

import (
	"encoding/binary"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/internal/sched"
)

// This is words_unsafe.go for a build in which every access to the memory of a Heap
// is a step of a schedule. Accesses to other memory are as they are there.

const _ = uint(1 << 63) // does not compile where words have 32 bits

// word is one aligned 64-bit word of shared memory.
type word struct{ v atomic.Uint64 }

func wordAt(b []byte, off uint64) *word {
	return (*word)(unsafe.Pointer(&b[off : off+8 : off+8][0]))
}

func (w *word) load() uint64 {
	if h := simulated; h != nil {
		h.step(sched.Load, 0, unsafe.Pointer(w), 0)
	}
	return w.v.Load()
}

func (w *word) store(at failpoint.Point, v uint64) {
	failpoint.Hit(at)
	if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(w), 8, v) {
		return
	}
	w.v.Store(v)
}

func (w *word) cas(at failpoint.Point, old, v uint64) bool {
	failpoint.Hit(at)
	if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(w), 8, v) {
		return false
	}
	return w.v.CompareAndSwap(old, v)
}

func (w *word) add(at failpoint.Point, d uint64) uint64 {
	failpoint.Hit(at)
	if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(w), 8, d) {
		return 0
	}
	return w.v.Add(d)
}

// futex sleeps without a time-out in a schedule, so that a missing wake-up shows.
func (w *word) futex(op, value uintptr, timeout *unix.Timespec) {
	h := simulated
	if h == nil || !h.world.Running() {
		if h == nil {
			unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(w)), op, value, uintptr(unsafe.Pointer(timeout)), 0, 0)
		}
		return
	}
	address := h.address(unsafe.Pointer(w))
	if !h.world.Step(sched.Lock, 0, address, uint64(value)) {
		return
	}
	switch {
	case op == opWake:
		h.world.Wake(address)
	case uint32(w.v.Load()) == uint32(value):
		h.world.Sleep(address)
	}
}

func put64(at failpoint.Point, b []byte, off, v uint64) {
	failpoint.Hit(at)
	b = b[off : off+8 : off+8]
	if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(&b[0]), 8, v) {
		return
	}
	binary.LittleEndian.PutUint64(b, v)
}

func put32(at failpoint.Point, b []byte, off uint64, v uint32) {
	failpoint.Hit(at)
	b = b[off : off+4 : off+4]
	if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(&b[0]), 4, uint64(v)) {
		return
	}
	binary.LittleEndian.PutUint32(b, v)
}

// putBytes, zero and appendShared are made in two halves, between which anything may
// happen, as between any two of their bytes on a machine.
func putBytes(at failpoint.Point, b, src []byte) {
	failpoint.Hit(at)
	src = src[:min(len(b), len(src))]
	for len(src) > 0 {
		n := half(len(src))
		if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(&b[0]), n, uint64(n)) {
			return
		}
		copy(b, src[:n])
		b, src = b[n:], src[n:]
	}
}

func zero(at failpoint.Point, b []byte) {
	failpoint.Hit(at)
	for len(b) > 0 {
		n := half(len(b))
		if h := simulated; h != nil && !h.storing(at, unsafe.Pointer(&b[0]), n, 0) {
			return
		}
		clear(b[:n])
		b = b[n:]
	}
}

func appendShared(dst, b []byte) []byte {
	for len(b) > 0 {
		n := half(len(b))
		if h := simulated; h != nil {
			h.step(sched.Load, 0, unsafe.Pointer(&b[0]), 0)
		}
		dst, b = append(dst, b[:n]...), b[n:]
	}
	return dst
}

// half is where to break n bytes: at a word in the middle. Less than two words are
// not broken, and what is left after the first half is taken whole.
func half(n int) int {
	if n < 16 || simulated == nil {
		return n
	}
	return max(n/2&^7, n-n/2&^7)
}

func get32(b []byte, off uint64) uint32 {
	b = b[off : off+4 : off+4]
	if h := simulated; h != nil {
		h.step(sched.Load, 0, unsafe.Pointer(&b[0]), 0)
	}
	return binary.LittleEndian.Uint32(b)
}

// pause waits, in a schedule, until somebody has changed something: waiting takes no
// time there, and looking again would find nothing new.
func pause(d time.Duration) {
	if h := simulated; h == nil {
		time.Sleep(d)
	} else {
		h.world.Pause()
	}
}

// progressTries is low: in a schedule, reading on makes no difference before somebody
// else has stored something.
const progressTries = 3

func clockNow() time.Time {
	if simulated == nil {
		return time.Now()
	}
	return time.Unix(1_700_000_000, 0)
}

func clockSince(t time.Time) time.Duration {
	h := simulated
	if h == nil {
		return time.Since(t)
	}
	h.time++
	return h.time
}

// useCounter: the cycle counter is not of the schedule.
const useCounter = false

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

// step is the step before an access to what p points to, if that is the heap's.
func (h *Heap) step(kind sched.Kind, at uint8, p unsafe.Pointer, value uint64) bool {
	off := uintptr(p) - h.base
	if off >= uintptr(len(h.words)*8) {
		return true // a private copy
	}
	return h.world.Step(kind, at, uint64(off/8), value)
}

// address is what World.Step calls what p points to.
func (h *Heap) address(p unsafe.Pointer) uint64 { return uint64((uintptr(p) - h.base) / 8) }

// storing is the step before n bytes at p are stored. It keeps what lies there, and
// judges whether the store may be. false says that it is not to be made.
func (h *Heap) storing(at failpoint.Point, p unsafe.Pointer, n int, value uint64) bool {
	off := uintptr(p) - h.base
	if off >= uintptr(len(h.words)*8) {
		return true
	}
	first, last := off/8, (off+uintptr(n)-1)/8
	if !h.world.Step(sched.Store, uint8(at)+1, uint64(first), value) {
		return false
	}
	for i := first; i <= last; i++ {
		h.undo = append(h.undo, undo{uint32(i), h.words[i]})
	}
	h.judge(at, uint64(off), value)
	return true
}

// alignedBytes is the bytes of words.
func alignedBytes(words []uint64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
}
