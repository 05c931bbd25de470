package sched

import "math/rand/v2"

// random makes schedules by priorities: of those who can run the one with the highest
// does, and at a few points taken at random the one that runs gets the lowest. One in
// four schedules instead takes a new turn with equal chance at each step. Processes die
// at random steps.
type random struct {
	world  *World
	length int // how many steps to expect
	kills  int // deaths at most

	pcg     *rand.PCG
	rng     *rand.Rand
	changes [8]int // steps at which the priority changes
	deaths  [4]int // steps at which somebody dies
	jumpy   uint64 // one of so many steps is a new turn; 0: priorities
	lowest  int
	seen    uint64 // World.changes when priorities were compared last
}

func newRandom(length, kills int) *random {
	r := &random{length: max(length, 1), kills: kills, pcg: rand.NewPCG(0, 0)}
	r.rng = rand.New(r.pcg)
	return r
}

// seed chooses which schedule is the next.
func (r *random) seed(seed, number uint64) { r.pcg.Seed(seed, number) }

func (r *random) begin(w *World) {
	r.world, r.lowest, r.seen = w, 0, 0
	r.changes, r.deaths = [8]int{}, [4]int{}
	// The schedule is longer the more often threads wait, so look beyond its end.
	length := r.length + r.length/2
	for i := range r.rng.IntN(len(r.changes)) {
		r.changes[i] = 1 + r.rng.IntN(length)
	}
	for i := range min(r.kills, len(r.deaths)) {
		if r.rng.IntN(3) > 0 {
			r.deaths[i] = 1 + r.rng.IntN(length)
		}
	}
	r.jumpy = 0
	if r.rng.IntN(4) == 0 {
		r.jumpy = 2 << r.rng.IntN(6)
	}
}

func (r *random) started(t *thread) { t.priority = 1 + r.rng.IntN(1<<20) }

func (r *random) next(t *thread) move {
	w := r.world
	for i, at := range r.deaths {
		if at != 0 && at <= w.steps && (t == nil || t.at.kind != Load) {
			r.deaths[i] = 0
			if p := r.victim(t); p != nil {
				return move{what: kill, who: p.index}
			}
		}
	}
	if t == nil {
		return move{what: switchTo, who: r.highest(nil).index}
	}
	if r.jumpy != 0 {
		if r.rng.Uint64()%r.jumpy == 0 {
			if o := w.threads[r.rng.IntN(len(w.threads))]; o != t && o.runnable() {
				return move{what: switchTo, who: o.index}
			}
		}
		return move{}
	}
	changed := false
	for i, at := range r.changes {
		if at == w.steps {
			r.changes[i] = 0
			r.lowest--
			t.priority, changed = r.lowest, true
		}
	}
	// Who waited may be able to run since somebody changed something.
	if changed || r.seen != w.changes {
		r.seen = w.changes
		if o := r.highest(t); o != t {
			return move{what: switchTo, who: o.index}
		}
	}
	return move{}
}

// highest is who of those who can run has the highest priority; t can.
func (r *random) highest(t *thread) *thread {
	best := t
	for _, o := range r.world.threads {
		if o != t && o.runnable() && (best == nil || o.priority > best.priority) {
			best = o
		}
	}
	if r.jumpy != 0 && t == nil {
		n := r.rng.IntN(len(r.world.threads))
		for i := range r.world.threads {
			if o := r.world.threads[(n+i)%len(r.world.threads)]; o.runnable() {
				return o
			}
		}
	}
	return best
}

// victim is who dies: mostly the process that is about to change something.
func (r *random) victim(t *thread) *Process {
	if t != nil && t.process.Mortal && r.rng.IntN(4) > 0 {
		return t.process
	}
	all := r.world.processes
	n := r.rng.IntN(len(all))
	for i := range all {
		if p := all[(n+i)%len(all)]; p.Mortal && !p.dead {
			return p
		}
	}
	return nil
}
