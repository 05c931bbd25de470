//go:build linux

package reader

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ringlog/ringlog/ring"
)

// Any number of streams, of which each has its heads in any order; many are due at once.
func TestTheMergeAlwaysGivesTheStreamThatIsDueFirst(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	before := func(a, b *stream) int {
		return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.headTime, b.headTime), cmp.Compare(a.lane.Index, b.lane.Index))
	}
	var m merge
	for n := range 70 {
		m.reset()
		var waiting []*stream
		for i := range n {
			s := &stream{lane: &ring.Lane{Index: i}, have: true, due: rnd.Int64N(20), headTime: rnd.Int64N(2)}
			m.add(s)
			waiting = append(waiting, s)
		}
		m.init()
		for left := 3 * n; len(waiting) > 0; left-- {
			want := slices.MinFunc(waiting, before)
			if m.due(want.due-1) || !m.due(want.due) || !m.due(horizonNone) || m.first() != want {
				t.Fatalf("of %d streams, not the first of %d", n, len(waiting))
			}
			if want.have = left > 0 && rnd.IntN(4) > 0; want.have {
				want.due, want.headTime = rnd.Int64N(40), rnd.Int64N(2)
			} else {
				waiting = slices.DeleteFunc(waiting, func(s *stream) bool { return s == want })
			}
			m.fix()
		}
		if m.due(horizonNone) {
			t.Fatalf("of %d streams, one more", n)
		}
	}
}
