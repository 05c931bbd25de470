package reader

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/ringlog/ringlog/writer"
)

// DefaultLinger is the default of StartOptions.Linger.
const DefaultLinger = 5 * time.Second

// ErrRingStays is what Close fails with if it could not remove the ring: somebody
// is still attached to it. What was accepted until then is in the outputs; what is
// accepted later waits in the ring for the next reader.
var ErrRingStays = errors.New("reader: the ring stays")

// StartOptions shape what Start begins. The zero value is the default, but for
// Outputs.
type StartOptions struct {
	// Options are those of the reader; Until is not used, and the default of Log is
	// standard error, since slog's default logger may end in this ring.
	Options
	// Ring is the path of the ring. It is made if there is none; one that is there
	// is used as it is, so that what an earlier run left in it is drained too.
	// Default: a new ring in memory.
	Ring string
	// Lanes is how many processes can be attached at once; default 256.
	Lanes int
	// LaneSize is the size of each lane in bytes, a power of two from 64 KiB to
	// 1 GiB; default 4 MiB, or less where there is little room.
	LaneSize uint64
	// Linger is how long Close waits for workers that are still attached; default
	// 5 s, negative: not at all.
	Linger time.Duration
	// OwnSignals leaves SIGINT and SIGTERM to the program, which then calls Close.
	OwnSignals bool
}

// Handle is what Start began. All its methods may be called at any time, by any
// number of goroutines.
type Handle struct {
	ring   string
	finish func() error // ends the drain, if it is this process's; else nil
	stats  func() Stats

	done chan struct{} // closed when the drain ended
	err  error         // why, once done is closed
	gone chan struct{} // closed when all is over
	end  func() error  // Close, but for signals; whatever is called after the first time waits for it
	over chan struct{} // closed when no signal is to end the process any more

	closing bool // guarded by current
}

// current is the process's open Handle: there is one ring for one process.
var current struct {
	sync.Mutex
	handle *Handle
}

// Start makes a ring and drains it inside this process, until Close. It sets the
// environment variable RINGLOG_RING to the ring's path: child processes started
// from now on find it by writer.Attach, and so do the loggers of package writer in
// this process. It may be called by any number of goroutines:
//
//   - While a Handle is open in this process, Start returns it; one Close is enough.
//   - If RINGLOG_RING names a ring that has a reader, because an ancestor called
//     Start or runs ringlog run, nothing is made, whatever o says: that reader's
//     outputs are used, and Close does no more than to close this process's lane.
//   - If RINGLOG_RING names a ring without a reader and o.Ring is empty, this
//     process becomes its reader. Close leaves such a ring in place.
//
// SIGINT and SIGTERM, unless they were ignored when the process began or
// o.OwnSignals says otherwise, do what Close does, and then end the process as they
// would have; a second one ends it at once. A process that ends otherwise without
// Close leaves the ring, with what is not drained, to the next reader.
//
// On systems other than Linux there is no ring: loggers write to standard error,
// and o.Outputs are not opened.
//
// Errors: those of Open and ring.Create, and that the open Handle has another ring.
func Start(o StartOptions) (*Handle, error) {
	if len(o.Outputs) == 0 {
		return nil, errors.New("reader: no outputs given; name at least one file in Outputs")
	}
	if o.Ring != "" {
		// Children may have another working directory.
		abs, err := filepath.Abs(o.Ring)
		if err != nil {
			return nil, fmt.Errorf("reader: finding the ring: %w", err)
		}
		o.Ring = abs
	}
	for {
		h, closing, err := startOrCurrent(o)
		if !closing {
			return h, err
		}
		<-h.gone
	}
}

// startOrCurrent returns the open Handle, or begins. With closing it is one that
// is on its way out.
func startOrCurrent(o StartOptions) (h *Handle, closing bool, err error) {
	current.Lock()
	defer current.Unlock()
	if h := current.handle; h != nil {
		if !h.closing && o.Ring != "" && o.Ring != h.ring && h.finish != nil {
			return nil, false, fmt.Errorf("reader: this process drains %s already; close that before starting with %s", h.ring, o.Ring)
		}
		return h, h.closing, nil
	}
	h = &Handle{
		stats: func() Stats { return Stats{} },
		done:  make(chan struct{}), gone: make(chan struct{}), over: make(chan struct{}),
	}
	h.end = sync.OnceValue(h.endOnce)
	if err := h.begin(o); err != nil {
		return nil, false, err
	}
	current.handle = h
	return h, false, nil
}

// Ring is the path of the ring; empty where there is none.
func (h *Handle) Ring() string { return h.ring }

// Stats returns what was counted up to the last batch; all of it after Close. It is
// zero if the reader is another process.
func (h *Handle) Stats() Stats { return h.stats() }

// Done returns a channel that is closed when draining ended: by Close, or by an
// error, and then workers go on until their lanes are full.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Err returns why draining ended; nil if it did not, or ended well.
func (h *Handle) Err() error {
	select {
	case <-h.done:
		return h.err
	default:
		return nil
	}
}

// Close closes this process's own lane, waits for the workers that are attached as
// long as StartOptions.Linger says, drains to the last record, removes the ring and
// unsets RINGLOG_RING if Start had set it: from then on loggers write to standard
// error. Nil says that every record that was accepted is in the outputs. Where the
// reader is another process, Close does no more than to close the lane; nil says
// nothing of the outputs then, and a later record attaches again.
//
// Later calls wait for the first one and return the same. If a signal came in the
// meantime, Close does not return: the process ends.
//
// Errors: ErrRingStays, why draining ended if that was before, and those of
// writer.Detach.
func (h *Handle) Close() error {
	err := h.end()
	<-h.over
	return err
}

func (h *Handle) endOnce() error {
	current.Lock()
	h.closing = true
	current.Unlock()
	var err error
	if h.finish != nil {
		err = h.finish()
	} else {
		err = writer.Detach()
		close(h.done)
	}
	current.Lock()
	current.handle = nil
	current.Unlock()
	close(h.gone)
	return err
}
