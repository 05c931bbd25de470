//go:build sched

package ring

import (
	"fmt"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/internal/sched"
)

// Heap is a ring in ordinary memory, whose every access is a step of a schedule.
// It has locks as the kernel has, which a process that dies loses, and lanes as small
// as wanted. There is one at a time in a program, and one goroutine uses it.
type Heap struct {
	// Stored, if not nil, is called just before a store of value is made.
	Stored func(at failpoint.Point, value uint64)

	// Unlinked says that the ring was removed.
	Unlinked bool

	world *sched.World
	head  Header
	words []uint64
	bytes []byte // of words
	base  uintptr
	locks []heldLock
	undo  []undo
	time  time.Duration // what clockSince said last
}

// undo is what a word held before a store.
type undo struct {
	word uint32
	old  uint64
}

type heldLock struct {
	off uint64
	by  *simBacking
}

// simulated is the heap of the program; nil: accesses are ordinary ones.
var simulated *Heap

// intentSlotSize is enough for what the tests' batches need: the intent area is copied
// whenever a reader starts.
const intentSlotSize = 1024

// NewHeap makes the program's heap: lanes lanes of laneSize bytes, a power of two.
func NewHeap(lanes int, laneSize uint64) *Heap {
	g := newGeometry(lanes, laneSize)
	g.IntentLength = intSlots + 2*intentSlotSize + intentWindowSize
	g.TableOffset = alignUp(g.IntentOffset+g.IntentLength, laneEntrySize)
	g.LanesOffset = g.TableOffset + g.TableLength
	g.FileSize = g.LanesOffset + uint64(lanes)*laneSize
	h := &Heap{head: newHeader(lanes, laneSize, time.Unix(1_700_000_000, 0)), words: make([]uint64, g.FileSize/8)}
	h.head.Geometry, h.head.key = g, 0xfedc_ba98_7654_3217
	h.bytes = alignedBytes(h.words)
	h.base = addressOf(h.bytes)
	copy(h.bytes, h.head.encode())
	copy(h.bytes[g.TableOffset:], h.head.newTable())
	simulated = h
	return h
}

// Reset makes the heap a new ring again, used in w's schedule.
func (h *Heap) Reset(w *sched.World) {
	for i := len(h.undo) - 1; i >= 0; i-- {
		h.words[h.undo[i].word] = h.undo[i].old
	}
	for i := range uint64(2) { // encode stores there without a word
		off := h.head.IntentOffset + intSlots + i*intentSlotSize
		clear(h.bytes[off : off+intentSlotSize])
	}
	h.world, h.undo, h.locks, h.time = w, h.undo[:0], h.locks[:0], 0
	h.Unlinked = false
}

// Consumed is lane i's consumer position, looked at without a step.
func (h *Heap) Consumed(i int) uint64 { return h.words[(h.head.entryOffset(i)+lanConsumer)/8] }

// Close ends the simulation: from here on words are ordinary ones.
func (h *Heap) Close() { simulated = nil }

// Attach is Attach for process p.
func (h *Heap) Attach(p *sched.Process, label string) (*Producer, error) {
	return attach(h.open(p), h.head, AttachOptions{Label: label})
}

// OpenConsumer is OpenConsumer for process p.
func (h *Heap) OpenConsumer(p *sched.Process) (*Consumer, error) {
	return newConsumer(h.open(p), h.head)
}

func (h *Heap) open(p *sched.Process) *simBacking {
	b := &simBacking{h}
	p.OnDeath(b.drop)
	return b
}

// judge looks at a store of value at byte off that is about to be made.
func (h *Heap) judge(at failpoint.Point, off, value uint64) {
	if h.Stored != nil {
		h.Stored(at, value)
	}
	if off < h.head.LanesOffset || at == failpoint.OwnZero {
		return
	}
	// Who stores in a lane has claimed that memory: it lies behind the producer
	// position, at most a lap, and the reader has not given it back since.
	lane, size := (off-h.head.LanesOffset)/h.head.LaneSize, h.head.LaneSize
	e := h.head.entryOffset(int(lane)) / 8
	end, consumer := h.words[e+lanProducer/8]&^closedBit, h.words[e+lanConsumer/8]
	pos := end - 1 - (end-1-off+h.head.LanesOffset)&(size-1)
	if end == 0 || pos < consumer || end-consumer > size {
		h.world.Failf("%v stores at %s, position %d, which is not claimed: consumer position %d, producer position %d",
			at, h.Address(off/8), pos, consumer, end)
	}
}

