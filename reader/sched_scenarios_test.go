//go:build linux && sched

package reader

import (
	"context"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// simScenario is a course of events, in all orders.
type simScenario struct {
	name   string
	lanes  int
	deaths int // at most so many in one schedule
	run    func(g *rig)
}

// laneSize is the least in which an owner record is not larger than an eighth.
const laneSize = 1024

// largest is how many words the payload of the largest record has: a record of an
// eighth of the lane.
const largest = 12

// simScenarios are in the order in which they are run, the longest first.
var simScenarios = []simScenario{
	{"wrap", 1, 0, func(g *rig) {
		// 18 records of an eighth each, and the owner's: more than two laps.
		w := g.attached("a", false)
		for range 2 {
			w.thread(func(a *author) { a.append(9, largest, 0) })
		}
		g.reader(0)
	}},
	{"reader death in repair", 1, 3, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.append(2, 4, 0) })
		w.thread(func(a *author) { a.append(1, 4, 0); a.lose(0) })
		g.reader(2)
	}},
	{"reuse of a dead owner's lane", 1, 2, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.append(1, 4, 0); a.lose(0); w.close() })
		next := g.worker("b", true)
		next.thread(func(a *author) {
			next.attachLate()
			a.append(1, 4, 0)
		})
		g.reader(1)
	}},
	{"reuse of a closed lane", 1, 1, func(g *rig) {
		w := g.attached("a", false)
		// The first of them may be preempted in its claim, or in its count.
		w.thread(func(a *author) { a.append(1, 4, 0); a.lose(0); a.append(1, 4, 0) })
		w.thread(func(a *author) { w.close() })
		next := g.worker("b", false)
		next.thread(func(a *author) {
			next.attachLate()
			a.append(1, 4, 0)
			next.close()
		})
		g.reader(1)
	}},
	{"claim during the reader's look", 1, 1, func(g *rig) {
		w := g.attached("a", false)
		w.author().append(1, 4, 0)
		g.following(1) // nothing is left of it but to close
		w.thread(func(a *author) { w.close() })
		next := g.worker("b", true)
		next.thread(func(a *author) {
			next.attachLate()
			a.lose(0)
			a.append(1, 4, 0)
		})
	}},
	{"drop counters", 1, 2, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.lose(0); a.append(1, 4, 0); a.lose(ring.WarningLevel) })
		w.thread(func(a *author) { a.append(1, 4, 0); a.lose(0); a.append(1, 4, 0) })
		g.reader(1)
	}},
	{"full lane, block", 1, 1, func(g *rig) {
		w := g.attached("a", false)
		w.author().append(6, largest, 0) // with the owner's record all but the share for warnings
		w.thread(func(a *author) { a.append(2, largest, 0) })
		w.thread(func(a *author) { a.append(1, 4, ring.WarningLevel); a.append(1, 4, 0) })
		g.reader(1)
	}},
	{"full lane, drop", 1, 1, func(g *rig) {
		w := g.attached("a", true)
		w.author().append(6, largest, 0)
		w.thread(func(a *author) { a.appendOrDrop(2, largest, 0) })
		w.thread(func(a *author) { a.appendOrDrop(2, 4, ring.WarningLevel) })
		g.reader(0)
	}},
	{"close", 1, 1, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.append(2, 4, 0) })
		w.thread(func(a *author) { a.lose(0); a.append(1, 4, 0) })
		w.thread(func(*author) { w.close() })
		g.reader(0)
	}},
	{"padding", 1, 1, func(g *rig) {
		w := g.attached("a", true)
		first := w.author()
		first.append(6, largest, 0)
		first.append(1, 5, ring.WarningLevel) // 56 bytes are left of this lap
		w.thread(func(a *author) { a.append(1, 4, 0); a.append(1, 1, 0) })
		w.thread(func(a *author) { a.append(1, 1, 0); a.append(1, 4, 0) })
		g.reader(0)
	}},
	{"dead-owner repair", 1, 1, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.append(2, 4, 0) })
		w.thread(func(a *author) { a.append(1, 4, 0); a.lose(0) })
		g.reader(0)
	}},
	{"three producers", 1, 0, func(g *rig) {
		w := g.attached("a", false)
		for range 3 {
			w.thread(func(a *author) { a.append(1, 4, 0) })
		}
		g.reader(0)
	}},
	{"two producers", 1, 0, func(g *rig) {
		w := g.attached("a", false)
		for range 2 {
			w.thread(func(a *author) { a.append(2, 4, 0) })
		}
		g.reader(0)
	}},
	{"wake-up of the reader", 1, 0, func(g *rig) {
		w := g.attached("a", false)
		w.thread(func(a *author) { a.append(2, 4, 0) })
		w.thread(func(a *author) { a.append(1, 4, 0) })
		g.sleeper(w)
	}},
	{"removal of the ring", 1, 1, func(g *rig) {
		w := g.attached("a", true)
		w.thread(func(a *author) { a.append(1, 4, 0); w.close() })
		next := g.worker("b", true)
		next.thread(func(a *author) {
			if next.attach() {
				a.append(1, 4, 0)
				next.close()
			}
		})
		g.remover()
	}},
}

// following starts a reader that has looked at the ring before the schedule begins.
func (g *rig) following(mortal int) {
	p := g.world.Process("reader", mortal > 0)
	p.OnDeath(func() { g.reader(mortal - 1) })
	r, err := g.open(p)
	if err == nil {
		_, err = g.cycle(r)
	}
	if err != nil {
		g.world.Failf("draining: %w", err)
		return
	}
	p.Go("main", func() {
		g.follow(r)
		g.heap.End(r.consumer)
	})
}

// sleeper is a reader that sleeps on its futex word, with no time-out, until the
// worker's lane is closed. The worker closes it when its other threads are done and
// the reader has taken all that they wrote, which it does only if they woke it.
func (g *rig) sleeper(w *simWorker) {
	w.thread(func(*author) {
		for w.running > 1 || w.p.Backlog() > 0 {
			g.world.Pause()
		}
		w.close()
	})
	p := g.world.Process("reader", false)
	p.Go("main", func() {
		r, err := g.open(p)
		if err != nil {
			g.world.Failf("opening the ring: %w", err)
			return
		}
		for {
			progressed, err := g.cycle(r)
			if err != nil {
				g.world.Failf("draining: %w", err)
				return
			}
			if !progressed {
				if !r.occupied() {
					break
				}
				r.consumer.Sleep(time.Hour, r.ready)
			}
		}
		g.heap.End(r.consumer)
	})
}

// remover is a reader that removes the ring as soon as it may.
func (g *rig) remover() {
	p := g.world.Process("reader", false)
	p.Go("main", func() {
		r, err := g.open(p)
		if err != nil {
			g.world.Failf("opening the ring: %w", err)
			return
		}
		for {
			if _, err := g.cycle(r); err != nil {
				g.world.Failf("draining: %w", err)
				return
			}
			done := g.done()
			why, err := r.remove(context.Background())
			switch {
			case err != nil:
				g.world.Failf("removing: %w", err)
				return
			case why == "":
				g.heap.End(r.consumer)
				return
			case done:
				g.heap.End(r.consumer)
				return // the last reader goes on
			}
			g.world.Pause()
		}
	})
}
