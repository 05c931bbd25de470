package ring

import "testing"

func TestSettlingLooksAgainUnderTheLock(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	w.process.die()
	p, _ := l.Progress()
	e, generation := f.entry(0), l.Generation()
	p.Consumer, _ = l.Produced()
	c.from.(*heapBacking).beforeLock = func() {
		wordAt(e, lanGeneration).v.Store(generation + 1) // the lane has another owner by now
	}
	change := LaneChange{Generation: generation, To: p, State: LaneFree}
	if err := c.Publish(&Batch{Lanes: []LaneChange{change}}); err != nil {
		t.Fatal(err)
	}
	if s := l.State(); s != LaneOwned {
		t.Errorf("the lane of a later owner is %v, want %v", s, LaneOwned)
	}
}
