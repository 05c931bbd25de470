package sched

import "fmt"

// Kind says what an access can do to others.
type Kind uint8

const (
	Load   Kind = iota // changes nothing
	Store              // may change what others load
	Lock               // takes, gives back or tries a lock; World.Changed says if it did
	Output             // changes what nobody loads while the schedule runs
)

func (k Kind) String() string { return [...]string{"load", "store", "lock", "output"}[k] }

// access is what a thread is about to do.
type access struct {
	kind    Kind
	point   uint8 // what the store is for, as Scenario.Point names it; 0: nothing
	address uint64
	value   uint64
}

// maxSteps is far more than any schedule needs: who takes them runs in circles.
const maxSteps = 100_000

// World is the state of one schedule. All of it is used by one goroutine at a time:
// the thread that runs, or whoever called Explore.
type World struct {
	scenario *Scenario
	strategy strategy

	processes []*Process
	threads   []*thread
	spare     []*thread // of earlier schedules
	idle      []*coroutine

	current *thread // whose access is next; nil outside of a schedule
	next    *thread // whom the driver is to resume; nil if it has to choose
	steps   int
	changes uint64 // of the shared state, and ends of threads
	moves   []move // other than to go on
	deaths  int
	failure error
	trace   func(t *thread, a access)
	tally   *tally
	shared  *conflicts
}

// Process makes a process; mortal says that schedules may kill it.
func (w *World) Process(name string, mortal bool) *Process {
	p := &Process{Name: name, Mortal: mortal, world: w, index: len(w.processes)}
	w.processes = append(w.processes, p)
	return p
}

// Thread is the name of the thread that is calling; "" outside of schedules.
func (w *World) Thread() string {
	if w.current == nil {
		return ""
	}
	return w.current.name
}

func (w *World) newThread() *thread {
	n := len(w.spare)
	if n == 0 {
		return new(thread)
	}
	t := w.spare[n-1]
	w.spare = w.spare[:n-1]
	return t
}

// Running says whether a thread of a schedule is calling.
func (w *World) Running() bool { return w.current != nil }

// Current is the process of the thread that is calling; nil outside of schedules.
func (w *World) Current() *Process {
	if w.current == nil {
		return nil
	}
	return w.current.process
}

// Step is to be called before each access to what threads share. point names what a
// store is for (0: nothing), address what is accessed, in units of 8 bytes, value what is stored. It
// returns when the access is to be made; false says that the process died and nothing
// is to be changed. Outside of a schedule it returns true at once.
func (w *World) Step(kind Kind, point uint8, address, value uint64) bool {
	t := w.current
	if t == nil {
		return true
	}
	if t.killed {
		return false
	}
	if w.steps++; w.steps > maxSteps {
		w.Failf("%v runs in circles: %d steps", t, w.steps)
	}
	if w.failure != nil {
		w.next = nil
		t.suspend()
	}
	t.at = access{kind, point, address, value}
	if kind == Load {
		t.loads++
	} else {
		t.loads = 0
	}
	for {
		m := w.strategy.next(t)
		if m.what == stay {
			break
		}
		w.carryOut(m)
		if t.process.dead || m.what == switchTo {
			t.suspend()
			break
		}
	}
	w.shared.note(t, kind, address)
	if kind == Store {
		w.Changed()
	}
	if w.trace != nil {
		w.trace(t, t.at)
	}
	return true
}

// Changed says that the access whose Step came last changed something after all.
func (w *World) Changed() {
	w.changes++
	if w.current != nil {
		w.current.own++
	}
}

// Pause waits until another thread has changed something, or ended, since the last
// Pause of this one: nothing that it may have looked at before is missed.
func (w *World) Pause() {
	t := w.current
	if t == nil || t.killed {
		return
	}
	t.waiting, w.next = true, nil
	t.suspend()
	t.waiting, t.seen = false, w.changes-t.own
}

// Sleep waits until somebody calls Wake for address: there is no time-out, so that a
// wake-up that goes missing shows.
func (w *World) Sleep(address uint64) {
	t := w.current
	if t == nil || t.killed {
		return
	}
	t.sleeping, t.address, w.next = true, address, nil
	t.suspend()
}

// Wake wakes all who sleep at address.
func (w *World) Wake(address uint64) {
	for _, t := range w.threads {
		if t.address == address {
			t.sleeping = false
		}
	}
}

// Failf says that the schedule must not have got here. The first failure counts.
func (w *World) Failf(format string, args ...any) {
	if w.failure == nil {
		w.failure = fmt.Errorf(format, args...)
	}
}

// carryOut makes m happen, and keeps it for a replay.
func (w *World) carryOut(m move) {
	m.step, m.forced = w.steps, w.current == nil
	w.moves = append(w.moves, m)
	if m.what == switchTo {
		w.next = w.threads[m.who]
		return
	}
	p := w.processes[m.who]
	w.deaths++
	w.changes++
	w.tally.death(p, w.current)
	p.dead = true
	if w.current != nil && w.current.process == p {
		w.next = nil
	}
	if w.trace != nil {
		w.trace(nil, access{value: uint64(m.who)})
	}
	for _, f := range p.onDeath {
		f()
	}
}

// run runs the threads of the scenario to their ends, or to a failure.
func (w *World) run() {
	for w.failure == nil {
		t := w.next
		if w.next = nil; t == nil {
			if t = w.choose(); t == nil {
				break
			}
		}
		w.current = t
		if t.on == nil {
			t.on = w.coroutine()
			t.on.thread = t
		}
		t.on.resume()
		w.current = nil
		if t.done {
			w.changes++
			w.release(t)
		}
	}
	w.unwind()
}

// choose lets the strategy choose among those who can run. If nobody can though some
// are not done, that is a deadlock.
func (w *World) choose() *thread {
	for {
		able, stuck := false, (*thread)(nil)
		for _, t := range w.threads {
			able = able || t.runnable()
			if !t.done && !t.process.dead {
				stuck = t
			}
		}
		if !able {
			if stuck != nil {
				w.Failf("deadlock: %v waits for ever", stuck)
			}
			return nil
		}
		m := w.strategy.next(nil)
		w.carryOut(m)
		if m.what == switchTo {
			t := w.next
			w.next = nil
			return t
		}
	}
}

// unwind ends the coroutines of threads that did not get done.
func (w *World) unwind() {
	for _, t := range w.threads {
		if t.on == nil {
			continue
		}
		t.killed, w.current = true, t
		t.on.resume()
		w.current = nil
		w.release(t)
	}
}

func (w *World) coroutine() *coroutine {
	if n := len(w.idle); n > 0 {
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return c
	}
	return newCoroutine()
}

func (w *World) release(t *thread) {
	w.idle = append(w.idle, t.on)
	t.on = nil
}

// reset makes the world ready for the next schedule.
func (w *World) reset(s strategy) {
	w.spare = append(w.spare, w.threads...)
	w.processes, w.threads, w.moves = w.processes[:0], w.threads[:0], w.moves[:0]
	w.strategy, w.next, w.steps, w.changes, w.deaths, w.failure = s, nil, 0, 0, 0, nil
	s.begin(w)
}
