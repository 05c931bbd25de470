//go:build linux

package reader

import "cmp"

// merge is the set of streams that have a head, a heap by when it is due: the
// earliest first; of equals the lower time, and then the lower lane.
type merge []*stream

func (m merge) before(i, j int) bool {
	return cmp.Or(
		cmp.Compare(m[i].due, m[j].due),
		cmp.Compare(m[i].headTime, m[j].headTime),
		cmp.Compare(m[i].lane.Index, m[j].lane.Index),
	) < 0
}

// init makes a heap of streams in any order.
func (m merge) init() {
	for i := len(m)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
}

// fix puts the first stream where its new head belongs, or drops it if it has none.
func (m *merge) fix() {
	h := *m
	if !h[0].have {
		h[0] = h[len(h)-1]
		h[len(h)-1] = nil
		*m = h[:len(h)-1]
	}
	m.down(0)
}

func (m merge) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m); child++ {
			if m.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		m[i], m[least] = m[least], m[i]
		i = least
	}
}
