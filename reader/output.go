//go:build linux

package reader

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ringlog/ringlog/logfile"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// output is an open place for lines, with those of the batch at hand.
type output struct {
	route *route // that opened it, and says when it is rotated
	path  string // as it is opened
	buf   []byte

	file *logfile.File // nil for a pipe, and for a file that cannot be opened
	pipe sink          // nil for a file

	joined   bool      // it may get bytes of the batch at hand
	used     uint64    // the batch that it last joined
	usedAt   time.Time // and when that began
	rotateAt time.Time // when the clock next rotates it; zero: never

	before  int64 // size of the file before the batch
	written int   // bytes of buf that are in the file; of the last batch's, until the next begins
	shared  bool  // somebody else writes to the file; that was said
	stale   bool  // the path is to be opened again: its file was renamed, removed, cut off or not synced
	part    int   // which output of the batch it is

	writing, rotating, syncing trouble
}

func newOutput(rt *route, path string) *output {
	failures := &rt.stats.Failures
	return &output{
		route: rt, path: path,
		writing:  trouble{what: "output", of: path, advice: "records wait in the ring until it is over", failures: failures},
		rotating: trouble{what: "rotation", of: path, advice: "the file in use grows until it is over", failures: failures},
		syncing:  trouble{what: "sync", of: path, advice: "a power loss may cost what was written since the last one", failures: failures},
	}
}

// openFixed opens the output of a path without fields. What it is wrong with is an
// *OutputError.
func (r *Reader) openFixed(rt *route) (*output, error) {
	o := newOutput(rt, rt.path)
	if rt.path == stdoutPath || rt.path == stderrPath {
		o.pipe = standard(rt.path)
		return o, nil
	}
	err := r.openFile(o)
	if errors.Is(err, logfile.ErrNotRegular) {
		if st, statErr := os.Stat(o.path); statErr == nil && st.IsDir() {
			return nil, &OutputError{o.path, fmt.Errorf("%w: it is a directory; name a file in it", logfile.ErrNotRegular)}
		}
		if o.pipe, err = openPipe(o.path); err != nil {
			return nil, err
		}
		return o, nil
	}
	if err != nil {
		return nil, &OutputError{o.path, errors.Join(err, o.close())}
	}
	return o, nil
}

// openFile opens o's file. It ends half a line that an earlier user of the file left, and
// says so (D3).
func (r *Reader) openFile(o *output) error {
	file, err := logfile.Open(o.path)
	if err != nil {
		return err
	}
	o.file, o.written = file, 0
	if err := o.endPartialLine(r.say); err != nil {
		return err
	}
	if o.before, err = file.Size(); err != nil {
		return err
	}
	o.stale = false
	for _, t := range []*trouble{&o.writing, &o.rotating, &o.syncing} {
		t.of = file.Path() // as the file's errors have it
	}
	return nil
}

func (o *output) endPartialLine(say func(string, ...any)) error {
	ended, err := o.file.EndPartialLine()
	if ended {
		say("%s ended in half a line, which is now ended", o.file.Path())
	}
	return err
}

// full says that the batch should end here, because it makes the file due for
// rotation. A file that was due before the batch, and could not be rotated, goes
// on growing.
func (o *output) full() bool {
	limit := o.route.Rotation.Size
	return o.file != nil && o.before < limit && o.before+int64(len(o.buf)) >= limit
}

// renameInstead is what to do about an output that somebody truncates.
const renameInstead = "lines that came after a copy was made are in neither file: rename the output and send ringlog SIGHUP, or use ringlog rotate, instead of copytruncate"

// beginOutput empties o's buffer for a new batch and notes the file's size. If that is less
// than the batch before left, it is said: those lines are out of the ring, and nobody writes
// them again.
func (r *Reader) beginOutput(o *output) (err error) {
	left := o.before + int64(o.written)
	o.buf, o.written = o.buf[:0], 0
	if o.file == nil || o.stale {
		return nil
	}
	if o.before, err = o.file.Size(); err == nil && o.before < left {
		cut := fmt.Errorf("%w: %s has %d bytes and had %d", logfile.ErrTruncated, o.file.Path(), o.before, left)
		r.say("%v; %s", cut, renameInstead)
		r.consumer.ReportError(cut)
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

// reopen opens o's path again, for the whole of what is in its buffer. On an error o
// stays stale. A file that could not be synced is let go of when that has worked, so
// that a disk which fails again and again gets no batch again and again.
func (r *Reader) reopen(o *output) error {
	if err := r.letGo(o); err != nil {
		return err
	}
	failpoint.Hit(failpoint.DrainReopen)
	o.stale = true
	// A path with fields may have come first to what is now at o's path. What the batch at
	// hand has for that must be in it, if there is a batch.
	if other := r.standing(o.path); other != nil && other != o && other.route.template != nil && (!r.prepared || other.written == len(other.buf)) {
		r.drop(other)
	}
	if o.file != nil {
		o.file.Close() // first: its lock would keep us out too, if the path still names it
		o.file = nil
	}
	if err := r.openFile(o); err != nil {
		return err
	}
	r.planRotation(o)
	return nil
}

func (o *output) close() error {
	switch {
	case o.pipe != nil:
		return o.pipe.close()
	case o.file != nil:
		return o.file.Close()
	}
	return nil
}
