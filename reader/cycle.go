//go:build linux

package reader

import (
	"context"
	"fmt"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/ring"
)

// cycle makes and commits one batch of records up to horizon. It says whether
// there was one.
func (r *Reader) cycle(ctx context.Context, now time.Time, horizon int64) (bool, error) {
	if err := r.begin(ctx); err != nil {
		return false, err
	}
	r.consumer.KeepTime()
	r.noteDemand(now) // first, so that what was logged before it is seen in this look
	followed := 0
	for i := range r.streams {
		if err := r.refresh(i, now); err != nil {
			return false, err
		}
		s := r.streams[i]
		if s == nil {
			continue
		}
		followed++
		s.age(now, r.opts.Grace)
		if s.have && s.end-s.published.Consumer > s.lane.Size()/2 {
			horizon = horizonNone // its owner will soon wait for room: do not wait for order
		}
	}
	r.followed = followed
	r.frozen = r.stopping
	failpoint.Hit(failpoint.DrainCollect)
	turn, turned := r.turn(horizon)
	if turned {
		horizon = turn.UnixNano() - 1
	}
	r.fill(now, horizon, r.soon(now, horizon, turned))
	if r.tooMuch {
		return false, fmt.Errorf("%w: one record goes to more files than it has room for; use fewer outputs whose paths have fields, or shorter ones", ring.ErrBatchTooLarge)
	}
	if turned = turned && !r.full && !r.merge.due(horizon); !turned {
		turn = time.Time{}
	}
	before := r.stats.Batches
	err := r.commit(ctx)
	if err == nil {
		r.oldest = 0
		r.rotateDue(turn)
	}
	r.showStats()
	return turned || r.stats.Batches > before, err
}

// begin makes the outputs ready for a batch.
func (r *Reader) begin(ctx context.Context) error {
	for {
		r.reload()
		again := r.round(r.moved(), r.reopen)
		if len(again) == 0 {
			break
		}
		if err := r.endure(ctx, longest(again)); err != nil {
			return err
		}
	}
	r.tick++
	r.began = r.now()
	r.dropIdle()
	r.joined, r.cost, r.full, r.tooMuch, r.unrouted, r.oldest = 0, ring.IntentCost(len(r.streams), 0), false, false, 0, 0
	for _, rt := range r.routes {
		rt.records, rt.bytes = 0, 0
	}
	for _, o := range r.outputs {
		if o.joined = false; o.route.template != nil {
			if o.buf = o.buf[:0]; cap(o.buf) > keepBuffer {
				o.buf = nil
			}
			continue
		}
		if err := r.beginOutput(o); err != nil {
			return err
		}
		if o.file != nil && !r.join(o) {
			return fmt.Errorf("%w: %d outputs", ring.ErrBatchTooLarge, len(r.outputs)) // which checkRoom has excluded
		}
	}
	return nil
}

// moved are the outputs to be opened again: a path without fields now, and others when
// records for them come.
func (r *Reader) moved() []*output {
	r.writing = r.writing[:0]
	for i := 0; i < len(r.outputs); {
		o := r.outputs[i]
		if o.stale && o.route.template != nil {
			r.drop(o) // and the next one is at i
			continue
		}
		if i++; o.stale {
			r.writing = append(r.writing, o)
		}
	}
	return r.writing
}

// keepBuffer is how large, in bytes, a buffer may be that is kept for each of hundreds of
// files.
const keepBuffer = 64 << 10

// maxBatch is the size in bytes of an output's buffer at which a batch ends.
const maxBatch = 1 << 20

// soon is up to when records need not wait for order if no lane can have an earlier one.
// That is the beginning of the look at the lanes, less what the clocks of their owners may
// differ from the reader's; and if a rotation is due before that, it comes first.
func (r *Reader) soon(now time.Time, horizon int64, turned bool) int64 {
	if turned {
		return horizon
	}
	soon := now.Add(-r.opts.Grace / clockShare).UnixNano()
	if turn, due := r.turn(soon); due {
		soon = turn.UnixNano() - 1
	}
	return max(soon, horizon)
}

// clockShare is the share of the grace period that clocks may differ by.
const clockShare = 10

// fill formats what the streams have into the outputs' buffers: up to soon, as long as no
// lane can have an earlier record, and then up to horizon.
func (r *Reader) fill(now time.Time, horizon, soon int64) {
	limit := soon
	r.merge.reset()
	for _, s := range r.streams {
		if s == nil {
			continue
		}
		if !s.have {
			s.advance(now)
		}
		if s.hasEarlier() {
			limit = horizon
		}
		if !s.have && !s.parts() {
			r.finish(s)
			continue
		}
		s.due = min(s.due, now.UnixNano()) // the wall clock may have been set back since
		r.merge.add(s)
	}
	r.merge.init()
	some := false
	for !r.full && r.merge.due(limit) {
		s := r.merge.first()
		if s.have && !r.emit(s) {
			r.full, r.tooMuch = true, !some
			break
		}
		some = true
		s.advance(now)
		if s.hasEarlier() {
			limit = horizon
		}
		r.finish(s)
		r.merge.fix()
	}
	r.wait = r.merge.wait(limit)
}

// emit delivers the head of s. It is false if the batch has no room for another file,
// and then nothing has happened.
func (r *Reader) emit(s *stream) bool {
	isRecord := s.head.Outcome == ring.OutcomeRecord
	if isRecord {
		s.line(&r.line)
		if !r.route() {
			return false
		}
	}
	if r.oldest == 0 || s.headTime < r.oldest {
		r.oldest = s.headTime
	}
	if n := s.newlyLost(); n > 0 {
		r.emitMarker(s.lostMarker(n, s.head.Position))
	}
	if isRecord {
		r.line.Seq = s.deliver()
		for _, t := range r.targets {
			r.add(t, &r.line)
		}
		if len(r.targets) == 0 {
			r.unrouted++
		}
		return true
	}
	if s.head.Outcome == ring.OutcomeTorn {
		s.now.Torn++
	} else {
		s.now.Damaged++
	}
	s.now.Consumer = s.head.Next
	r.emitMarker(s.gapMarker())
	return true
}
