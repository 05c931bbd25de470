package dump

import (
	"fmt"
	"slices"

	"github.com/ringlog/ringlog/ring"
)

// lane is a copy of one lane while it is scanned.
type lane struct {
	ring.Copy
	held     bool // its owner was alive before the copy was taken, or after
	state    ring.LaneState
	producer uint64 // when the copy was complete
	closed   bool

	progress ring.Progress
	// believed: the reader's words hold, and so do the counts taken from them.
	believed bool
}

// scanLane puts what is to be shown of lane i into the index.
func (d *Dump) scanLane(i int) error {
	l, ok, err := d.copyLane(i)
	if err != nil {
		return err
	}
	if !ok {
		if s := d.in.Entry(i).State(); s != ring.LaneFree {
			return fmt.Errorf("its state is %v, but it has no memory", s)
		}
		return nil
	}
	if l.Generation() == 0 && l.producer == 0 && l.state == ring.LaneFree {
		return nil // a claimant got no further than its memory
	}
	found := l.undrained(d)
	if d.opts.All {
		found = append(found, l.Salvage(0)...)
		if l.held {
			found = slices.DeleteFunc(found, func(p uint64) bool { return p >= l.To })
		}
	}
	slices.Sort(found)
	before := len(d.index)
	d.attribute(&l, slices.Compact(found))
	if size := l.Size(); len(d.index) > before && d.kept+size <= keep {
		d.copies[i] = l.Lane
		d.kept += size
	}
	return nil
}

// copyLane copies lane i. ok is false if there is nothing in it.
func (d *Dump) copyLane(i int) (l lane, ok bool, err error) {
	// The reader's words fail their checksum for an instant while they are
	// published; a copy taken just then is taken again.
	const tries = 3
	for range tries {
		l.held = d.in.Held(i)
		if l.Copy, ok, err = d.in.CopyLane(i); !ok || err != nil {
			return l, false, err
		}
		l.held = l.held || d.in.Held(i) // claimed meanwhile
		if l.progress, l.believed = l.Progress(); l.believed {
			break
		}
	}
	l.state = l.State()
	l.producer, l.closed = l.Produced()
	d.roll(&l)
	return l, true, nil
}

// roll carries out the lane side of an applied intent on the copy (D7).
func (d *Dump) roll(l *lane) {
	if d.intent.State != ring.IntentApplied {
		return
	}
	for _, c := range d.intent.Batch.Lanes {
		if c.Lane != l.Index || c.Generation != l.Generation() || l.believed && c.To.Consumer < l.progress.Consumer {
			continue
		}
		l.progress, l.believed = c.To, true
		if c.State == ring.LaneFree || c.State == ring.LaneDamaged {
			l.state = c.State
		}
	}
}

// undrained returns the positions of the records that no reader took, and reports
// what else lies between them.
func (l *lane) undrained(d *Dump) []uint64 {
	from := l.progress.Consumer
	switch l.state {
	case ring.LaneDamaged:
		return nil // salvaged and taken out of use by a reader
	case ring.LaneFree:
		if l.believed && l.producer-from <= ownerRoom {
			return nil // drained; a claimant may have died in it
		}
		d.report(l, Damaged, 0, 0, fmt.Sprintf("a free lane with consumer position %d and producer position %d", from, l.producer))
	case ring.LaneClosed:
		if !l.closed {
			d.report(l, Damaged, 0, 0, "closed, but its producer position is not")
		}
	case ring.LaneOwned:
		if !l.held {
			d.report(l, Vanished, 0, 0, "its owner ended without closing it")
		}
	default:
		d.report(l, Damaged, 0, 0, fmt.Sprintf("its state is %v", l.state))
	}
	if !l.believed {
		d.report(l, Damaged, 0, 0, "the reader's words fail their checksum; records may have been drained before")
		return l.Salvage(0)
	}
	if !l.Readable(from, l.producer) {
		d.report(l, Damaged, 0, 0, fmt.Sprintf("consumer position %d, producer position %d in a lane of %d bytes; its whole records are salvaged", from, l.producer, l.Size()))
		return l.Salvage(from)
	}
	found, whole := l.walk(d, from, min(l.To, l.producer))
	if !whole && !l.held {
		// Nobody writes here, so everything whole behind the consumer position is
		// a record, wherever damage would have led.
		found = append(found, l.Salvage(from)...)
	}
	return found
}

// ownerRoom bounds what a claimant that died leaves in a free lane: its owner
// record, and padding before it.
const ownerRoom = 2 * 128

// walk goes from record to record, and reports the gaps. whole is false if there
// is damage, so that more may lie there than it saw.
func (l *lane) walk(d *Dump, from, end uint64) (found []uint64, whole bool) {
	if from >= end {
		return nil, true // drained while the copy was taken
	}
	whole = true
	l.Rewind(from, end)
	for pos := from; ; {
		it := l.Final(pos, end)
		switch it.Outcome {
		case ring.OutcomeRecord:
			found = append(found, it.Position)
		case ring.OutcomeTorn:
			if l.held {
				d.report(l, InProgress, it.Position, it.Next-it.Position, "")
			} else if l.state == ring.LaneClosed {
				d.report(l, Damaged, it.Position, it.Next-it.Position, "unfinished in a lane that was closed")
				whole = false
			} else {
				d.report(l, Torn, it.Position, it.Next-it.Position, "")
			}
		case ring.OutcomeDamaged:
			d.report(l, Damaged, it.Position, it.Next-it.Position, it.Cause)
			whole = false
		default:
			if !l.held && l.Behind(end) {
				d.report(l, Damaged, 0, 0, fmt.Sprintf("records lie beyond the producer position %d; they are salvaged", end))
				whole = false
			}
			return found, whole
		}
		pos = it.Next
	}
}

func (d *Dump) report(l *lane, kind Kind, pos, size uint64, cause string) {
	if o, ok := l.Owner(); ok && cause != "" {
		cause = fmt.Sprintf("%s (worker %s, pid %d)", cause, o.Label, o.PID)
	}
	d.issues = append(d.issues, Issue{Kind: kind, Lane: l.Index, Position: pos, Size: size, Cause: cause})
}
