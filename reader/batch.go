//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// commit carries out the batch at hand: the lines in the outputs' buffers and the
// progress of the streams. On an error nothing is published, and the intent says
// how to undo what was written.
func (r *Reader) commit(ctx context.Context) error {
	b := r.batch()
	if len(b.Lanes) == 0 {
		return r.forget() // a lane may have ended with everything published before
	}
	failpoint.Hit(failpoint.DrainPrepare)
	if err := r.consumer.Prepare(b); err != nil {
		return err
	}
	failpoint.Hit(failpoint.DrainWrite)
	if err := r.writePipes(ctx); err != nil {
		return err
	}
	if err := r.writeFiles(ctx, b); err != nil {
		return err
	}
	r.trouble.end(r.say)
	failpoint.Hit(failpoint.DrainApply)
	r.consumer.MarkApplied()
	failpoint.Hit(failpoint.DrainPublish)
	if err := r.consumer.Publish(b); err != nil {
		return err
	}
	failpoint.Hit(failpoint.DrainClear)
	r.consumer.ClearIntent()
	failpoint.Hit(failpoint.DrainRotate)
	r.stats.Batches++
	return r.published()
}

// batch describes the transaction (D2).
func (r *Reader) batch() *ring.Batch {
	b := &r.intent
	*b = ring.Batch{
		Number: r.consumer.LastBatch() + 1, BootID: r.consumer.BootID(), Time: time.Now().UnixNano(),
		Lanes: b.Lanes[:0], Outputs: b.Outputs[:0],
	}
	for _, s := range r.streams {
		if s == nil || !s.changed() {
			continue
		}
		state := ring.LaneOwned // left as it is
		if s.drained() && s.damaged {
			state = ring.LaneDamaged
		} else if s.drained() && s.dead {
			state = ring.LaneFree
		}
		b.Lanes = append(b.Lanes, ring.LaneChange{
			Lane: s.lane.Index, Generation: s.owner.Generation, From: s.published.Consumer, To: s.now, State: state,
		})
	}
	for _, o := range r.outputs {
		if o.file != nil && len(o.buf) > 0 {
			b.Outputs = append(b.Outputs, o.change())
		}
	}
	return b
}

// change describes what the batch does to o.
func (o *output) change() ring.OutputChange {
	c := ring.OutputChange{Path: o.file.Path(), Before: o.before, Length: int64(len(o.buf))}
	// An identity that cannot be had makes a rollback leave the file alone; the
	// write or the check that follows will say what is wrong.
	c.Device, c.Inode, _ = o.file.Identity()
	c.Pieces = logfile.AppendPieces(nil, o.buf)
	return c
}

