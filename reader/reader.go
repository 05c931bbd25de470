//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/upkeep"
)

// Reader is the one reader of a ring. It is used by one goroutine, but for what says
// otherwise.
type Reader struct {
	consumer *ring.Consumer
	opts     Options
	log      *slog.Logger
	now      func() time.Time

	routes  []*route           // what Options.Outputs say, in their order
	outputs []*output          // those that are open: of paths without fields, in their order, then others
	files   map[string]*output // of these the files, by absolute path
	keeper  *upkeep.Keeper     // of rotated files

	streams  []*stream // by lane; nil where there is nothing to follow
	merge    merge
	followed int         // how many of them there are
	met      []uint64    // by lane: the last owner's generation that was counted
	reported []uint64    // by lane: the generation whose damage was said already
	attached bool        // some lane had an owner
	leaving  func() bool // end when no worker is attached any more
	stopping bool        // look once more, deliver that, and end
	frozen   bool        // that look is taken
	failed   error       // why Run ended; streams and ring then differ
	beaten   time.Time   // when the last sign of life was given

	// The batch at hand.
	tick     uint64        // counts batches, for which output was used last
	began    time.Time     // when it did
	joined   int           // files that may get bytes of it
	cost     uint64        // of the intent that these and the lanes may need, in bytes
	full     bool          // it is to end
	wait     time.Duration // how long after its look the next record is due that was not; 0: there is none
	tooMuch  bool          // not even its first record has room
	prepared bool          // its intent is
	unrouted uint64        // records of it that no output wants
	oldest   int64         // when the oldest record of it was logged, Unix nanoseconds; 0: it has none
	line     format.Line   // reused: formatters take its address, so it would be allocated each time
	targets  []target      // of line; reused
	path     []byte        // reused
	intent   ring.Batch    // reused
	writing  []*output     // the files that get bytes of it; reused

	demand  demand
	syncing trouble   // with the ring
	synced  time.Time // when outputs and ring were last to be on disk
	kept    uint64    // Stats.Batches at that time
	stats   Stats

	counted struct { // stats after the last batch, for Stats and OutputStats
		sync.Mutex
		Stats
		outputs []OutputStats
	}
	reloading reloading
}

