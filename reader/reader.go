//go:build linux

package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
	"github.com/ringlog/ringlog/ring"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Reader is the one reader of a ring. It is used by one goroutine.
type Reader struct {
	consumer *ring.Consumer
	opts     Options
	log      *slog.Logger
	outputs  []*output

	streams  []*stream // by lane; nil where there is nothing to follow
	merge    merge
	met      []uint64    // by lane: the last owner's generation that was counted
	reported []uint64    // by lane: the generation whose damage was said already
	attached bool        // some lane had an owner
	leaving  func() bool // end when no worker is attached any more
	stopping bool        // look once more, deliver that, and end
	frozen   bool        // that look is taken
	failed   error       // why Run ended; streams and ring then differ

	unrouted uint64      // records of the batch at hand that no output wants
	line     format.Line // reused: formatters take its address, so it would be allocated each time
	intent   ring.Batch  // reused
	writing  []*output   // the files that get bytes of the batch at hand; reused
	syncing  trouble     // with the ring
	synced   time.Time   // when outputs and ring were last to be on disk
	kept     uint64      // Stats.Batches at that time
	stats    Stats

	counted struct { // stats after the last batch, for Stats
		sync.Mutex
		Stats
	}
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
	if len(o.Outputs) == 0 || len(o.Outputs) > ring.MaxOutputs {
		return nil, fmt.Errorf("reader: %d outputs; a reader has 1 to %d", len(o.Outputs), ring.MaxOutputs)
	}
	for i, out := range o.Outputs {
		if out.Path == "" {
			return nil, fmt.Errorf("reader: output %d of %d has no path; name a file, or \"-\" for standard output", i+1, len(o.Outputs))
		}
	}
	if o.Sync < SyncNone || o.Sync > SyncBatch || o.SyncEvery < 0 {
		return nil, fmt.Errorf("reader: sync policy %v every %v; want none, interval or batch, and no time below zero", o.Sync, o.SyncEvery)
	}
	o.Grace = cmp.Or(o.Grace, time.Millisecond)
	o.SyncEvery = cmp.Or(o.SyncEvery, time.Second)
	c, err := ring.OpenConsumer(path)
	if err != nil {
		return nil, err
	}
	n := c.Ring().LaneCount
	r := &Reader{
		consumer: c, opts: o, log: o.Log, leaving: func() bool { return false },
		streams: make([]*stream, n), met: make([]uint64, n), reported: make([]uint64, n),
		syncing: trouble{what: "sync", of: path, advice: "a power loss may cost what was written since the last one"},
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	return r, nil
}

func (r *Reader) open() error {
	if err := r.settle(); err != nil {
		return err
	}
	room := r.consumer.IntentRoom()
	cost := ring.IntentCost(len(r.streams), 0)
	for _, out := range r.opts.Outputs {
		o, err := openOutput(out, r.opts.Location, r.opts.Keep, r.say)
		if err != nil {
			return err
		}
		r.outputs = append(r.outputs, o)
		if o.file != nil {
			// A batch is full before its last record, which takes an eighth of a
			// lane at most, and not eight times as much as a line.
			cost += ring.OutputCost(o.file.Path(), maxBatch+int64(r.consumer.Ring().LaneSize))
		}
	}
	if cost > room {
		return fmt.Errorf("reader: %d outputs are too many for this ring: an intent of %d bytes, with room for %d; use fewer of them, shorter paths, or a ring with smaller lanes",
			len(r.outputs), cost, room)
	}
	if r.opts.Sync != SyncNone {
		// Else what an earlier reader wrote and did not sync could be missing from outputs
		// of which the ring, from now on, is to say that they have it.
		if err := r.syncAll(); err != nil {
			return err
		}
	}
	for _, o := range r.outputs {
		r.rotate(o) // an earlier reader may have died just before it did
	}
	r.showStats()
	return nil
}

func (r *Reader) say(format string, args ...any) { r.log.Warn(fmt.Sprintf(format, args...)) }

// Stats returns what was counted up to the last batch. Unlike other methods it may
// be called at any time, by any number of goroutines.
func (r *Reader) Stats() Stats {
	r.counted.Lock()
	defer r.counted.Unlock()
	return r.counted.Stats
}

// showStats brings Stats up to date.
func (r *Reader) showStats() {
	r.counted.Lock()
	defer r.counted.Unlock()
	r.counted.Stats = r.stats
}

// Close gives up the ring and the outputs. What is not drained stays in the ring.
func (r *Reader) Close() error {
	var errs []error
	for _, o := range r.outputs {
		errs = append(errs, o.close())
	}
	// Last, so that the next reader of the ring finds the outputs free.
	return errors.Join(append(errs, r.consumer.Close())...)
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
		now := time.Now()
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
		now := time.Now()
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

// cycle makes and commits one batch of records up to horizon. It says whether
// there was one.
func (r *Reader) cycle(ctx context.Context, now time.Time, horizon int64) (bool, error) {
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	for i := range r.streams {
		if err := r.refresh(i, now); err != nil {
			return false, err
		}
		s := r.streams[i]
		if s == nil {
			continue
		}
		s.age(now, r.opts.Grace)
		if s.have && s.end-s.published.Consumer > s.lane.Size()/2 {
			horizon = horizonNone // its owner will soon wait for room: do not wait for order
		}
	}
	r.frozen = r.stopping
	failpoint.Hit(failpoint.DrainCollect)
	r.fill(now, horizon)
	before := r.stats.Batches
	err := r.commit(ctx)
	r.showStats()
	return r.stats.Batches > before, err
}

// begin makes the outputs ready for a batch.
func (r *Reader) begin(ctx context.Context) error {
	r.writing = r.writing[:0]
	for _, o := range r.outputs {
		if o.stale {
			r.writing = append(r.writing, o)
		}
	}
	if err := r.untilDone(ctx, r.writing, r.reopen); err != nil {
		return err
	}
	for _, o := range r.outputs {
		if err := o.begin(); err != nil {
			return err
		}
	}
	return nil
}

// maxBatch is the size in bytes of an output's buffer at which a batch ends.
const maxBatch = 1 << 20

// fill formats what the streams have up to horizon into the outputs' buffers.
func (r *Reader) fill(now time.Time, horizon int64) {
	r.merge, r.unrouted = r.merge[:0], 0
	for _, s := range r.streams {
		if s == nil {
			continue
		}
		if !s.have {
			s.advance(now)
		}
		if s.have {
			s.due = min(s.due, now.UnixNano()) // the wall clock may have been set back since
			r.merge = append(r.merge, s)
		}
		r.finish(s)
	}
	r.merge.init()
	for len(r.merge) > 0 && r.merge[0].due <= horizon && !r.batchFull() {
		s := r.merge[0]
		r.emit(s)
		s.advance(now)
		r.finish(s)
		r.merge.fix()
	}
}

func (r *Reader) batchFull() bool {
	for _, o := range r.outputs {
		if len(o.buf) >= maxBatch || o.full(r.opts.MaxSize) {
			return true
		}
	}
	return false
}

// emit delivers the head of s.
func (r *Reader) emit(s *stream) {
	if n := s.newlyLost(); n > 0 {
		r.emitMarker(s.lostMarker(n, s.head.Position))
	}
	switch s.head.Outcome {
	case ring.OutcomeRecord:
		s.line(&r.line, s.deliver())
		taken := false
		for _, o := range r.outputs {
			if o.selector.Wants(&r.line.Record) {
				o.buf = o.format.Append(o.buf, &r.line)
				taken = true
			}
		}
		if !taken {
			r.unrouted++
		}
		return
	case ring.OutcomeTorn:
		s.now.Torn++
	case ring.OutcomeDamaged:
		s.now.Damaged++
	}
	s.now.Consumer = s.head.Next
	r.emitMarker(s.gapMarker())
}

// emitMarker puts the reader's own line where it is looked for: into every output
// for all records; or, if there is none, to the reader's log.
func (r *Reader) emitMarker(m marker.Marker) {
	taken := false
	for _, o := range r.outputs {
		if o.takesMarkers() {
			o.buf = o.format.Append(o.buf, &m.Line)
			taken = true
		}
	}
	if !taken {
		r.say("%s", m.Message)
	}
}
