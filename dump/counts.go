package dump

import (
	"cmp"
	"maps"
	"slices"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// Count is the number of records that have something in common.
type Count[K any] struct {
	Key     K
	Records uint64
	Lost    uint64 // marked as missing among them; only known by worker
}

// Counts counts the records of a Dump.
type Counts struct {
	Records, Lost uint64
	First, Last   int64 // Unix nanoseconds; 0 if there is no record

	workers map[*format.Origin]*Count[*format.Origin]
	loggers map[string]uint64
	levels  map[record.Level]uint64
}

// Count goes through all lines of d.
func (d *Dump) Count() *Counts {
	c := &Counts{
		workers: map[*format.Origin]*Count[*format.Origin]{},
		loggers: map[string]uint64{}, levels: map[record.Level]uint64{},
	}
	for l := range d.Lines() {
		w := c.workers[l.Origin]
		if w == nil {
			w = &Count[*format.Origin]{Key: l.Origin}
			c.workers[l.Origin] = w
		}
		if l.Marker != nil {
			w.Lost += l.Marker.Lost
			c.Lost += l.Marker.Lost
			continue
		}
		if c.Records == 0 {
			c.First = l.Time
		}
		c.Records++
		c.Last = l.Time
		w.Records++
		c.loggers[string(l.Record.Logger())]++
		c.levels[l.Level]++
	}
	return c
}

// Workers are the counts by worker, in order of lanes.
func (c *Counts) Workers() []Count[*format.Origin] {
	var list []Count[*format.Origin]
	for _, w := range c.workers {
		list = append(list, *w)
	}
	slices.SortFunc(list, func(a, b Count[*format.Origin]) int {
		return cmp.Or(cmp.Compare(a.Key.Lane, b.Key.Lane), cmp.Compare(a.Key.PID, b.Key.PID), cmp.Compare(a.Key.Worker, b.Key.Worker))
	})
	return list
}

// Loggers are the counts by logger, in order of names; raw records have none.
func (c *Counts) Loggers() []Count[string] { return sorted(c.loggers) }

// Levels are the counts by level, lowest first.
func (c *Counts) Levels() []Count[record.Level] { return sorted(c.levels) }

func sorted[K cmp.Ordered](m map[K]uint64) []Count[K] {
	var list []Count[K]
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Count[K]{Key: k, Records: m[k]})
	}
	return list
}
