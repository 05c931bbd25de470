//go:build linux

package reader

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/selector"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// output is an open Output with the lines of the batch at hand.
type output struct {
	Output
	selector selector.Selector
	format   format.Formatter
	buf      []byte

	file *logfile.File // nil for a pipe
	pipe sink          // nil for a file

	before  int64 // size of the file before the batch
	written int   // bytes of buf that are in the file
	shared  bool  // somebody else writes to the file; that was said
	stale   bool  // the path is to be opened again: its file was renamed, removed, cut off or not synced
	part    int   // which output of the batch it is

	writing, rotating, pruning, syncing trouble
}

// openOutput opens o. It ends half a line that an earlier user of the file left,
// and says so through say (D3). What a file is wrong with is an *OutputError.
func openOutput(o Output, loc *time.Location, keep int, say func(string, ...any)) (*output, error) {
	f, err := format.Parse(cmpOr(o.Format, "text"), loc)
	if err != nil {
		return nil, err
	}
	out := &output{
		Output: o, format: f, selector: selector.Selector{Logger: o.Logger, Attrs: o.Attrs},
		writing:  trouble{what: "output", of: o.Path, advice: "records wait in the ring until it is over"},
		rotating: trouble{what: "rotation", of: o.Path, advice: "the file in use grows until it is over"},
		pruning:  trouble{what: "pruning", of: o.Path, advice: "rotated files stay until it is over"},
		syncing:  trouble{what: "sync", of: o.Path, advice: "a power loss may cost what was written since the last one"},
	}
	if o.Path == "-" {
		out.pipe, err = openPipe(o.Path)
		return out, err
	}
	switch file, err := logfile.Open(o.Path, logfile.Options{Keep: keep}); {
	case err == nil:
		out.file = file
	case errors.Is(err, logfile.ErrNotRegular):
		st, statErr := os.Stat(o.Path)
		if statErr != nil {
			return nil, &OutputError{o.Path, err}
		}
		if st.IsDir() {
			return nil, &OutputError{o.Path, fmt.Errorf("%w: it is a directory; name a file in it", logfile.ErrNotRegular)}
		}
		if out.pipe, err = openPipe(o.Path); err != nil {
			return nil, err
		}
		return out, nil
	default:
		return nil, &OutputError{o.Path, err}
	}
	if err := out.endPartialLine(say); err != nil {
		out.close()
		return nil, &OutputError{o.Path, err}
	}
	return out, nil
}

func cmpOr(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func (o *output) endPartialLine(say func(string, ...any)) error {
	ended, err := o.file.EndPartialLine()
	if ended {
		say("%s ended in half a line, which is now ended", o.file.Path())
	}
	return err
}

// takesMarkers says whether o is a place for the reader's own lines. Raw outputs
// hold the workers' bytes and nothing else.
func (o *output) takesMarkers() bool { return o.selector.Empty() && o.Format != "raw" }

// full says that the batch should end here, because it makes the file due for
// rotation. A file that was due before the batch, and could not be rotated, goes
// on growing.
func (o *output) full(maxSize int64) bool {
	return o.file != nil && o.before < maxSize && o.before+int64(len(o.buf)) >= maxSize
}

// begin empties the buffer for a new batch and notes the file's size.
func (o *output) begin() (err error) {
	o.buf, o.written = o.buf[:0], 0
	if o.file != nil {
		o.before, err = o.file.Size()
	}
	return err
}

// writeRest writes what is missing of the batch, piece by piece. window is told
// each piece before it is begun.
func (o *output) writeRest(window func(piece int, p []byte)) error {
	for o.written < len(o.buf) {
		piece := o.written / logfile.PieceSize
		start := piece * logfile.PieceSize
		end := min(start+logfile.PieceSize, len(o.buf))
		// Once is enough, and must be: while the window is replaced nothing vouches
		// for a part of this piece that a full disk left in the file.
		if o.written == start {
			window(piece, o.buf[start:end])
		}
		n, err := o.file.Write(o.buf[o.written:end])
		o.written += n
		if err != nil {
			return err
		}
	}
	return nil
}

// inPiece says that a piece of the batch is in the file in part.
func (o *output) inPiece() bool {
	return !o.stale && o.written < len(o.buf) && o.written%logfile.PieceSize != 0
}

// reopen opens the path again, for the whole of what is in the buffer. On an
// error o stays stale.
func (o *output) reopen(keep int, say func(string, ...any)) error {
	failpoint.Hit(failpoint.DrainReopen)
	o.stale = true
	o.file.Close() // first: its lock would keep us out too, if the path still names it
	file, err := logfile.Open(o.Path, logfile.Options{Keep: keep})
	if err != nil {
		return err
	}
	o.file = file
	if err := o.endPartialLine(say); err != nil {
		return err
	}
	if o.before, err = file.Size(); err != nil {
		return err
	}
	o.stale, o.written = false, 0
	return nil
}

func (o *output) close() error {
	if o.file != nil {
		return o.file.Close()
	}
	return o.pipe.close()
}
