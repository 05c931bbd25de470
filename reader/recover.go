//go:build linux

package reader

import (
	"fmt"

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
	switch in.State {
	case ring.IntentPrepared:
		if err := r.rollback(&in); err != nil {
			return fmt.Errorf("reader: undoing the batch that an earlier reader left half written: %w", err)
		}
	case ring.IntentApplied:
		failpoint.Hit(failpoint.DrainRedo)
		if err := r.consumer.Publish(&in.Batch); err != nil {
			return fmt.Errorf("reader: publishing the batch that an earlier reader wrote: %w", err)
		}
	}
	r.consumer.ClearIntent()
	return nil
}

// rollback undoes in the outputs what was written of a prepared batch.
func (r *Reader) rollback(in *ring.Intent) error {
	for i, o := range in.Batch.Outputs {
		p := logfile.Pending{
			Path: o.Path, Device: o.Device, Inode: o.Inode, Before: o.Before, Length: o.Length, Pieces: o.Pieces,
			// Device numbers may change at a reboot.
			IgnoreDevice: in.Batch.BootID != r.consumer.BootID(),
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
