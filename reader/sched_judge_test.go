//go:build linux && sched

package reader

import (
	"context"
	"encoding/binary"
	"fmt"
)

// tale is what the output says about one worker.
type tale struct {
	next     map[uint32]int // by author: how many of its accepted records were met
	extra    map[uint32]int // and how many of which it does not know
	seq      uint32         // the last sequence number
	records  uint64
	lost     uint64
	vanished int
	torn     int
}

// judge drains what the schedule left, undisturbed, and compares the output with what
// the workers know.
func (g *rig) judge() error {
	if !g.heap.Unlinked {
		for _, w := range g.workers { // what they lost last is said when they close
			if w.owned && !w.closed && !w.process.Dead() {
				w.close()
				w.closed = true
			}
		}
		r, err := g.open(g.world.Process("last", false))
		if err != nil {
			return fmt.Errorf("opening the ring for the last time: %w", err)
		}
		if err := r.drainRest(context.Background()); err != nil {
			return fmt.Errorf("draining for the last time: %w", err)
		}
		g.last = r
	}
	if len(g.said) > 0 {
		return fmt.Errorf("a reader said: %q", g.said)
	}
	tales, err := g.read()
	if err != nil {
		return err
	}
	for _, w := range g.workers {
		if err := w.judge(tales[w.name]); err != nil {
			return fmt.Errorf("worker %s: %w", w.name, err)
		}
	}
	if g.last == nil {
		return nil
	}
	return g.settled()
}

// settled says what the lanes still hold, or miscount.
func (g *rig) settled() error {
	c := g.last.consumer
	if in, err := c.Intent(); err != nil || in.State != 0 {
		return fmt.Errorf("the intent is %v, %w", in.State, err)
	}
	for i := range c.Ring().LaneCount {
		l, err := c.Lane(i)
		if err != nil {
			continue // never used
		}
		p, ok := l.Progress()
		end, _ := l.Produced()
		lost := l.Lost()
		owned := p.Consumer == end || c.State(i) == 0 // a claimant may have died before it was the owner
		if !ok || !owned || p.LostSeen != lost.Total() || p.Sequence != p.Delivered+p.LostSeen {
			return fmt.Errorf("lane %d is left as %+v (%v), its producer position is %d, its losses %d", i, p, ok, end, lost.Total())
		}
	}
	return nil
}

// read reads the output.
func (g *rig) read() (map[string]*tale, error) {
	tales := map[string]*tale{}
	for b := g.out.bytes; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[12:])
		if len(b) < lineHead || int(n) > len(b)-lineHead {
			return nil, fmt.Errorf("half a line at the output's end: %q", b)
		}
		name := string(b[2:3])
		t := tales[name]
		if t == nil {
			t = &tale{next: map[uint32]int{}, extra: map[uint32]int{}}
			tales[name] = t
		}
		seq := binary.LittleEndian.Uint32(b[4:])
		switch what := b[0]; what {
		case 'R':
			if err := g.record(t, name, seq, b[lineHead:lineHead+n]); err != nil {
				return nil, fmt.Errorf("worker %s, record %d: %w", name, seq, err)
			}
		case 'l':
			t.lost += uint64(binary.LittleEndian.Uint32(b[8:]))
		case 'v':
			t.vanished++
		case 't':
			t.torn++
		default:
			return nil, fmt.Errorf("worker %s: an event that begins with %q", name, what)
		}
		b = b[lineHead+n:]
	}
	return tales, nil
}

// record checks the payload of one record: whose it is, and that it comes next.
func (g *rig) record(t *tale, name string, seq uint32, p []byte) error {
	if len(p) < 8 {
		return fmt.Errorf("a payload of %d bytes", len(p))
	}
	first := binary.LittleEndian.Uint64(p)
	id, number, words := uint32(first>>40), uint32(first>>8), int(byte(first))
	var want [96]byte
	if string(payload(want[:], id, number, words)) != string(p) {
		return fmt.Errorf("its payload is torn or foreign: %x", p)
	}
	var a *author
	for _, w := range g.workers {
		if w.name == name {
			for _, o := range w.authors {
				if o.id == id {
					a = o
				}
			}
		}
	}
	if a == nil {
		return fmt.Errorf("its payload is author %#x's", id)
	}
	if t.records++; seq <= t.seq {
		return fmt.Errorf("its sequence number comes after %d", t.seq)
	}
	t.seq = seq
	switch i := t.next[id]; {
	case t.extra[id] > 0:
		return fmt.Errorf("author %#x's number %d comes after one that was not accepted", id, number)
	case i < len(a.accepted) && number == a.accepted[i].number:
		if t.lost < a.accepted[i].after {
			return fmt.Errorf("markers before it say %d lost, it came after %d", t.lost, a.accepted[i].after)
		}
		t.next[id]++
	case i == len(a.accepted) && a.writing && a.w.process.Dead() && number == a.tried+1:
		t.extra[id]++ // it died before it knew
	default:
		return fmt.Errorf("author %#x's number %d is not what comes next: it had %d accepted: %v", id, number, len(a.accepted), a.accepted)
	}
	return nil
}

// judge compares a worker with its tale.
func (w *simWorker) judge(t *tale) error {
	if t == nil {
		t = &tale{}
	}
	dead := w.process.Dead()
	var lost, losing, writing uint64
	for _, a := range w.authors {
		if n := t.next[a.id]; n != len(a.accepted) {
			return fmt.Errorf("author %#x: %d records of %d that were accepted: %v", a.id, n, len(a.accepted), a.accepted)
		}
		lost += a.lost
		if a.losing && dead {
			losing++
		}
		if a.writing && dead {
			writing++
		}
	}
	vanished := 0
	if dead && w.owned && !w.closed {
		vanished = 1
	}
	switch {
	case t.vanished != vanished:
		return fmt.Errorf("%d vanished lines, want %d (dead %v, owned %v, closed %v)", t.vanished, vanished, dead, w.owned, w.closed)
	case t.lost < lost || t.lost > lost+losing:
		return fmt.Errorf("markers say %d lost, it counted %d and was about to count %d", t.lost, lost, losing)
	case t.torn > int(writing):
		return fmt.Errorf("%d torn gaps, it was writing %d records when it died", t.torn, writing)
	case uint64(t.seq) > t.records+t.lost:
		return fmt.Errorf("the last sequence number is %d, of %d records and %d lost", t.seq, t.records, t.lost)
	}
	return nil
}
