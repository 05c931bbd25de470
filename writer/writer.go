package writer

import (
	"io"
	"sync/atomic"

	"github.com/ringlog/ringlog/record"
)

// Writer appends the records of one process. All methods may be called
// concurrently, by any number of goroutines.
type Writer struct {
	// sink is a concrete type for each system, not an interface: an indirect call
	// would make every argument escape to the heap. It is nil only in the
	// process's own writer, while that has no ring.
	sink atomic.Pointer[sink]
	home *home // of the process's own writer: how it finds its ring; else nil
}

// Open attaches to the ring at path, or where path is empty, to the one that the
// environment variable RINGLOG_RING names. The Writer has a lane of the ring to
// itself until Close or the end of the process.
//
// Errors are listed at ErrNoRing. On systems other than Linux, path is ignored
// and only invalid options are an error.
func Open(path string, o Options) (*Writer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := openSink(path, o)
	if err != nil {
		return nil, err
	}
	w := new(Writer)
	w.sink.Store(s)
	return w, nil
}

// short is the payload in bytes up to which a record is encoded in one pass: on
// the stack, and then copied. That takes two thirds of the time of sizing it first,
// and leaves less to do between claim and commit.
const short = 256

// scratch is room on the stack for such a payload. It begins at a multiple of 8 bytes: where
// the compiler would put an array of bytes, words lie in two lines of the cache, which
// takes a tenth of a call.
type scratch struct {
	_       [0]uint64
	payload [short]byte
}

// Append appends a raw record: p is the message, byte for byte. p is not kept.
//
// Errors: ErrFull, ErrTimeout, ErrNoReader, ErrTooLarge, ErrClosed.
func (w *Writer) Append(level record.Level, p []byte) error {
	if s := w.sink.Load(); s != nil {
		err := s.appendNow(level, p)
		if err == nil {
			return nil
		}
		if err = s.appendLate(err, level, p); err != ErrClosed || w.home == nil {
			return err
		}
	}
	return w.appendElsewhere(level, p)
}

// Log appends a log record. e is encoded into the ring; attributes that are not
// plain are asked what they are first, as record.Entry.Prepared says. e is not kept, and
// must not change before Log returns.
//
// Errors: those of Append, ErrAborted, record.ErrTooLong.
func (w *Writer) Log(level record.Level, e *record.Entry) error {
	if s := w.sink.Load(); s != nil {
		if err := s.log(level, e); err != ErrClosed || w.home == nil {
			return err
		}
	}
	return w.logElsewhere(level, e)
}

// Write appends p as one raw record at INFO, less the one newline that loggers
// put at the end. It returns len(p) if the record was accepted; else 0 and an
// error of Append.
func (w *Writer) Write(p []byte) (int, error) { return w.write(record.LevelInfo, p) }

// At returns what Write is, at the given level. It may be used as long as w, and
// by any number of goroutines.
func (w *Writer) At(level record.Level) io.Writer { return levelWriter{w, level} }

type levelWriter struct {
	w     *Writer
	level record.Level
}

func (l levelWriter) Write(p []byte) (int, error) { return l.w.write(l.level, p) }

func (w *Writer) write(level record.Level, p []byte) (int, error) {
	message := p
	if n := len(p); n > 0 && p[n-1] == '\n' {
		message = p[:n-1]
	}
	if err := w.Append(level, message); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Sync makes a Writer what zap calls a WriteSyncer. It does nothing: a record that
// was accepted needs no flush.
func (w *Writer) Sync() error { return nil }

// Stats returns what w knows of itself. It may be called after Close.
func (w *Writer) Stats() Stats {
	if w.home != nil {
		return w.statsOverall()
	}
	return w.sink.Load().stats()
}

// Close ends the lane; what was accepted stays for the reader. Appends fail with
// ErrClosed from now on, those that wait for room return at once. Harmless when
// called twice. (The process's own writer writes to standard error from now on.)
//
// It fails if an append of another goroutine does not end within two seconds;
// the lane is then kept until the process ends, and nothing accepted is lost.
func (w *Writer) Close() error {
	if w.home != nil {
		return w.leave(true)
	}
	return w.sink.Load().close()
}
