//go:build linux

package reader

import (
	"cmp"
	"math"
	"time"
)

// merge is the streams that have a head, or an end that waits like one, in the order in which
// those are due: the earliest first; of equals the lower time, and then the lower lane.
//
// It is a tournament: a node keeps the loser of the two below it, so that a new head of the
// winner meets one other on each level (Knuth, The Art of Computer Programming 3, 5.4.1).
// Who wins is as good as random, so there is no branch on it: with 256 lanes a heap, whose
// branches a processor guesses wrong every second time, took a third of a record's time.
type merge struct {
	streams []*stream // in the order of their lanes
	nodes   []node    // nodes[0] is the winner, nodes[1] the loser of the final, nodes[2] and [3] those of its halves, …
}

// node is a stream, by its place among the streams. Streams with no head are due never.
type node struct{ due, stream int64 }

const (
	// dueNever is later than all that streams are due, and dueAlways earlier. Their
	// difference is a number.
	dueNever  = math.MaxInt64 - 1
	dueAlways = -1
)

func (m *merge) reset() { m.streams = m.streams[:0] }

// add adds a stream. The next call is another one, or init.
func (m *merge) add(s *stream) { m.streams = append(m.streams, s) }

// init holds the tournament.
func (m *merge) init() {
	size := 1
	for size < len(m.streams) {
		size *= 2
	}
	// Places that win against all are driven out, one by each who enters.
	m.nodes = m.nodes[:0]
	for range size {
		m.nodes = append(m.nodes, node{due: dueAlways})
	}
	for i := range size {
		n := node{due: dueNever}
		if i < len(m.streams) {
			n = node{m.streams[i].due, int64(i)}
		}
		m.climb(n, i)
	}
}

// due says that some stream is due up to horizon: first is.
func (m *merge) due(horizon int64) bool {
	return len(m.streams) > 0 && m.nodes[0].due <= min(horizon, dueNever-1)
}

// wait is how much later than limit a stream is due; 0: none is.
func (m *merge) wait(limit int64) time.Duration {
	if len(m.streams) == 0 || m.nodes[0].due >= dueNever || limit >= dueNever {
		return 0
	}
	return max(0, time.Duration(m.nodes[0].due-limit))
}

// first is the stream that is due first.
func (m *merge) first() *stream { return m.streams[m.nodes[0].stream] }

// fix puts the first stream where its new head belongs, or drops it if it has none.
func (m *merge) fix() {
	n := node{dueNever, m.nodes[0].stream}
	if s := m.streams[n.stream]; s.have {
		n.due = s.due
	}
	m.climb(n, int(n.stream))
}

// climb has n, at place i below the nodes, meet whoever waits on its way to the top: the
// later one stays, the earlier one goes on. Nothing is due before dueAlways, so that
// differences have the sign of the comparison.
func (m *merge) climb(n node, i int) {
	nodes, due, stream := m.nodes, n.due, n.stream
	for at := (len(nodes) + i) / 2; at > 0; at /= 2 {
		w := &nodes[at]
		d := w.due - due
		if d == 0 {
			d = m.tie(w.stream, stream)
		}
		earlier := d >> 63 // all ones if w is
		x, y := (w.due^due)&earlier, (w.stream^stream)&earlier
		w.due, w.stream = w.due^x, w.stream^y
		due, stream = due^x, stream^y
	}
	nodes[0] = node{due, stream}
}

// tie is negative if stream a goes before stream b, which is due at the same time.
func (m *merge) tie(a, b int64) int64 {
	return int64(cmp.Or(cmp.Compare(m.streams[a].headTime, m.streams[b].headTime), cmp.Compare(a, b)))
}
