package writer

import (
	"errors"
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
// call of a logger after the variable was set, or by [Attach]. While there is no ring,
// and always on systems other than Linux, its records go to standard error as lines of
// text: so a program runs unchanged with a ring and without.
func Default() *Writer { return processWriter }

// Attach attaches the process's own writer to the ring that RINGLOG_RING names, and
// returns it. It is the one call that a worker process has to make, and even that
// only to have options or to learn of errors. Close the Writer at the end of the
// process: else the log says that the worker vanished.
//
// If the writer has attached by itself before, it does so anew, with o; after an
// earlier call of Attach it does nothing. If RINGLOG_RING is not set, nothing is
// attached and that is no error; o then holds for the ring that is found later.
//
// Errors are those of [Open]. After one that is not about o, loggers try again by
// themselves.
func Attach(o Options) (*Writer, error) {
	return processWriter, processWriter.attach(o)
}

// Detach ends the lane of the process's own writer, if it has one. It attaches again
// when RINGLOG_RING names a ring at a later call of a logger, also after Close.
// Errors: that of [Writer.Close].
func Detach() error { return processWriter.leave(false) }

// home is how the process's own writer finds its ring.
type home struct {
	mu      sync.Mutex
	options Options
	asked   bool      // Attach has attached it
	closed  bool      // by Close: not to be attached again but by Attach, or after Detach
	failed  string    // the ring that could not be attached to, and was complained about
	retry   time.Time // when to try that one again
	lost    Lost      // by the sinks before, and without one
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
		if h.asked {
			return nil
		}
		if err := w.drop(); err != nil {
			return err
		}
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
	h.asked = true
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
	h.failed = ""
	return s
}

// leave ends the lane of the process's own writer.
func (w *Writer) leave(forGood bool) error {
	h := w.home
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed, h.failed = forGood, ""
	return w.drop()
}

// drop gives up the sink of the process's own writer. Records that come meanwhile
// wait for home.mu, and then find what there is.
func (w *Writer) drop() error {
	s := w.sink.Swap(nil)
	if s == nil {
		return nil
	}
	err := s.close()
	w.home.asked = false
	w.home.lost = w.home.lost.plus(s.counters.lost())
	return err
}

// statsOverall is Stats of the process's own writer: with the losses of the sinks
// before the present one.
func (w *Writer) statsOverall() Stats {
	w.home.mu.Lock() // before the sink is looked up, else one that is dropped meanwhile counts twice
	defer w.home.mu.Unlock()
	st := Stats{Lane: NoLane}
	if s := w.sink.Load(); s != nil {
		st = s.stats()
	}
	st.Lost = st.Lost.plus(w.home.lost)
	return st
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
	err := w.home.printer.Log(level, e)
	if errors.Is(err, record.ErrTooLong) {
		w.home.countTooLarge(level)
	}
	return err
}

// countTooLarge counts a record that not even standard error gets.
func (h *home) countTooLarge(level record.Level) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if level >= record.LevelWarning {
		h.lost.TooLarge.Above++
	} else {
		h.lost.TooLarge.Below++
	}
}
