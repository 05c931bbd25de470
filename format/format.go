// Package format turns records into lines of log files: text in the layouts of Python's
// logging, logfmt, JSON with several sets of names, or messages alone. [New] makes a
// formatter and says which there are. The drain and ringdump share them, so that a record
// reads the same from either.
//
// Records come from untrusted memory and say what anybody logged, so no formatter
// but [Raw] lets a record forge the start of another record's line or reach a
// terminal with control characters, and the length of a line is bounded by that of
// its record, and by the layout.
package format

import (
	"github.com/ringlog/ringlog/record"
)

// Line is what is known of one record when it is formatted.
type Line struct {
	Time     int64         // Unix nanoseconds of the append; the record's own time, if it has one, is shown instead
	Level    record.Level  // as the ring stores it; the record's own level, if it has one, is shown instead
	Record   record.Record // decoded or raw
	Origin   *Origin       // who logged it, shared by all lines of a lane's owner; nil only for Raw and for Text in its default layout
	Seq      uint64        // number of the record among its owner's, from 1
	Position uint64        // of the record in its lane, in bytes

	// Event is what the line reports, for a line that ringlog itself writes under
	// the logger OwnLogger; empty for a record. Formats show it in a way that no
	// record can copy.
	Event string
}

// Formatter appends lines to buffers. One goroutine at a time may use a Formatter:
// some keep what they can use again. A formatter keeps nothing of a Line, and fails
// for none.
type Formatter interface {
	// Append appends l's text to dst, ending in a newline, and returns the result.
	// It allocates nothing but room in dst.
	Append(dst []byte, l *Line) []byte
}

// Raw writes a record's message as it is, and a newline. It promises nothing about
// what the message contains.
type Raw struct{}

// Append implements [Formatter].
func (Raw) Append(dst []byte, l *Line) []byte {
	return append(append(dst, l.Record.Message()...), '\n')
}

// time returns the time to show, in Unix nanoseconds.
func (l *Line) time() int64 {
	if own, ok := l.Record.Time(); ok {
		return own
	}
	return l.Time
}
