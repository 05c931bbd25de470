package reader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
	"github.com/ringlog/ringlog/ring"
)

// Until says when Run ends by itself.
type Until int

const (
	// UntilStopped: when its context ends.
	UntilStopped Until = iota
	// UntilEmpty: when everything that was in the ring at its start is drained.
	UntilEmpty
	// UntilDetached: when no lane has an owner any more and everything is drained.
	// In a ring that is empty and idle it waits for the first owner.
	UntilDetached
)

// Options of a Reader. The zero value is the default, but for Outputs.
type Options struct {
	// Outputs are where lines go: each record to every output that wants its
	// logger. At least one, at most 64; no two the same file.
	Outputs []Output
	// MaxSize is the size in bytes at which a file is rotated; 0: never.
	MaxSize int64
	// Keep is how many rotated files of each output are kept; 0: all.
	Keep int
	// Until says when Run ends; default: when its context does.
	Until Until
	// Location is the zone of times in text lines; default: local time.
	Location *time.Location
	// Grace is how long a record may wait for earlier ones of other lanes;
	// default 1 ms. Lanes that are half full do not wait.
	Grace time.Duration
	// Log gets what the reader has to say about outputs and damage; default:
	// slog.Default(). It must not end in this ring.
	Log *slog.Logger
}

// Stats counts what a Reader did since it was opened.
type Stats struct {
	Records   uint64 // delivered
	Lost      uint64 // by policy, as their markers say
	Torn      uint64 // gaps left by owners that died in mid-append
	Damaged   uint64 // gaps of damaged bytes
	Workers   uint64 // owners whose records were met
	Vanished  uint64 // owners that ended without closing their lane
	Batches   uint64
	Rotations uint64
	Moved     uint64 // outputs that somebody else renamed
}

// Reader is the one reader of a ring. It is used by one goroutine.
type Reader struct {
	consumer *ring.Consumer
	opts     Options
	log      *slog.Logger
	outputs  []*output

	streams  []*stream // by lane; nil where there is nothing to follow
	merge    merge
	met      []uint64 // by lane: the last owner's generation that was counted
	reported []uint64 // by lane: the generation whose damage was said already
	attached bool     // some lane had an owner
	stopping bool     // look once more, deliver that, and end
	frozen   bool     // that look is taken
	failed   error    // why Run ended; streams and ring then differ

	line     format.Line // reused: formatters take its address, so it would be allocated each time
	intent   ring.Batch  // reused
	trouble  trouble     // with writing
	rotation trouble     // with rotating
	stats    Stats
}

// Open opens the ring at path for draining and its outputs for writing, and
// settles what an earlier reader left. Errors: those of ring.OpenConsumer; those
// of logfile.Open (a file in use by another reader names it and its pid).
func Open(path string, o Options) (*Reader, error) {
	if len(o.Outputs) == 0 || len(o.Outputs) > ring.MaxOutputs {
		return nil, fmt.Errorf("reader: %d outputs; a reader has 1 to %d", len(o.Outputs), ring.MaxOutputs)
	}
	if o.Grace == 0 {
		o.Grace = time.Millisecond
	}
	c, err := ring.OpenConsumer(path)
	if err != nil {
		return nil, err
	}
	n := c.Ring().LaneCount
	r := &Reader{
		consumer: c, opts: o, log: o.Log,
		streams: make([]*stream, n), met: make([]uint64, n), reported: make([]uint64, n),
		trouble:  trouble{what: "output", advice: "records wait in the ring until it is over"},
		rotation: trouble{what: "rotation", advice: "the file in use grows until it is over"},
	}
	if r.log == nil {
		r.log = slog.Default()
	}
	if err := c.Guard(r.open); err != nil {
		return nil, errors.Join(err, r.Close())
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
		return fmt.Errorf("reader: the names of the outputs are too long together: an intent of %d bytes, the ring has room for %d", cost, room)
	}
	for _, o := range r.outputs {
		r.rotate(o) // an earlier reader may have died just before it did
	}
	return nil
}

func (r *Reader) say(format string, args ...any) { r.log.Warn(fmt.Sprintf(format, args...)) }

// Stats returns what was counted so far. Not while Run is running.
func (r *Reader) Stats() Stats { return r.stats }

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
	if r.failed != nil {
		return fmt.Errorf("reader: Run failed before; open the ring again: %w", r.failed)
	}
	r.stopping, r.frozen = false, false
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		// A fault is Run's to report; here it must only not be fatal.
		_ = r.consumer.Guard(func() error { r.consumer.Wake(); return nil })
	})
	defer func() {
		if !stop() {
			<-woken // else Close could unmap the ring under it
		}
	}()
	r.failed = r.consumer.Guard(func() error { return r.run(ctx) })
	return r.failed
}

func (r *Reader) run(ctx context.Context) error {
	pace := pacer{reader: r}
	for ctx.Err() == nil && r.opts.Until != UntilEmpty {
		now := time.Now()
		progressed, err := r.cycle(ctx, now, now.Add(-r.opts.Grace).UnixNano())
		if err != nil {
			return err
		}
		if !progressed && r.opts.Until == UntilDetached && r.detached() {
			break
		}
		pace.wait(ctx, now, progressed)
	}
	// Everything that is there now, and nothing that comes later.
	r.stopping = true
	for {
		progressed, err := r.cycle(ctx, time.Now(), horizonNone)
		if err != nil || !progressed {
			return err
		}
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
	r.fill(now, horizon)
	before := r.stats.Batches
	err := r.commit(ctx)
	return r.stats.Batches > before, err
}

// begin makes the outputs ready for a batch.
func (r *Reader) begin(ctx context.Context) error {
	for _, o := range r.outputs {
		for o.stale {
			err := o.reopen(r.opts.Keep, r.say)
			if err == nil {
				break
			}
			if err := r.fail(ctx, err); err != nil {
				return err
			}
		}
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
	r.merge = r.merge[:0]
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
		logger := r.line.Record.Logger()
		for _, o := range r.outputs {
			if o.wants(logger) {
				o.buf = o.format.Append(o.buf, &r.line)
			}
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
// for all loggers; or, if there is none, to the reader's log.
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
