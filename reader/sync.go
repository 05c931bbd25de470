//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// syncDue does what SyncInterval asks for, between two batches: the ring then says no
// more than that the outputs have what they have.
func (r *Reader) syncDue(now time.Time) {
	if r.opts.Sync != SyncInterval || r.kept == r.stats.Batches || now.Sub(r.synced) < r.opts.SyncEvery {
		return
	}
	// An error is said, and the next attempt is due after as long again.
	_ = r.syncAll()
	r.showStats()
}

// syncRest leaves nothing unsynced, for the end of a run.
func (r *Reader) syncRest() error {
	if r.opts.Sync != SyncInterval || r.kept == r.stats.Batches {
		return nil
	}
	defer r.showStats()
	if err := r.syncAll(); err != nil {
		return fmt.Errorf("reader: everything is written, but not all of it is on disk: %w", err)
	}
	return nil
}

// syncAll syncs the outputs and then, if they all are on disk, the ring: what it says
// of them must not outlive a power loss that they don't (D6).
func (r *Reader) syncAll() error {
	r.synced = time.Now()
	var errs []error
	for _, o := range r.outputs {
		if o.file == nil || !o.file.Unsynced() {
			continue
		}
		failpoint.Hit(failpoint.DrainSync)
		if err := o.file.Sync(); err != nil {
			r.note(&o.syncing, err)
			errs = append(errs, err)
			continue
		}
		r.over(&o.syncing)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := r.consumer.Sync(); err != nil {
		r.note(&r.syncing, err)
		return err
	}
	r.over(&r.syncing)
	r.kept = r.stats.Batches
	r.stats.Syncs++
	return nil
}

// syncRing syncs the ring in the middle of a batch whose outputs are on disk.
func (r *Reader) syncRing(ctx context.Context) error {
	for {
		err := r.consumer.Sync()
		if err == nil {
			r.over(&r.syncing)
			r.stats.Syncs++
			return nil
		}
		r.note(&r.syncing, err)
		if err := r.endure(ctx, &r.syncing); err != nil {
			return err
		}
	}
}

// letGo syncs o's file, if there is a policy, before it is closed or gets another name:
// nobody could do so later.
func (r *Reader) letGo(o *output) error {
	if r.opts.Sync == SyncNone || o.file == nil || !o.file.Unsynced() {
		return nil
	}
	failpoint.Hit(failpoint.DrainSync)
	return o.file.Sync()
}
