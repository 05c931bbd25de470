package writer

import (
	"sync/atomic"

	"github.com/ringlog/ringlog/record"
)

// NoLane is Stats.Lane of a Writer that has no ring.
const NoLane = -1

// Stats is what a Writer knows of itself. What was accepted is not counted: the
// hot path would pay for it, and the reader knows.
type Stats struct {
	Lane    int    // index of the lane in the ring, or NoLane
	Backlog uint64 // bytes in the lane that are not drained yet; 0 once closed
	Lost    Lost
}

// Lost is how many records this Writer did not accept, by reason.
type Lost struct {
	Full     Bands // ErrFull
	Timeout  Bands // ErrTimeout
	NoReader Bands // ErrNoReader
	TooLarge Bands // ErrTooLarge, record.ErrTooLong
	Aborted  Bands // ErrAborted
}

// plus is the sum of both.
func (l Lost) plus(m Lost) Lost {
	return Lost{
		Full: l.Full.plus(m.Full), Timeout: l.Timeout.plus(m.Timeout), NoReader: l.NoReader.plus(m.NoReader),
		TooLarge: l.TooLarge.plus(m.TooLarge), Aborted: l.Aborted.plus(m.Aborted),
	}
}

func (b Bands) plus(c Bands) Bands { return Bands{b.Below + c.Below, b.Above + c.Above} }

// Total is the number of records over all reasons and bands.
func (l Lost) Total() uint64 {
	return l.Full.Total() + l.Timeout.Total() + l.NoReader.Total() + l.TooLarge.Total() + l.Aborted.Total()
}

// Bands is a number of records on either side of WARNING.
type Bands struct {
	Below uint64 // below WARNING
	Above uint64 // WARNING and above
}

// Total is the number in both bands.
func (b Bands) Total() uint64 { return b.Below + b.Above }

// reason is why a record was lost.
type reason uint8

const (
	reasonFull reason = iota
	reasonTimeout
	reasonNoReader
	reasonTooLarge
	reasonAborted
	reasonCount
)

// counters are the losses of one Writer.
type counters [reasonCount]struct{ below, above atomic.Uint64 }

func (c *counters) add(r reason, level record.Level) {
	if level >= record.LevelWarning {
		c[r].above.Add(1)
	} else {
		c[r].below.Add(1)
	}
}

func (c *counters) lost() Lost {
	of := func(r reason) Bands { return Bands{Below: c[r].below.Load(), Above: c[r].above.Load()} }
	return Lost{
		Full:     of(reasonFull),
		Timeout:  of(reasonTimeout),
		NoReader: of(reasonNoReader),
		TooLarge: of(reasonTooLarge),
		Aborted:  of(reasonAborted),
	}
}
