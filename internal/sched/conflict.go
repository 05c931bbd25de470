package sched

// conflicts learns at which addresses threads conflict: at least two have made an
// access, one of them a store. The order of any other accesses shows to nobody.
//
// What is learnt during an exhaustive search counts from its next bound on, so that
// each bound is searched under one set.
type conflicts struct {
	by     []uint32 // by address: the threads that made an access, a bit each
	stored []bool
	frozen []bool // conflicts as known when the search began
}

func (c *conflicts) note(t *thread, kind Kind, address uint64) {
	if kind == Output {
		return
	}
	if address >= uint64(len(c.by)) {
		n := address + 1 - uint64(len(c.by))
		c.by = append(c.by, make([]uint32, n)...)
		c.stored = append(c.stored, make([]bool, n)...)
	}
	c.by[address] |= 1 << (t.index & 31)
	if kind != Load {
		c.stored[address] = true
	}
}

// freeze makes what was learnt up to now what counts.
func (c *conflicts) freeze() {
	c.frozen = make([]bool, len(c.by))
	for i, by := range c.by {
		c.frozen[i] = c.stored[i] && by&(by-1) != 0
	}
}

func (c *conflicts) frozenAt(address uint64, kind Kind) bool {
	return kind != Output && address < uint64(len(c.frozen)) && c.frozen[address]
}

// tally counts deaths, by process and by what it was about to do.
type tally struct {
	Deaths map[string]int
	points map[string]map[uint8]bool
}

func newTally() *tally {
	return &tally{Deaths: map[string]int{}, points: map[string]map[uint8]bool{}}
}

// death counts that p dies while t, if not nil, is about to make an access.
func (a *tally) death(p *Process, t *thread) {
	a.Deaths[p.Name]++
	if a.points[p.Name] == nil {
		a.points[p.Name] = map[uint8]bool{}
	}
	if t == nil || t.process != p {
		t = nil
		for _, o := range p.world.threads {
			if o.process == p && !o.done {
				t = o
			}
		}
	}
	if t != nil && t.at.kind != Load {
		a.points[p.Name][t.at.point] = true
	}
}
