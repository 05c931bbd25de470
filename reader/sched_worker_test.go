//go:build linux && sched

package reader

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/ringlog/ringlog/internal/sched"
	"github.com/ringlog/ringlog/ring"
)

// simWorker is a process with a lane, and what it knows to have happened.
type simWorker struct {
	rig     *rig
	process *sched.Process
	p       *ring.Producer
	name    string
	authors []*author
	running int // threads that are not done

	owned, closed bool // that it is OWNED, or CLOSED, was stored
}

// author is one thread of a worker.
type author struct {
	w  *simWorker
	id uint32

	tried    uint32     // the number of the last record
	accepted []accepted // in this order
	level    int16      // of the last record
	writing  bool       // an append is under way
	lost     uint64     // counted
	losing   bool       // a count is under way
}

// accepted is a record, and how many the worker had counted as lost before it: their
// markers come before it in the log (W5).
type accepted struct {
	number uint32
	after  uint64
}

// lost is what all threads have counted as lost.
func (w *simWorker) lost() (n uint64) {
	for _, a := range w.authors {
		n += a.lost
	}
	return n
}

// worker is a process with the given name of one letter that is not attached yet.
func (g *rig) worker(name string, mortal bool) *simWorker {
	w := &simWorker{rig: g, process: g.world.Process(name, mortal), name: name}
	g.workers = append(g.workers, w)
	return w
}

// attached is a worker that was attached before the schedule begins.
func (g *rig) attached(name string, mortal bool) *simWorker {
	w := g.worker(name, mortal)
	w.attach()
	w.owned = w.p != nil
	return w
}

// attach attaches to the ring; false: it has no lane to spare.
func (w *simWorker) attach() bool {
	p, err := w.rig.heap.Attach(w.process, w.name)
	if err != nil {
		if !errors.Is(err, ring.ErrNoFreeLane) && !errors.Is(err, ring.ErrRetired) {
			w.rig.world.Failf("attaching: %w", err)
		}
		return false
	}
	w.p = p
	return true
}

// attachLate attaches as soon as there is a lane.
func (w *simWorker) attachLate() {
	for !w.attach() {
		w.rig.world.Pause()
	}
}

func (w *simWorker) author() *author {
	a := &author{w: w, id: uint32(w.name[0])<<8 | uint32(len(w.authors)+1)}
	w.authors = append(w.authors, a)
	return a
}

// thread starts a thread of the worker.
func (w *simWorker) thread(f func(a *author)) {
	a := w.author()
	w.running++
	w.process.Go(string(rune('0'+len(w.authors))), func() {
		f(a)
		w.running--
	})
}

func (w *simWorker) close() {
	if err := w.p.Close(); err != nil {
		w.rig.world.Failf("closing: %w", err)
	}
}

// payload is what record number n of an author says, in so many words: each is a
// function of all three, so that words of two records never fit together.
func payload(b []byte, id, n uint32, words int) []byte {
	b = b[:0]
	first := uint64(id)<<40 | uint64(n)<<8 | uint64(words)
	for i := range uint64(words) {
		b = binary.LittleEndian.AppendUint64(b, first+i*0x9e37_79b9_7f4a_7c15)
	}
	return b
}

// try appends a record of so many words once.
func (a *author) try(words int, level int16) error {
	var room [96]byte
	a.writing, a.level = true, level
	after := a.w.lost()
	err := a.w.p.Append(payload(room[:], a.id, a.tried+1, words), level, ring.KindRaw)
	a.writing = false
	if err == nil {
		a.tried++
		a.accepted = append(a.accepted, accepted{a.tried, after})
	}
	return err
}

// append appends n records of so many words, and waits where there is no room. It
// ends early when the lane is closed.
func (a *author) append(n, words int, level int16) {
	for range n {
		for {
			seen := a.w.p.Consumed()
			err := a.try(words, level)
			if err == nil {
				break
			}
			if errors.Is(err, ring.ErrClosed) {
				return
			}
			a.w.p.Wait(seen, time.Hour)
		}
	}
}

// appendOrDrop appends n records, and counts as lost those for which there is no room.
func (a *author) appendOrDrop(n, words int, level int16) {
	for range n {
		if err := a.try(words, level); err != nil {
			a.tried++ // never to be seen
			a.lose(level)
		}
	}
}

// lose counts a record as lost.
func (a *author) lose(level int16) {
	a.losing = true
	if a.w.p.CountLost(ring.LostFull, level) {
		a.lost++
	}
	a.losing = false
}
