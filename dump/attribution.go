package dump

import (
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
	"github.com/ringlog/ringlog/ring"
)

// attribution says of the records of one lane, in order, whose they are (C7), and
// counts them like the drain (C8).
type attribution struct {
	d     *Dump
	lane  *lane
	owner ring.Owner // the lane's last one
	known bool       // owner can be believed
	mine  bool       // records are owner's from here on

	origin   uint32
	clock    ring.Clock
	timeline *ring.Timeline // of the lane's last boot
	last     int64          // Unix nanoseconds of the record before
	now      ring.Progress  // as the drain would have it
}

// attribute puts the records at the given positions of l into the index, and
// markers where records were lost between them.
func (d *Dump) attribute(l *lane, positions []uint64) {
	a := attribution{d: d, lane: l, now: l.progress}
	if a.owner, a.known = l.Owner(); !a.known && l.state != ring.LaneFree && l.state != ring.LaneDamaged {
		d.report(l, Damaged, 0, 0, "its owner's description; records are shown with what is left of it")
	}
	a.timeline = d.in.Timeline(a.owner.BootID)
	a.unknown()
	for _, pos := range positions {
		if it, ok := l.At(pos); ok {
			a.take(&it)
		}
	}
	a.finish()
}

// unknown begins with records of an owner nobody knows: its owner record is
// drained or overwritten, or the lane's entry is damaged.
func (a *attribution) unknown() {
	o := ring.Owner{Label: "unknown", Clock: a.owner.Clock}
	if !a.known {
		// The owner record may still lie in drained memory.
		for _, pos := range a.lane.Salvage(0) {
			it, ok := a.lane.At(pos)
			if !ok || it.Kind != ring.KindOwner || a.lane.believed && pos > a.lane.progress.Consumer {
				continue
			}
			if found, ok := ring.ReadOwner(it.Payload); ok {
				o = found
			}
		}
	}
	// For earlier owners the clock is a guess: a lane's owners run on one machine,
	// mostly in one boot.
	a.use(o)
}

// use attributes what follows to o.
func (a *attribution) use(o ring.Owner) {
	a.clock, a.last = o.Clock, o.Attached
	a.origin = uint32(len(a.d.origins))
	a.d.origins = append(a.d.origins, &format.Origin{
		Worker: o.Label, PID: o.PID, Ring: a.d.in.Ring().ID, Lane: a.lane.Index,
	})
}

func (a *attribution) take(it *ring.Item) {
	if a.known && !a.mine && it.Position >= a.owner.Begin {
		a.mine = true
		a.use(a.owner)
	}
	if it.Kind == ring.KindOwner {
		// The lane's entry says more of its last owner than the owner record.
		if o, ok := ring.ReadOwner(it.Payload); ok && !a.mine {
			a.use(o)
		}
		return
	}
	e := entry{
		time: a.timeline.UnixNano(&a.clock, it.Time), pos: it.Position,
		origin: a.origin, size: uint32(len(it.Payload)),
	}
	if a.lane.believed && it.Position >= a.lane.progress.Consumer {
		if total := a.lane.Extend(it.Lost, a.now.LostSeen); total > a.now.LostSeen {
			a.mark(total, it.Position, e.time)
		}
		a.now.Sequence++
		e.seq = a.seq()
	}
	a.last = e.time
	a.d.index = append(a.d.index, e)
}

// seq is the number reached among the present owner's records; 0: unknown.
func (a *attribution) seq() uint64 {
	if !a.mine {
		return 0
	}
	return a.now.Sequence - a.owner.BeginSequence
}

// mark says that the lane's losses reach total before the record at pos.
func (a *attribution) mark(total, pos uint64, unix int64) {
	n := total - a.now.LostSeen
	a.now.LostSeen = total
	a.now.Sequence += n
	lost := a.lane.Lost()
	m := marker.Lost(marker.Place{
		Origin: a.d.origins[a.origin], Time: a.last, Seq: a.seq(), Position: pos,
	}, n, lost.Since(a.owner.BeginLost))
	a.d.index = append(a.d.index, entry{
		time: unix, pos: pos | markerBit, seq: uint64(len(a.d.markers)), origin: a.origin,
	})
	a.d.markers = append(a.d.markers, m)
}

// finish marks what was lost after the last record. Of a living owner that is not
// final.
func (a *attribution) finish() {
	l := a.lane
	if !l.believed || l.held || l.state != ring.LaneOwned && l.state != ring.LaneClosed {
		return
	}
	lost := l.Lost()
	if total := lost.Total(); total > a.now.LostSeen {
		if a.known && !a.mine {
			a.mine = true
			a.use(a.owner)
		}
		a.mark(total, l.producer&^7, a.last)
	}
}
