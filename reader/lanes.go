//go:build linux

package reader

import (
	"fmt"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// lockEvery is how often the lock of a lane whose owner is quiet is tried, to learn
// whether the owner is dead. One try is a system call of half a microsecond.
const lockEvery = 100 * time.Millisecond

// reapable says that the lock of s is to be tried again. The kernel looks through all locks
// of the ring for it, so that those of hundreds of owners are tried less often.
func (r *Reader) reapable(s *stream, now time.Time) bool {
	const owners = 64
	return now.Sub(s.tried) >= lockEvery*time.Duration(max(1, r.followed/owners))
}

// refresh brings stream i up to date with its lane: a new owner, a new end, the
// owner's death.
func (r *Reader) refresh(i int, now time.Time) error {
	s := r.streams[i]
	if r.frozen || s != nil && s.final {
		return nil // nobody writes the lane any more, or we do not want to know
	}
	state := r.consumer.State(i)
	if state == ring.LaneFree || state == ring.LaneDamaged {
		return nil
	}
	l, err := r.consumer.Lane(i)
	if err != nil {
		return r.damagedLane(i, err)
	}
	generation := l.Generation()
	if s == nil || s.owner.Generation != generation {
		if s, err = r.follow(l, state, generation); s == nil || err != nil {
			return err
		}
	}
	end, closed := l.Produced()
	lost := l.Lost()
	if l.Generation() != generation {
		return nil // claimed anew meanwhile: end and losses are that owner's, and its stream comes next
	}
	if closed && state == ring.LaneClosed {
		total := lost.Total()
		if s.published == s.now && s.published.Consumer == end && s.published.LostSeen == total {
			// Nothing is left of it, so a claimant may be at work already: from here on
			// its records and losses would pass for this owner's.
			r.streams[i] = nil
			return nil
		}
		if total < s.now.LostSeen {
			return r.impossible(s, end, fmt.Sprintf("%d losses counted, of which %d were seen", total, s.now.LostSeen))
		}
		return r.endOf(s, end)
	}
	// Closed means that the position says so too: its owner sets that first, and the
	// next one changes the generation before it.
	if state != ring.LaneOwned || !l.Readable(s.pos, end) {
		return r.impossible(s, end, fmt.Sprintf("state %v, consumer position %d, producer position %d in a lane of %d bytes", state, s.pos, end, l.Size()))
	}
	quiet := end == s.end && !s.have
	s.end = end
	if r.stopping || quiet && r.reapable(s, now) {
		return r.reap(s, now)
	}
	return nil
}

// follow begins a stream for the owner of the given generation, unless the lane
// changed hands in between or has nothing left of it. The latter is a closed lane
// in which all is drained: a claimant may be at work there.
func (r *Reader) follow(l *ring.Lane, state ring.LaneState, generation uint64) (*stream, error) {
	r.streams[l.Index] = nil
	// Once more, after the generation, which a claimant stores while the lane is free:
	// from here on OWNED is this owner's, who has said all about itself. What was seen
	// before may have been the former owner's OWNED.
	if l.State() != state {
		return nil, nil
	}
	p, ok := l.Progress()
	end, _ := l.Produced()
	if lost := l.Lost(); ok && state == ring.LaneClosed && p.Consumer == end && p.LostSeen == lost.Total() {
		return nil, nil
	}
	s, ok := newStream(l, r.consumer)
	if l.State() != state || l.Generation() != generation || s.owner.Generation != generation {
		return nil, nil // claimed meanwhile: the next look sees who has it
	}
	r.streams[l.Index] = s
	if r.met[l.Index] != generation {
		r.met[l.Index] = generation
		r.stats.Workers++
	}
	if !s.known {
		r.complain(s, "its owner's description is damaged; records are shown without it")
	}
	if !ok {
		return nil, r.impossible(s, end, "the reader's words fail their checksum")
	}
	return s, nil
}

// endOf makes s final: nobody writes its lane any more. end is where it ends.
func (r *Reader) endOf(s *stream, end uint64) error {
	if !s.lane.Readable(s.pos, end) {
		return r.impossible(s, end, fmt.Sprintf("consumer position %d, producer position %d in a lane of %d bytes", s.pos, end, s.lane.Size()))
	}
	s.final, s.end = true, end
	s.lane.Rewind(s.pos, end)
	return nil
}

// reap tries the lane's lock: with it in hand the owner is dead, if the lane is
// still owned, and its end is final (O2, C3). The lock is kept until the lane's
// fate is published.
func (r *Reader) reap(s *stream, now time.Time) error {
	s.tried = now
	ok, err := s.lane.TryLock()
	if !ok || err != nil {
		return err
	}
	if s.lane.State() != ring.LaneOwned || s.lane.Generation() != s.owner.Generation {
		return s.lane.Unlock() // closed at this moment; the next look sees it
	}
	s.dead = true
	end, _ := s.lane.Produced()
	return r.endOf(s, end)
}

// impossible gives up a lane whose words contradict each other: if its owner is
// gone, what is whole in it is salvaged; else it waits for the owner's end.
func (r *Reader) impossible(s *stream, end uint64, cause string) error {
	if !s.dead {
		ok, err := s.lane.TryLock()
		if err != nil {
			return err
		}
		if !ok {
			r.complain(s, cause+"; waiting for its owner to end")
			r.streams[s.lane.Index] = nil
			return nil
		}
		s.dead = true
	}
	r.complain(s, cause+"; its whole records are salvaged")
	// If not even the reader's words can be believed, records may come again.
	from := uint64(0)
	if _, ok := s.lane.Progress(); ok {
		from = s.now.Consumer
	}
	s.startSalvage(from)
	r.emitMarker(s.damagedMarker(cause))
	return nil
}

// damagedLane reports a lane that cannot even be looked at.
func (r *Reader) damagedLane(i int, err error) error {
	if r.reported[i] == 0 {
		r.reported[i] = 1
		r.say("%v", err)
		r.consumer.ReportError(err)
	}
	return nil
}

// complain reports damage of a lane, once for each owner.
func (r *Reader) complain(s *stream, cause string) {
	if r.reported[s.lane.Index] == s.owner.Generation {
		return
	}
	r.reported[s.lane.Index] = s.owner.Generation
	err := &ring.DamageError{Path: r.consumer.Path(), Lane: s.lane.Index, Position: s.pos, Cause: cause}
	r.say("%v", err)
	r.consumer.ReportError(err)
}

// finish adds what belongs at the end of a final lane: losses after its last
// record, and the end of a dead owner.
func (r *Reader) finish(s *stream) {
	if s.stuck {
		r.complain(s, "a damaged record leads nowhere; waiting for the lane's owner to end")
	}
	if !s.drained() || s.ended {
		return
	}
	s.ended = true
	if s.hiding() {
		cause := fmt.Sprintf("records lie beyond the producer position %d", s.end)
		r.complain(s, cause+"; they are salvaged")
		s.startSalvage(s.tail)
		r.emitMarker(s.damagedMarker(cause))
		s.ended = false
		return
	}
	if n := s.newlyLost(); n > 0 {
		r.emitMarker(s.lostMarker(n, s.now.Consumer))
	}
	if s.dead {
		r.emitMarker(s.vanishedMarker())
	}
}

// occupied says that some lane has an owner, or one that died and is not drained
// to its end yet.
func (r *Reader) occupied() bool {
	for i := range r.streams {
		if r.consumer.State(i) == ring.LaneOwned {
			r.attached = true
			return true
		}
	}
	return false
}

// detached says that no lane has an owner, everything is drained, and somebody
// was there.
func (r *Reader) detached() bool {
	return !r.occupied() && (r.attached || r.stats.Batches > 0)
}

// ready says whether there is something to do, now that the writers know that the
// reader is about to sleep.
func (r *Reader) ready() bool {
	for i, s := range r.streams {
		state := r.consumer.State(i)
		switch {
		case state == ring.LaneFree || state == ring.LaneDamaged:
		case s == nil:
			if r.unfollowed(i, state) {
				return true
			}
		case s.have || s.final || state == ring.LaneClosed:
			return true
		case r.consumer.Pending(i, s.end):
			return true
		case s.pos < s.end && !s.rereading():
			// A claim that was not yet committed when it was last looked at.
			if s.lane.Live(s.pos, s.end).Outcome != ring.OutcomeNotYet {
				return true
			}
		}
	}
	return false
}

// unfollowed says whether lane i, which has no stream, should have one.
func (r *Reader) unfollowed(i int, state ring.LaneState) bool {
	l, err := r.consumer.Lane(i)
	if err != nil || r.reported[i] == l.Generation() {
		return false // damaged; looked at after each sleep
	}
	p, _ := l.Progress()
	end, _ := l.Produced()
	lost := l.Lost()
	return state != ring.LaneClosed || p.Consumer != end || p.LostSeen != lost.Total()
}

// count adds what the batch at hand published of s to the statistics.
func (r *Reader) count(s *stream) {
	r.stats.Records += s.now.Delivered - s.published.Delivered
	r.stats.Lost += s.now.LostSeen - s.published.LostSeen
	r.stats.Torn += s.now.Torn - s.published.Torn
	r.stats.Damaged += s.now.Damaged - s.published.Damaged
	if s.dead && s.ended {
		r.stats.Vanished++
	}
}
