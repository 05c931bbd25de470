package reader

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultLinger is the default of StartOptions.Linger.
const DefaultLinger = 5 * time.Second

// ErrRingStays is what Close fails with if there may be more to drain, which waits in
// the ring for the next reader: somebody is still attached, or has logged at the last
// moment. What was accepted before Close is in the outputs.
var ErrRingStays = errors.New("reader: the ring stays")

// StartOptions shape what Start begins. The zero value is the default, but for
// Outputs.
type StartOptions struct {
	// Options are those of the reader; Until is not used, and the default of Log is
	// standard error, since slog's default logger may end in this ring.
	Options
	// Ring is the path of the ring. It is made if there is none; one that is there
	// is used as it is, so that what an earlier run left in it is drained too. Either
	// is removed in the end. Default: a new ring in memory.
	Ring string
	// Lanes is how many processes can be attached at once; default 256.
	Lanes int
	// LaneSize is the size of each lane in bytes, a power of two from 64 KiB to
	// 1 GiB; default 4 MiB, or less where there is little room.
	LaneSize uint64
	// Linger is how long Close waits for workers that are still attached; default
	// 5 s, negative: not at all.
	Linger time.Duration
	// OwnSignals leaves SIGINT, SIGTERM and SIGHUP to the program, which then calls
	// Close.
	OwnSignals bool
}

// Handle is one caller's hold on what Start began. All its methods may be called at
// any time, by any number of goroutines.
type Handle struct {
	*hosted
	release func() error // Close, but for signals; whatever is called after the first time waits for it
}

// hosted is the ring that this process uses, and the drain if it is this process's.
// All Handles of the process share it.
type hosted struct {
	ring   string
	drains bool         // it is this process that drains it
	finish func() error // ends the drain, if it is this process's, and closes its lane
	stats  func() Stats

	done chan struct{} // closed when the drain ended
	err  error         // why, once done is closed
	gone chan struct{} // closed when all is over
	end  func() error  // the last Close, but for signals; whatever is called after the first time waits for it
	over chan struct{} // closed when no signal is to end the process any more, and Start may begin anew

	users   int  // Handles that are not closed; guarded by current
	closing bool // guarded by current

	signalled atomic.Bool // a signal is about to end this process
}

// current is what this process uses: there is one ring for one process.
var current struct {
	sync.Mutex
	*hosted
}

// Start makes a ring and drains it inside this process, until Close. It sets the
// environment variable RINGLOG_RING to the ring's path: child processes started
// from now on find it by writer.Attach, and so do the loggers of package writer in
// this process. It may be called by any number of goroutines:
//
//   - While this process drains a ring already, Start gives another Handle on that,
//     and o is of no account; the last one to be closed ends the drain.
//   - If RINGLOG_RING names a ring that has a reader, because an ancestor called
//     Start or runs ringlog run, nothing is made: that reader's outputs are used, and
//     Close does no more than to close this process's lane.
//   - If RINGLOG_RING names a ring without a reader and o.Ring is empty, this
//     process becomes its reader. Close leaves such a ring in place.
//
// In the first two cases o.Outputs are not opened, which o.Log is told.
//
// SIGINT, SIGTERM and SIGHUP, unless they were ignored when the process began, do what
// the last Close does, and then end the process as they would have; a second one ends
// it at once. A program that handles these signals itself is not ended: it gets the
// signal once more when the drain is over (the second one at once), and what it logs
// from then on goes to standard error. It had better set o.OwnSignals, and call Close. A process that ends
// otherwise without Close (by os.Exit or log.Fatal, say) leaves the ring, with what
// is not drained, to the next reader; ringlog ls shows it.
//
// On systems other than Linux there is no ring: loggers write to standard error,
// and o.Outputs are not opened.
//
// Errors: those of Open and ring.Create, and that this process drains another ring.
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
	if o.Log == nil {
		// slog's default may end in this ring.
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	for {
		h, closing, err := startOrJoin(o)
		if err != nil {
			return nil, err
		}
		if closing == nil {
			return newHandle(h), nil
		}
		<-closing // never, if a signal is about to end this process
	}
}

func newHandle(h *hosted) *Handle { return &Handle{h, sync.OnceValue(h.release)} }

// startOrJoin takes part in what this process uses, or begins. What is on its way
// out gives a channel to wait for.
func startOrJoin(o StartOptions) (h *hosted, closing <-chan struct{}, err error) {
	current.Lock()
	defer current.Unlock()
	switch h = current.hosted; {
	case h == nil:
	case h.closing:
		return nil, h.over, nil
	case o.Ring != "" && o.Ring != h.ring && h.drains:
		return nil, nil, fmt.Errorf("reader: this process drains %s already; close that before starting with %s", h.ring, o.Ring)
	case h.drains && h.failed():
		return nil, nil, fmt.Errorf("reader: this process drains %s no more: %w; close the Handles that are open before starting anew", h.ring, h.Err())
	default:
		if h.drains {
			o.Log.Info(fmt.Sprintf("this process drains %s already, to the outputs that were given first", h.ring))
		}
		h.users++
		return h, nil, nil
	}
	h = &hosted{
		stats: func() Stats { return Stats{} },
		done:  make(chan struct{}), gone: make(chan struct{}), over: make(chan struct{}),
		users: 1,
	}
	h.end = sync.OnceValue(h.endOnce)
	if err := h.begin(o); err != nil {
		return nil, nil, err
	}
	current.hosted = h
	return h, nil, nil
}

// Ring is the path of the ring; empty where there is none.
func (h *hosted) Ring() string { return h.ring }

// Stats returns what was counted up to the last batch; all of it when draining has
// ended. It is zero if the reader is another process.
func (h *hosted) Stats() Stats { return h.stats() }

// Done returns a channel that is closed when draining ended: by the last Close, or by
// an error, and then workers go on until their lanes are full.
func (h *hosted) Done() <-chan struct{} { return h.done }

// failed says that draining has ended before anybody asked for it.
func (h *hosted) failed() bool {
	select {
	case <-h.done:
		return true
	default:
		return false
	}
}

// Err returns why draining ended; nil if it did not, or ended well.
func (h *hosted) Err() error {
	if !h.failed() {
		return nil
	}
	return h.err
}

// Close gives up this Handle. If it is the process's last, Close closes the process's
// own lane, waits for the workers that are attached as long as StartOptions.Linger
// says, drains to the last record, removes the ring and unsets RINGLOG_RING if Start
// had set it: from then on loggers write to standard error. Nil says that every record
// that was accepted is in the outputs that want it, but for what was damaged in the
// ring (Stats). While other Handles are open, Close does nothing. Where the reader is
// another process it closes the lane alone, says nothing of the outputs, and a later
// record attaches again.
//
// Later calls wait for the first one and return the same. If a signal has ended the
// drain meanwhile, and the process does not handle it, Close does not return.
//
// Errors: ErrRingStays, why draining ended if that was before, and those of
// writer.Detach.
func (h *Handle) Close() error { return h.release() }

// release gives up one Handle.
func (h *hosted) release() error {
	current.Lock()
	h.users--
	last := h.users == 0
	h.closing = h.closing || last // at once: nobody joins what is about to end
	current.Unlock()
	if !last {
		return nil
	}
	err := h.end()
	<-h.over
	return err
}

func (h *hosted) endOnce() error {
	current.Lock()
	h.closing = true
	current.Unlock()
	err := h.finish()
	close(h.gone)
	return err
}

// depart makes room for the next Start.
func (h *hosted) depart() {
	current.Lock()
	current.hosted = nil
	current.Unlock()
	close(h.over)
}
