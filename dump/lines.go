package dump

import (
	"bytes"
	"iter"
	"slices"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// keep bounds, in bytes, the lane copies that are kept from Scan for Lines, and
// what a page holds of other lanes.
const keep = 128 << 20

// Line is a record, or a marker of what is missing.
type Line struct {
	format.Line
	Marker *marker.Marker // what Line was made of; nil for a record
}

// Lines yields every line in order. A line is valid until the next one.
//
// Records of lanes that were too many to be kept are read again. Those that a
// reader has taken meanwhile are among Issues afterwards.
func (d *Dump) Lines() iter.Seq[*Line] {
	return func(yield func(*Line) bool) {
		for rest := d.index; len(rest) > 0; {
			p := d.page(rest)
			rest = rest[len(p.entries):]
			for i := range p.entries {
				if l, ok := d.line(p, i); ok && !yield(l) {
					return
				}
			}
		}
	}
}

// page is a part of the index with the records that are not in kept copies.
type page struct {
	entries []entry
	items   []ring.Item // for each entry; Outcome is 0 if it is elsewhere, or gone
}

// itemCost is what a record takes in a page besides its payload, about.
const itemCost = 128

// page loads the first records of rest: as many as fit.
func (d *Dump) page(rest []entry) *page {
	n, cost := 0, uint64(0)
	again := map[int][]int{} // by lane that is not kept: indices in rest
	for ; n < len(rest) && cost < keep; n++ {
		e := &rest[n]
		lane := d.origins[e.origin].Lane
		if e.pos&markerBit == 0 && d.copies[lane] == nil {
			again[lane] = append(again[lane], n)
			cost += uint64(e.size) + itemCost
		}
	}
	p := &page{entries: rest[:n]}
	if len(again) > 0 {
		p.items = make([]ring.Item, n)
	}
	for lane, indices := range again {
		d.reread(p, lane, indices)
	}
	return p
}

// reread fills in the records of one lane.
func (d *Dump) reread(p *page, lane int, indices []int) {
	c, ok, err := d.in.CopyLane(lane)
	if err != nil {
		d.issues = append(d.issues, Issue{Kind: Damaged, Lane: lane, Cause: err.Error()})
		return
	}
	for _, i := range indices {
		if !ok {
			return
		}
		if it, whole := c.At(p.entries[i].pos); whole {
			it.Payload = bytes.Clone(it.Payload)
			p.items[i] = it
		}
	}
}

// line makes the line of entry i of the page. ok is false if the record is gone.
func (d *Dump) line(p *page, i int) (*Line, bool) {
	e := &p.entries[i]
	if e.pos&markerBit != 0 {
		m := &d.markers[e.seq]
		return &Line{m.Line, m}, true
	}
	origin := d.origins[e.origin]
	var it ring.Item
	ok := true
	if kept := d.copies[origin.Lane]; kept != nil {
		it, ok = kept.At(e.pos)
	} else {
		it = p.items[i]
		ok = it.Outcome == ring.OutcomeRecord
	}
	if !ok {
		d.overrun(origin.Lane, e)
		return nil, false
	}
	return &Line{Line: format.Line{
		Time: e.time, Level: record.Level(it.Level), Record: decode(&it),
		Origin: origin, Seq: e.seq, Position: e.pos,
	}}, true
}

// decode reads the payload as what its kind says. One that does not parse passed
// its checksum, so its writer meant it: it is shown as it is.
func decode(it *ring.Item) record.Record {
	if it.Kind == ring.KindLog {
		if r, err := record.Decode(it.Payload); err == nil {
			return r
		}
	}
	return record.Raw(it.Payload)
}

// overrun reports a record that is gone; many of one lane are one issue.
func (d *Dump) overrun(lane int, e *entry) {
	i := slices.IndexFunc(d.issues, func(i Issue) bool { return i.Kind == Overrun && i.Lane == lane })
	if i < 0 {
		i = len(d.issues)
		d.issues = append(d.issues, Issue{Kind: Overrun, Lane: lane, Position: e.pos, Cause: "records that were drained or overwritten while they were read; size without headers"})
	}
	d.issues[i].Position = min(d.issues[i].Position, e.pos)
	d.issues[i].Size += uint64(e.size)
}
