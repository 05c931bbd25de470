//go:build linux

package reader

import (
	"fmt"
	"slices"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// settle finishes what an earlier reader left in the middle, before anything else
// opens an output (D4): a prepared batch is undone in the outputs and stays in the
// ring, an applied one is published.
func (r *Reader) settle() error {
	in, err := r.consumer.Intent()
	if err != nil {
		// Without the intent nobody knows what is half written. The records are
		// still in the ring; delivering some again is better than none.
		r.say("%v; records of the last batch may be delivered twice", err)
		r.consumer.ReportError(err)
		r.consumer.ClearIntent()
		return nil
	}
	reboot := in.Batch.BootID != r.consumer.BootID()
	switch in.State {
	case ring.IntentPrepared:
		if err := r.rollback(&in, reboot); err != nil {
			return fmt.Errorf("reader: undoing the batch that an earlier reader left half written: %w", err)
		}
	case ring.IntentApplied:
		failpoint.Hit(failpoint.DrainRedo)
		if reboot {
			in.Batch.Lanes = slices.DeleteFunc(in.Batch.Lanes, r.claimedSince)
		}
		if err := r.consumer.Publish(&in.Batch); err != nil {
			return fmt.Errorf("reader: publishing the batch that an earlier reader wrote: %w", err)
		}
	}
	r.consumer.ClearIntent()
	return nil
}

// rollback undoes in the outputs what was written of a prepared batch.
// reboot says that another boot's reader prepared it.
func (r *Reader) rollback(in *ring.Intent, reboot bool) error {
	if reboot && !r.holds(&in.Batch) {
		r.say("%s is from before a reboot and no longer has all of the batch that was being written; the outputs stay as they are, and some of their last lines may come again", r.consumer.Path())
		return nil
	}
	for i, o := range in.Batch.Outputs {
		p := logfile.Pending{
			Path: o.Path, Device: o.Device, Inode: o.Inode, Before: o.Before, Length: o.Length, Pieces: o.Pieces,
			// Device numbers may change at a reboot.
			IgnoreDevice: reboot,
		}
		if in.Window != nil && in.WindowOutput == i {
			p.Window, p.WindowPiece = in.Window, in.WindowPiece
		}
		failpoint.Hit(failpoint.DrainUndo)
		result, err := logfile.Rollback(p)
		if err != nil {
			return err
		}
		switch result.Outcome {
		case logfile.Missing, logfile.Replaced, logfile.Foreign:
			r.say("%s is not as the last reader left it (%v); it stays as it is", o.Path, result.Outcome)
		}
	}
	return nil
}

// claimedSince says that the lane of a batch of another boot has an owner of this one.
// Where a power loss made the lane's entry older than the intent, that owner may have
// the generation that the intent means.
func (r *Reader) claimedSince(c ring.LaneChange) bool {
	l, err := r.consumer.Lane(c.Lane)
	if err != nil {
		return false
	}
	l.Owner() // tells the lane of which boot it is
	return !l.Aged()
}

// holds says whether the ring can deliver the whole of a prepared batch again. After a
// power loss its pages may be of different ages: the batch may be published although
// the intent does not say so, and its records written over. Then what the outputs have
// of it is all there is, and is not cut off (D6).
func (r *Reader) holds(b *ring.Batch) bool {
	for i := range b.Lanes {
		if !r.holdsLane(&b.Lanes[i]) {
			return false
		}
	}
	return true
}

// holdsLane reads what the batch took out of one lane, and compares the counts.
func (r *Reader) holdsLane(c *ring.LaneChange) bool {
	l, err := r.consumer.Lane(c.Lane)
	if err != nil || l.Generation() != c.Generation || r.claimedSince(*c) {
		return false
	}
	p, ok := l.Progress()
	end, _ := l.Produced()
	lost := l.Lost()
	if !ok || p.Consumer != c.From || c.To.Consumer > end || !l.Readable(c.From, end) || lost.Total() < c.To.LostSeen {
		return false
	}
	pos, to := c.From, c.To.Consumer
	l.Rewind(pos, to)
	for {
		it := l.Final(pos, to)
		switch it.Outcome {
		case ring.OutcomeRecord:
			if it.Kind != ring.KindOwner {
				p.Delivered++
			}
		case ring.OutcomeTorn:
			p.Torn++
		case ring.OutcomeDamaged:
			p.Damaged++
		default:
			return p.Delivered == c.To.Delivered && p.Torn == c.To.Torn && p.Damaged == c.To.Damaged
		}
		pos = it.Next
	}
}