// writePipes writes to the outputs that are not regular files.
func (r *Reader) writePipes(ctx context.Context) error {
	for _, o := range r.outputs {
		if o.pipe == nil || len(o.buf) == 0 {
			continue
		}
		if err := o.pipe.write(ctx, o.buf); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes until every file holds its part of the batch whole. Nothing
// written is taken back on the way: only what is missing is tried again (D5).
func (r *Reader) writeFiles(ctx context.Context, b *ring.Batch) error {
	i := 0 // index in b.Outputs
	for _, o := range r.outputs {
		if o.file == nil || len(o.buf) == 0 {
			continue
		}
		for {
			err := r.writeOutput(o, i, b)
			if err == nil {
				break
			}
			if err := r.fail(ctx, err); err != nil {
				return err
			}
		}
		i++
	}
	return nil
}

// writeOutput writes what is missing of the batch in o, output i of b.
func (r *Reader) writeOutput(o *output, i int, b *ring.Batch) error {
	if o.stale {
		if err := r.rewrite(o, i, b); err != nil {
			return err
		}
	}
	err := o.writeRest(func(piece int, p []byte) { r.consumer.SetWindow(i, piece, p) })
	if err == nil {
		failpoint.Hit(failpoint.DrainCheck)
		err = o.file.Check(o.before + int64(len(o.buf)))
	}
	switch {
	case errors.Is(err, logfile.ErrMoved):
		// What was written is whole in the file, wherever it is now.
		r.stats.Moved++
		o.stale = true
		return nil
	case errors.Is(err, logfile.ErrGrown) && o.written == len(o.buf):
		if !o.shared {
			o.shared = true
			r.say("%v; the batch is in it", err)
		}
		return nil
	case errors.Is(err, logfile.ErrRemoved), errors.Is(err, logfile.ErrTruncated), errors.Is(err, logfile.ErrGrown):
		// What was written is gone, or nobody knows what is left of it.
		o.stale = true
	}
	return err
}

// rewrite opens o's path again, for the whole of the batch, under an intent that
// says so. Other outputs of the batch are whole or untouched meanwhile.
func (r *Reader) rewrite(o *output, i int, b *ring.Batch) error {
	if err := o.reopen(r.opts.Keep, r.say); err != nil {
		return err
	}
	b.Outputs[i] = o.change()
	b.Number++
	return r.consumer.Prepare(b)
}

// fail says once that an output fails, and waits before it is tried again. It
// gives up, with an error, if the reader is to end and this has gone on for long.
func (r *Reader) fail(ctx context.Context, err error) error {
	if r.trouble.note(err, r.say) {
		r.consumer.ReportError(err)
	}
	r.consumer.Heartbeat()
	stopping := r.stopping || ctx.Err() != nil || r.leaving() && len(r.consumer.Attached()) == 0
	if stopping && time.Since(r.trouble.since) > giveUpAfter {
		return fmt.Errorf("reader: an output cannot be written; the records stay in the ring: %w", err)
	}
	time.Sleep(retryEvery)
	return nil
}

// published brings the streams and the outputs in line with what the ring now
// has, after a batch.
func (r *Reader) published() error {
	for _, s := range r.streams {
		if s != nil {
			r.count(s)
			s.published = s.now
		}
	}
	r.stats.Unrouted += r.unrouted
	for _, o := range r.outputs {
		r.rotate(o)
	}
	return r.forget()
}

// forget drops the streams of lanes that ended and of which all is published. A
// lane's next owner gets a stream of its own.
func (r *Reader) forget() error {
	for i, s := range r.streams {
		if s == nil || !s.drained() || !s.ended {
			continue
		}
		r.streams[i] = nil
		if s.dead {
			if err := s.lane.Unlock(); err != nil {
				return err
			}
		}
	}
	return nil
}

// rotate rotates o if it is due. Trouble with it is said and tried again after
// the next batch; the file that is open goes on.
func (r *Reader) rotate(o *output) {
	if o.file == nil || o.stale {
		return
	}
	due, err := o.file.NeedsRotation(r.opts.MaxSize)
	if err == nil && due {
		if _, err = o.file.Rotate(); err == nil {
			r.stats.Rotations++
			removed, pruned := o.file.Prune()
			r.stats.Removed += uint64(removed)
			err = errors.Join(o.endPartialLine(r.say), pruned)
		}
	}
	if err != nil && !errors.Is(err, logfile.ErrMoved) {
		r.rotation.note(err, r.say)
	} else if due {
		r.rotation.end(r.say)
	}
}

const (
	// retryEvery is how long the reader waits before it tries a failing output again.
	retryEvery = 100 * time.Millisecond
	// giveUpAfter is how long a reader that is to end puts up with a failing output.
	giveUpAfter = 2 * time.Second
)

// trouble is something failing: said once when it begins, and once when it ends.
type trouble struct {
	what, advice string

	err   error
	since time.Time
	count int
}

// note says err unless trouble has begun already; it says whether it has now.
func (t *trouble) note(err error, say func(string, ...any)) bool {
	t.count++
	if t.err != nil {
		return false
	}
	t.err, t.since = err, time.Now()
	say("%s trouble: %v; %s", t.what, err, t.advice)
	return true
}

// end says that everything was written.
func (t *trouble) end(say func(string, ...any)) {
	if t.err == nil {
		return
	}
	say("%s trouble is over after %v and %d attempts", t.what, time.Since(t.since).Round(time.Millisecond), t.count)
	t.err, t.count = nil, 0
}
