// Package marker makes the lines that ringlog itself writes into a log: what was
// lost, torn or damaged, and who vanished. The drain and ringdump share it, so
// that a gap reads the same from either.
package marker

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// Records lie at multiples of 8, so these make a marker's position, and with it
// its id, differ from that of the record or gap it belongs to.
const (
	lost     = 1
	gap      = 2
	vanished = 3
)

// Place is where in the log a marker stands.
type Place struct {
	Origin   *format.Origin // the worker whose lane it is
	Time     int64          // Unix nanoseconds of the record before
	Seq      uint64         // the sequence number reached
	Position uint64         // in the lane, of what the marker belongs to
}

// Marker is such a line.
type Marker struct {
	Line    format.Line
	Message string // the same as text, for where there is no log
	Lost    uint64 // how many records are missing here, for one of Lost
}

// Lost says that n records are missing here. Counts are the lane's losses under
// this owner so far: they name the reasons; how many for which is in ringlog stat.
func Lost(p Place, n uint64, counts ring.LossCounts) Marker {
	var reasons []string
	for reason := range counts.Reasons {
		reasons = append(reasons, reason.String())
	}
	noun := "records"
	if n == 1 {
		noun = "record"
	}
	m := p.marker(lost, "lost", fmt.Sprintf("lost %d %s (%s)", n, noun, strings.Join(reasons, ", ")),
		slog.Uint64("lost", n))
	m.Lost = n
	return m
}

// Gap says that it, which is torn or damaged, is no record.
func Gap(p Place, it *ring.Item) Marker {
	n := it.Next - it.Position
	event, text := "torn", fmt.Sprintf("torn: %d bytes at position %d were unfinished when their owner ended", n, it.Position)
	if it.Outcome == ring.OutcomeDamaged {
		event, text = "damaged", fmt.Sprintf("damaged: %d bytes at position %d (%s)", n, it.Position, it.Cause)
	}
	return p.marker(gap, event, text, slog.Uint64("position", it.Position), slog.Uint64("bytes", n))
}

// Vanished says that the owner ended without closing its lane, after so many
// records and torn gaps.
func Vanished(p Place, records, torn uint64) Marker {
	return p.marker(vanished, "vanished", "worker vanished without closing its lane",
		slog.Uint64("records", records), slog.Uint64("torn", torn))
}

// Damaged says that the lane's own positions are impossible.
func Damaged(p Place, cause string) Marker {
	return p.marker(gap, "damaged", fmt.Sprintf("damaged: %s; whole records of the lane follow, and it is out of use", cause))
}

func (p Place) marker(kind uint64, event, message string, attrs ...slog.Attr) Marker {
	who := []slog.Attr{
		slog.String("event", event), slog.String("worker", p.Origin.Worker),
		slog.Uint64("pid", p.Origin.PID), slog.Int("lane", p.Origin.Lane),
	}
	e := record.Entry{Logger: format.OwnLogger, Message: message, Attrs: append(who, attrs...)}
	m := Marker{
		Message: fmt.Sprintf("%s (worker %s, pid %d, lane %d)", message, p.Origin.Worker, p.Origin.PID, p.Origin.Lane),
		Line: format.Line{
			Time: p.Time, Level: record.LevelWarning, Origin: p.Origin, Seq: p.Seq,
			Position: p.Position | kind, Record: record.Raw([]byte(message)), Event: event,
		},
	}
	// Attributes of plain types and a short message always encode; were it
	// otherwise, the raw message would do.
	if n, err := e.Size(); err == nil {
		payload := make([]byte, n)
		if e.Encode(payload) == nil {
			if rec, err := record.Decode(payload); err == nil {
				m.Line.Record = rec
			}
		}
	}
	return m
}
