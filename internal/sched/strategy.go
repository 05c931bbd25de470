package sched

// what a strategy can decide.
type what uint8

const (
	stay     what = iota // who is about to make an access makes it
	switchTo             // thread who goes on first
	kill                 // process who dies now
)

// move is a decision; step and forced are when it was taken.
type move struct {
	what   what
	forced bool // nobody was running: the thread before waits, is done or is dead
	who    int
	step   int
}

// strategy decides what happens next in a schedule.
type strategy interface {
	// begin is called before each schedule, started for each thread in it.
	begin(w *World)
	started(t *thread)
	// next is called before each access of t, and again after each death until t
	// goes on or gives way; t is nil if nobody runs, and somebody can.
	next(t *thread) move
}

// spinning is how many loads a thread makes on end that nobody who waits for a change
// would make. Others are then not let in between any two of them: they were before.
const spinning = 150

// dfs is the search of all schedules with so many preemptions and deaths. A preemption
// takes the turn from a thread that could go on. Preemptions are tried where two
// threads are known to conflict; deaths before whatever others can see: a process that
// dies before a load has changed nothing since its last store.
type dfs struct {
	world              *World
	preemptions, kills int // the bounds

	path              []choice
	depth             int
	preempted, killed int
	options           []move
	last              int // thread that ran last
}

// choice is one point at which there was more than one thing to do.
type choice struct{ taken, of int }

func (d *dfs) begin(w *World)    { d.world, d.depth, d.preempted, d.killed, d.last = w, 0, 0, 0, 0 }
func (d *dfs) started(t *thread) {}

// advance goes to the next schedule; false: there is none.
func (d *dfs) advance() bool {
	for n := len(d.path); n > 0; n-- {
		if c := &d.path[n-1]; c.taken+1 < c.of {
			c.taken++
			d.path = d.path[:n]
			return true
		}
	}
	d.path = d.path[:0]
	return false
}

// exact says that the schedule just made has not been made under lower bounds.
func (d *dfs) exact() bool { return d.preempted == d.preemptions && d.killed == d.kills }

func (d *dfs) next(t *thread) move {
	w := d.world
	d.options = d.options[:0]
	if t != nil {
		d.last = t.index
		mayPreempt := d.preempted < d.preemptions && t.loads < spinning && w.shared.frozenAt(t.at.address, t.at.kind)
		mayKill := d.killed < d.kills && t.at.kind != Load
		if !mayPreempt && !mayKill {
			return move{}
		}
		d.options = append(d.options, move{})
		if mayPreempt {
			d.others(t)
		}
		if mayKill {
			d.deaths(t)
		}
	} else {
		d.others(nil)
		if d.killed < d.kills {
			d.deaths(nil)
		}
	}
	m := d.options[0]
	if len(d.options) > 1 {
		if d.depth == len(d.path) {
			d.path = append(d.path, choice{of: len(d.options)})
		}
		// A schedule that does not repeat itself has another number of options.
		if c := d.path[d.depth]; c.of != len(d.options) {
			w.Failf("the schedule is not the same again: %d options at choice %d, %d before", len(d.options), d.depth, c.of)
		} else {
			m = d.options[c.taken]
		}
		d.depth++
	}
	switch {
	case m.what == kill:
		d.killed++
	case m.what == switchTo && t != nil:
		d.preempted++
	}
	return m
}

// others adds those who could run instead of t, in turn.
func (d *dfs) others(t *thread) {
	all := d.world.threads
	for i := range all {
		if o := all[(d.last+1+i)%len(all)]; o != t && o.runnable() {
			d.options = append(d.options, move{what: switchTo, who: o.index})
		}
	}
}

// deaths adds who could die: t's own process, before a change that it would make;
// others where it shows to t, at locks, and when nobody runs.
func (d *dfs) deaths(t *thread) {
	for _, p := range d.world.processes {
		if p.Mortal && !p.dead && (t == nil || t.process == p || t.at.kind == Lock) {
			d.options = append(d.options, move{what: kill, who: p.index})
		}
	}
}
