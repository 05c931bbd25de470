package writer

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer/internal/fallback"
)

// processWriter is the process's own writer.
var processWriter = newProcessWriter(os.Stderr)

func newProcessWriter(stderr io.Writer) *Writer {
	return &Writer{home: &home{stderr: stderr, printer: fallback.New(stderr)}}
}

// Default returns the process's own writer, which the loggers of [Logger] use. It
// attaches to the ring that RINGLOG_RING names, with default options, at the first
// record after the variable was set, or by [Attach]. While there is no ring, and
// always on systems other than Linux, its records go to standard error as lines of
// text: so a program runs unchanged with a ring and without.
func Default() *Writer { return processWriter }

// Attach attaches the process's own writer to the ring that RINGLOG_RING names, and
// returns it. It is the one call that a worker process has to make, and even that
// only to have options or to learn of errors. Close the Writer at the end of the
// process: else the log says that the worker vanished.
//
// If RINGLOG_RING is not set, nothing is attached and that is no error; o then holds
// for the ring that is found later. Called again while attached, it does nothing.
// Errors are those of [Open]; records go to standard error after one.
func Attach(o Options) (*Writer, error) {
	return processWriter, processWriter.attach(o)
}

// Detach ends the lane of the process's own writer, if it has one. It attaches
// again when RINGLOG_RING names a ring at a later record. Errors: that of
// [Writer.Close].
func Detach() error { return processWriter.leave(false) }

// home is how the process's own writer finds its ring.
type home struct {
	mu      sync.Mutex
	options Options
	closed  bool      // by Close: not to be attached again but by Attach
	failed  string    // the ring that could not be attached to, and was complained about
	retry   time.Time // when to try that one again
	stderr  io.Writer
	printer *fallback.Printer // to stderr: where records go without a ring
}

// retryEvery is how long after a failed attempt to attach a record tries again.
const retryEvery = time.Second

func (w *Writer) attach(o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	h := w.home
	h.mu.Lock()
	defer h.mu.Unlock()
	if w.sink.Load() != nil {
		return nil
	}
	h.options, h.closed, h.failed = o, false, ""
	path := os.Getenv(RingVariable)
	if path == "" {
		return nil
	}
	s, err := openSink(path, o)
	if err != nil {
		return err
	}
	w.sink.Store(s)
	return nil
}

// find returns the sink of the process's own writer, attaching it if there is a
// ring; nil if there is none.
func (w *Writer) find() *sink {
	h := w.home
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := w.sink.Load(); s != nil {
		return s
	}
	path := os.Getenv(RingVariable)
	if path == "" || h.closed || path == h.failed && time.Now().Before(h.retry) {
		return nil
	}
	// Defaults of options are always valid, and those of Attach were checked.
	o, _ := h.options.withDefaults()
	s, err := openSink(path, o)
	if err != nil {
		if path != h.failed {
			fmt.Fprintf(h.stderr, "ringlog: records go to standard error: %v\n", err)
		}
		h.failed, h.retry = path, time.Now().Add(retryEvery)
		return nil
	}
	w.sink.Store(s)
	return s
}

// leave ends the lane of the process's own writer.
func (w *Writer) leave(forGood bool) error {
	h := w.home
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = h.closed || forGood
	// Records that come while the lane is being closed find no sink, and go to
	// standard error.
	if s := w.sink.Swap(nil); s != nil {
		return s.close()
	}
	return nil
}

// appendElsewhere is Append of the process's own writer where it was found without
// a lane, or with one that was just closed.
func (w *Writer) appendElsewhere(level record.Level, p []byte) error {
	if s := w.find(); s != nil {
		if err := s.append(level, p); err != ErrClosed {
			return err
		}
	}
	return w.home.printer.Raw(level, p)
}

// logElsewhere is Log of the process's own writer in the same case.
func (w *Writer) logElsewhere(level record.Level, e *record.Entry) error {
	if s := w.find(); s != nil {
		if err := s.log(level, e); err != ErrClosed {
			return err
		}
	}
	return w.home.printer.Log(level, e)
}
