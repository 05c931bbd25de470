//go:build linux

package reader

import (
	"math"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// rereadFor is how long a record whose stamp fits and whose checksum does not is
// read again in a live lane before it counts as damaged (C2).
const rereadFor = 100 * time.Millisecond

// stream follows one lane under one owner: it holds the next thing to deliver,
// and what the lane's progress will be when the batch at hand is published.
type stream struct {
	lane     *ring.Lane
	owner    ring.Owner
	timeline *ring.Timeline // of the owner's boot
	origin   *format.Origin
	// known is false if the lane's identity is damaged.
	known bool

	published ring.Progress // as the ring has it
	now       ring.Progress // as the batch at hand leaves it

	pos  uint64 // where to read on
	end  uint64 // producer position, as last seen
	tail uint64 // where the last record or gap that was read begins, or end
	gap  bool   // it was a gap

	// final: nobody writes the lane any more; it was closed, or its owner died
	// and we hold its lock (dead).
	final, dead bool
	// salvage holds the positions of the whole records of a lane whose own
	// positions are impossible; damaged says that this is such a lane.
	damaged bool
	salvage []uint64

	head     *ring.Item // the next thing to deliver, if have; the lane's, until its next read
	headTime int64      // Unix nanoseconds
	due      int64      // Unix nanoseconds: where the head, or the end, belongs among the heads of other lanes
	have     bool

	// What lies below position aged was there at agedAt, at least a grace period
	// ago; what lies below aging was there at agingAt.
	aged, aging     uint64
	agedAt, agingAt time.Time

	lastTime int64     // of the last record delivered, for gaps, which have none
	bad      badRecord // what is being read again
	stuck    bool      // a damaged record in a live lane leads nowhere
	parting  bool      // the lane's end is merged by its own time
	ended    bool      // what belongs at the lane's end is in the batch
	tried    time.Time // when the lane's lock was last tried
}

// badRecord is a record of a live lane whose checksum does not hold yet.
type badRecord struct {
	pos   uint64
	since time.Time
}

// newStream begins to follow lane l under its present owner. ok is false if the
// lane's progress is damaged.
func newStream(l *ring.Lane, c *ring.Consumer) (s *stream, ok bool) {
	s = &stream{lane: l}
	s.owner, s.known = l.Owner()
	s.published, ok = l.Progress()
	s.now, s.pos = s.published, s.published.Consumer
	s.timeline = c.Timeline(s.owner.BootID)
	s.lastTime = s.owner.Attached
	s.origin = &format.Origin{Worker: s.owner.Label, PID: s.owner.PID, Ring: c.Ring().ID, Lane: l.Index}
	return s, ok
}

// advance reads on until there is something to deliver or nothing more to read.
func (s *stream) advance(now time.Time) {
	if s.damaged {
		s.advanceSalvage(now)
		return
	}
	s.have = false
	for !s.have {
		it := s.lane.Read(s.pos, s.end, s.final)
		switch it.Outcome {
		case ring.OutcomeRecord:
			if it.Kind == ring.KindOwner {
				s.pos = it.Next
				continue
			}
			s.setHead(it, s.timeline.UnixNano(&s.owner.Clock, it.Time), now)
		case ring.OutcomeDamaged:
			if !s.final && !s.believe(it, now) {
				return
			}
			s.setHead(it, s.lastTime, now)
		case ring.OutcomeTorn:
			s.setHead(it, s.lastTime, now)
		default: // end, not yet
			if s.pos = it.Next; !s.gap {
				s.tail = s.pos
			}
			s.now.Consumer = s.pos
			return
		}
	}
}

func (s *stream) setHead(it *ring.Item, unix int64, now time.Time) {
	s.head, s.headTime, s.have = it, unix, true
	s.tail, s.gap = it.Position, it.Outcome != ring.OutcomeRecord
	s.due = max(0, min(unix, s.seen(it.Position, now)))
	s.pos = it.Next
	s.now.Consumer = it.Position // owner records, padding and aborted records before it are done with
}

// believe says whether a damaged record in a live lane is to be reported. A
// writer on a machine with weak memory order may show its stores late, so it is
// read again for a while; and without a stamp behind it nothing says where the
// next record begins, so then the lane waits for its owner's end (C2).
func (s *stream) believe(it *ring.Item, now time.Time) bool {
	s.now.Consumer, s.pos = it.Position, it.Position
	if !s.rereading() {
		s.bad = badRecord{pos: it.Position, since: now}
	}
	if now.Sub(s.bad.since) < rereadFor {
		return false
	}
	s.stuck = it.Next == 0
	return !s.stuck
}

// rereading says that the next thing to read is a damaged record, which has its
// time to become whole.
func (s *stream) rereading() bool { return !s.bad.since.IsZero() && s.bad.pos == s.pos }

// advanceSalvage takes the next whole record of a damaged lane.
func (s *stream) advanceSalvage(now time.Time) {
	s.have = false
	for len(s.salvage) > 0 && !s.have {
		pos := s.salvage[0]
		s.salvage = s.salvage[1:]
		if s.lane.Aged() && pos >= s.end && !s.adjoins(pos) {
			// An owner record may have been in between.
			s.attribute(ring.Owner{Label: "unknown", Clock: s.owner.Clock})
		}
		it, ok := s.lane.At(pos)
		s.pos = max(s.pos, it.Next)
		switch {
		case ok && it.Kind == ring.KindOwner:
			s.adopt(it.Payload)
		case ok:
			s.setHead(&it, s.timeline.UnixNano(&s.owner.Clock, it.Time), now)
		}
	}
}

// adopt takes the owner record that lies before the next records of a damaged lane
// for what it says: the lane's entry may be an earlier owner's, if it is older than the
// memory (C7).
func (s *stream) adopt(payload []byte) {
	if o, ok := ring.ReadOwner(payload); ok && o.Generation != s.owner.Generation {
		s.lastTime = o.Attached
		s.attribute(o)
	}
}

// attribute takes the records that follow for o's.
func (s *stream) attribute(o ring.Owner) {
	s.owner.Clock = o.Clock
	s.owner.BeginSequence, s.owner.BeginDelivered, s.owner.BeginTorn = s.now.Sequence, s.now.Delivered, s.now.Torn
	s.origin = &format.Origin{Worker: o.Label, PID: o.PID, Ring: s.origin.Ring, Lane: s.origin.Lane}
}

// adjoins says that nothing but padding and aborted records lies between the salvaged
// record before, or where the lane's entry says that it ends, and that at pos.
func (s *stream) adjoins(pos uint64) bool {
	from := max(s.pos, s.end)
	return s.lane.Readable(from, pos) && s.lane.Final(from, pos).Outcome == ring.OutcomeEnd
}

// startSalvage gives up the lane's positions: every whole record from position
// from on is to be delivered, wherever it lies.
func (s *stream) startSalvage(from uint64) {
	s.damaged, s.final, s.have = true, true, false
	s.now.Consumer, s.pos = from, from
	s.now.Damaged++
	s.salvage = s.lane.Salvage(from)
}

// deliver counts the head as delivered and returns its line's sequence number.
func (s *stream) deliver() uint64 {
	s.now.Sequence++
	s.now.Delivered++
	s.now.Consumer = s.head.Next
	s.lastTime = s.headTime
	return s.now.Sequence - s.owner.BeginSequence
}

// newlyLost returns how many records were lost by policy before the head, or, for
// the end of a final lane, in all, and have no marker yet.
func (s *stream) newlyLost() uint64 {
	total := s.now.LostSeen
	if s.have {
		if s.head.Outcome == ring.OutcomeRecord {
			total = s.lane.Extend(s.head.Lost, s.now.LostSeen)
		}
	} else {
		lost := s.lane.Lost()
		total = max(total, lost.Total())
	}
	n := total - s.now.LostSeen
	s.now.LostSeen = total
	s.now.Sequence += n
	return n
}

// age notes how far the lane has been written now, and how far it was a grace
// period ago.
func (s *stream) age(now time.Time, grace time.Duration) {
	if s.agingAt.IsZero() || now.Sub(s.agingAt) >= grace {
		s.aged, s.agedAt = s.aging, s.agingAt
		s.aging, s.agingAt = s.end, now
	}
}

// seen is when the record at pos was there, as far as is known, in Unix
// nanoseconds. No record is due later than that: when the wall clock is set back,
// the records of all who attached before lie in the future, and would wait, and
// let every record of the others pass, until it has caught up. A damaged lane has
// no order worth waiting for.
func (s *stream) seen(pos uint64, now time.Time) int64 {
	switch {
	case s.damaged:
		return 0
	case pos < s.aged:
		return s.agedAt.UnixNano()
	}
	return now.UnixNano()
}

// hasEarlier says that the lane may yet show a record from before the reader looked at it:
// behind a claim that is not committed; or because its owner reads the clock before it
// claims, as Python does, and may be stopped in between for as long as its other threads
// like. Others read it afterwards, so that what they claim after a look is later than that.
func (s *stream) hasEarlier() bool {
	return !s.have && s.pos < s.end || !s.final && s.owner.Clock.Kind == ring.ClockUnix
}

// drained says that a final lane has nothing more to deliver.
func (s *stream) drained() bool {
	if s.damaged {
		return !s.have && len(s.salvage) == 0
	}
	return s.final && !s.have && s.pos == s.end
}

// parts says that the lane's end is a matter of its own in the merge: no record comes any
// more after which it could be said, but the records of others may belong before it. Where
// there is nothing to say nothing may wait: others may claim the lane once all of it is
// published. And a damaged lane has no order worth waiting for.
func (s *stream) parts() bool {
	if s.parting || s.damaged || !s.drained() {
		return s.parting
	}
	if lost := s.lane.Lost(); s.dead || lost.Total() > s.now.LostSeen {
		s.parting, s.headTime, s.due = true, s.lastTime, max(0, s.lastTime)
	}
	return s.parting
}

// hiding says that whole records lie behind the end of a final lane, or in a gap at
// its end. The owner moved the producer position before it wrote them (W1), so
// then the position is damaged.
func (s *stream) hiding() bool {
	return !s.damaged && (s.lane.Behind(s.end) || s.gap && len(s.lane.Salvage(s.tail)) > 0)
}

// changed says that there is something to publish.
func (s *stream) changed() bool { return s.now != s.published || s.dead || s.damaged }

// line fills in the head's line, but for its number.
func (s *stream) line(l *format.Line) {
	it := s.head
	l.Time, l.Level, l.Origin, l.Position = s.headTime, record.Level(it.Level), s.origin, it.Position
	// A payload that does not parse passed its checksum, so its writer meant it: it is
	// shown as it is.
	if it.Kind != ring.KindLog || record.DecodeInto(&l.Record, it.Payload) != nil {
		l.Record = record.Raw(it.Payload)
	}
}

// horizonNone lets every record through.
const horizonNone = int64(math.MaxInt64)