// Address names the word at an address that World.Step was given.
func (h *Heap) Address(a uint64) string {
	off, g := a*8, h.head.Geometry
	switch {
	case off >= g.LanesOffset:
		off -= g.LanesOffset
		return fmt.Sprintf("lane %d+%#x", off/g.LaneSize, off%g.LaneSize)
	case off >= g.TableOffset:
		off -= g.TableOffset
		return fmt.Sprintf("entry %d+%#x", off/laneEntrySize, off%laneEntrySize)
	case off >= g.IntentOffset:
		return fmt.Sprintf("intent+%#x", off-g.IntentOffset)
	case off >= g.ControlOffset:
		return fmt.Sprintf("control+%#x", off-g.ControlOffset)
	}
	return fmt.Sprintf("header+%#x", off)
}

// simBacking is one open description of a heap.
type simBacking struct{ heap *Heap }

func (b *simBacking) name() string                 { return "heap" }
func (b *simBacking) meta() []byte                 { return b.heap.bytes[:b.heap.head.LanesOffset] }
func (b *simBacking) hasData(int) bool             { return false }
func (b *simBacking) allocate(_ int, _ bool) error { return nil }
func (b *simBacking) sync() error                  { return nil }
func (b *simBacking) syncLane(int) error           { return nil }

func (b *simBacking) lane(i int) ([]byte, error) {
	off, size := b.heap.head.laneOffset(i), b.heap.head.LaneSize
	return b.heap.bytes[off : off+size : off+size], nil
}

func (b *simBacking) linked() (bool, error) {
	b.heap.world.Step(sched.Load, 0, 0, 0)
	return !b.heap.Unlinked, nil
}

func (b *simBacking) unlink() error {
	if b.heap.world.Step(sched.Store, 0, 0, 0) {
		b.heap.Unlinked = true
	}
	return nil
}

func (b *simBacking) holder(off uint64) int {
	for i := range b.heap.locks {
		if b.heap.locks[i].off == off {
			return i
		}
	}
	return -1
}

func (b *simBacking) tryLock(off uint64) (bool, error) {
	h := b.heap
	if !h.world.Step(sched.Lock, 0, off/8, 1) {
		return false, nil
	}
	if i := b.holder(off); i >= 0 {
		return h.locks[i].by == b, nil
	}
	h.locks = append(h.locks, heldLock{off, b})
	h.world.Changed()
	return true, nil
}

func (b *simBacking) unlock(off uint64) error {
	h := b.heap
	if h.world.Step(sched.Lock, 0, off/8, 0) {
		if i := b.holder(off); i >= 0 && h.locks[i].by == b {
			h.locks = append(h.locks[:i], h.locks[i+1:]...)
			h.world.Changed()
		}
	}
	return nil
}

func (b *simBacking) lockHeld(off uint64) (bool, error) {
	h := b.heap
	h.world.Step(sched.Lock, 0, off/8, 0)
	i := b.holder(off)
	return i >= 0 && h.locks[i].by != b, nil
}

// close does nothing: a producer's comes whenever it is garbage. Who stops reading
// calls End.
func (b *simBacking) close() error { return nil }

// drop drops every lock, as the kernel does when a process ends.
func (b *simBacking) drop() {
	kept := b.heap.locks[:0]
	for _, l := range b.heap.locks {
		if l.by != b {
			kept = append(kept, l)
		}
	}
	b.heap.locks = kept
}

// End drops the locks of a consumer of a Heap, as its process's end does.
func (h *Heap) End(c *Consumer) { c.from.(*simBacking).drop() }
