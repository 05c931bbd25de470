//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// commit carries out the batch at hand: the lines in the outputs' buffers and the
// progress of the streams. On an error nothing is published, and the intent says
// how to undo what was written.
func (r *Reader) commit(ctx context.Context) error {
	if err := r.reopenStale(ctx); err != nil {
		return err
	}
	b := r.batch()
	if len(b.Lanes) == 0 {
		return r.forget() // a lane may have ended with everything published before
	}
	failpoint.Hit(failpoint.DrainPrepare)
	if err := r.consumer.Prepare(b); err != nil {
		return err
	}
	r.prepared = true
	failpoint.Hit(failpoint.DrainWrite)
	if err := r.writePipes(ctx); err != nil {
		return err
	}
	if err := r.writeFiles(ctx, b); err != nil {
		return err
	}
	failpoint.Hit(failpoint.DrainApply)
	r.consumer.MarkApplied()
	if r.opts.Sync == SyncBatch {
		// Publishing gives memory back, to be written over. Before that the ring on disk
		// is to know that outputs have what was there: after a power loss it might tell of
		// a batch to undo whose records are gone (D6).
		if err := r.syncRing(ctx); err != nil {
			return err
		}
	}
	failpoint.Hit(failpoint.DrainPublish)
	if err := r.consumer.Publish(b); err != nil {
		return err
	}
	failpoint.Hit(failpoint.DrainClear)
	r.consumer.ClearIntent()
	r.prepared = false
	failpoint.Hit(failpoint.DrainRotate)
	r.stats.Batches++
	return r.published()
}

// reopenStale opens the files that joined the batch and could not be opened then.
func (r *Reader) reopenStale(ctx context.Context) error {
	for {
		r.writing = r.writing[:0]
		for _, o := range r.outputs {
			if o.stale && len(o.buf) > 0 {
				r.writing = append(r.writing, o)
			}
		}
		// In one order, whoever opens them: see letGoOfFiles.
		slices.SortFunc(r.writing, func(a, b *output) int { return strings.Compare(a.path, b.path) })
		again := r.round(r.writing, r.reopen)
		if len(again) == 0 {
			return nil
		}
		if slices.ContainsFunc(again, func(o *output) bool { return errors.Is(o.writing.err, logfile.ErrLocked) }) {
			r.letGoOfFiles()
		}
		if err := r.endure(ctx, longest(again)); err != nil {
			return err
		}
	}
}

// letGoOfFiles closes all files of paths with fields, before a batch is prepared. Another
// drain with the same paths may wait for one of them, while this one waits for one of its:
// who waits must hold nothing.
func (r *Reader) letGoOfFiles() {
	for _, o := range slices.Clone(r.outputs) {
		switch {
		case o.route.template == nil:
		case len(o.buf) == 0:
			r.drop(o)
		case o.file != nil:
			if err := errors.Join(r.letGo(o), o.close()); err != nil {
				r.say("closing %s: %v", o.path, err)
			}
			o.file, o.stale = nil, true
		}
	}
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
		if s.ended && s.damaged {
			state = ring.LaneDamaged
		} else if s.ended && s.dead {
			state = ring.LaneFree
		}
		b.Lanes = append(b.Lanes, ring.LaneChange{
			Lane: s.lane.Index, Generation: s.owner.Generation, From: s.published.Consumer, To: s.now, State: state,
		})
	}
	r.writing = r.writing[:0]
	for _, o := range r.outputs {
		if o.file != nil && len(o.buf) > 0 {
			o.part = len(b.Outputs)
			b.Outputs = append(b.Outputs, o.change())
			r.writing = append(r.writing, o)
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

// writeFiles writes until every file holds its part of the batch whole, on disk if
// that is the policy. Nothing written is taken back on the way: only what is missing is
// tried again (D5).
func (r *Reader) writeFiles(ctx context.Context, b *ring.Batch) error {
	return r.untilDone(ctx, r.writing, func(o *output) error { return r.writeOutput(o, o.part, b) })
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
		err = nil
	case errors.Is(err, logfile.ErrGrown) && o.written == len(o.buf):
		if !o.shared {
			o.shared = true
			r.say("%v; the batch is in it", err)
		}
		err = nil
	case errors.Is(err, logfile.ErrRemoved), errors.Is(err, logfile.ErrTruncated), errors.Is(err, logfile.ErrGrown):
		// What was written is gone, or nobody knows what is left of it.
		o.stale = true
		if errors.Is(err, logfile.ErrTruncated) {
			err = fmt.Errorf("%w; %s", err, renameInstead)
		}
	}
	if err == nil && r.opts.Sync == SyncBatch {
		failpoint.Hit(failpoint.DrainSync)
		if err = o.file.Sync(); err != nil {
			// Nobody knows what of the batch is on disk, and the next sync may say that all
			// is well: so it is written again, where lines are then twice and none is lost.
			o.stale = true
		}
	}
	return err
}

// rewrite opens o's path again, for the whole of the batch, under an intent that
// says so. Of other outputs of the batch, none is in the middle of a piece.
func (r *Reader) rewrite(o *output, i int, b *ring.Batch) error {
	if err := r.reopen(o); err != nil {
		return err
	}
	b.Outputs[i] = o.change()
	b.Number++
	return r.consumer.Prepare(b)
}

// published brings the streams and the counts in line with what the ring now has, after
// a batch.
func (r *Reader) published() error {
	for _, s := range r.streams {
		if s != nil {
			r.count(s)
			s.published = s.now
		}
	}
	r.stats.Unrouted += r.unrouted
	for _, rt := range r.routes {
		rt.stats.Records += rt.records
		rt.stats.Bytes += rt.bytes
	}
	return r.forget()
}

// forget drops the streams of lanes that ended and of which all is published. A
// lane's next owner gets a stream of its own.
func (r *Reader) forget() error {
	for i, s := range r.streams {
		if s == nil || !s.ended {
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