// Open opens the ring at path for draining and its outputs for writing, and
// settles what an earlier reader left. Errors: those of ring.OpenConsumer; those
// of logfile.Open (a file in use by another reader names it and its pid).
func Open(path string, o Options) (*Reader, error) {
	r, err := newReader(path, o)
	if err != nil {
		return nil, err
	}
	if err := r.consumer.Guard(r.open); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// newReader opens the ring, and nothing else yet.
func newReader(path string, o Options) (*Reader, error) {
	rules, err := o.rules()
	if err != nil {
		return nil, err
	}
	o.setDefaults()
	c, err := ring.OpenConsumer(path)
	if err != nil {
		return nil, err
	}
	n := c.Ring().LaneCount
	r := &Reader{
		consumer: c, opts: o, log: o.Log, now: time.Now, leaving: func() bool { return false },
		routes: newRoutes(o.Outputs, rules), files: map[string]*output{},
		streams: make([]*stream, n), met: make([]uint64, n), reported: make([]uint64, n),
		syncing: trouble{what: "sync", of: path, advice: "a power loss may cost what was written since the last one"},
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	r.keeper = upkeep.New(r.log)
	return r, nil
}

func (r *Reader) open() error {
	if err := r.settle(); err != nil {
		return err
	}
	for _, rt := range r.routes {
		if rt.template != nil {
			continue
		}
		o, err := r.openFixed(rt)
		if err != nil {
			return err
		}
		r.use(o)
	}
	if err := r.checkRoom(r.routes, r.outputs); err != nil {
		return err
	}
	if r.opts.Sync != SyncNone {
		// Else what an earlier reader wrote and did not sync could be missing from outputs
		// of which the ring, from now on, is to say that they have it.
		if err := r.syncAll(); err != nil {
			return err
		}
	}
	// Only now that nothing can refuse all this is there anything changed about files.
	for _, o := range r.outputs {
		r.planRotation(o)
	}
	r.showStats()
	return nil
}

func (r *Reader) say(format string, args ...any) { r.log.Warn(fmt.Sprintf(format, args...)) }

// upkeepAtMost is how long Close waits for what is to be done with rotated files.
const upkeepAtMost = time.Minute

// Close gives up the ring and the outputs, and finishes, for a minute at most, what is to be done with rotated
// files. What is not drained stays in the ring.
func (r *Reader) Close() error {
	var errs []error
	for _, o := range r.outputs {
		errs = append(errs, o.close())
	}
	// After them, so that the next reader of the ring finds the outputs free; and before what
	// may take long, so that it need not wait.
	errs = append(errs, r.consumer.Close())
	ctx, cancel := context.WithTimeout(context.Background(), upkeepAtMost)
	defer cancel()
	if err := r.keeper.Shutdown(ctx); err != nil {
		r.say("rotated files: %v after %v; the next drain goes on with them", err, upkeepAtMost)
	}
	return errors.Join(errs...)
}

// Run drains until Options.Until says, or until ctx ends; then it drains what is
// in the ring at that moment and returns nil. While an output cannot be written it
// waits and tries again, and nothing is consumed; but once it is to end it gives
// up after two seconds of trouble, with an error: the records stay in the ring.
//
// It returns other errors at once, among them ring.ErrTruncated and the error of
// a pipe that cannot be written.
func (r *Reader) Run(ctx context.Context) error {
	return r.runUntil(ctx, context.Background())
}

// runUntil is Run, which also ends when leave has ended and no worker is attached
// any more.
func (r *Reader) runUntil(ctx, leave context.Context) error {
	if r.failed != nil {
		return fmt.Errorf("reader: Run failed before; open the ring again: %w", r.failed)
	}
	r.stopping, r.frozen = false, false
	defer r.reloading.start()()
	r.leaving = func() bool { return leave.Err() != nil }
	defer r.wakeAfter(ctx)()
	defer r.wakeAfter(leave)()
	r.failed = r.consumer.Guard(func() error { return r.run(ctx) })
	return r.failed
}

// wakeAfter wakes the reader when ctx ends. The function that it returns calls
// that off, and must be called before Close.
func (r *Reader) wakeAfter(ctx context.Context) (off func()) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		// A fault is Run's to report; here it must only not be fatal.
		_ = r.consumer.Guard(func() error { r.consumer.Wake(); return nil })
	})
	return func() {
		if !stop() {
			<-woken // else Close could unmap the ring under it
		}
	}
}

func (r *Reader) run(ctx context.Context) error {
	pace := pacer{reader: r}
	for ctx.Err() == nil && r.opts.Until != UntilEmpty {
		now := r.now()
		r.beat(now)
		progressed, err := r.cycle(ctx, now, now.Add(-r.opts.Grace).UnixNano())
		if err != nil {
			return err
		}
		if !progressed && r.done() {
			break
		}
		r.syncDue(now)
		pace.wait(ctx, now, progressed)
	}
	return r.drainRest(ctx)
}

// done says that Run is to end by itself, now that there is nothing to deliver.
func (r *Reader) done() bool {
	switch {
	case r.leaving():
		return !r.occupied()
	case r.opts.Until == UntilDetached:
		return r.detached()
	}
	return false
}

// drainRest drains everything that is there now, and nothing that comes later.
func (r *Reader) drainRest(ctx context.Context) error {
	r.stopping, r.frozen = true, false
	for {
		now := r.now()
		r.beat(now)
		progressed, err := r.cycle(ctx, now, horizonNone)
		if err != nil {
			return err
		}
		if !progressed {
			return r.syncRest()
		}
		r.syncDue(now)
	}
}
