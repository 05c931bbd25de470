//go:build linux

package upkeep

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

// round is all that is done for an output at one occasion: its rotated files are
// compressed, and pruned; and the first that waits for its hook gets it. Each turn of the
// output is a part of it.
type round struct {
	Settings
	newest  string    // the last file that was known to be rotated when the round began
	first   *rotation // the first that waits for its hook; nil: none does
	todo    []string  // files that are still to be compressed
	planned string    // up to which file that was planned
	err     error     // the first that compression met
}

// turn does the next part of an output's round.
func (k *Keeper) turn(o *output) {
	if o.round == nil {
		o.round = k.begin(o)
	}
	more := true
	if len(o.round.todo) > 0 {
		k.compress(o.round)
	}
	if len(o.round.todo) == 0 {
		more = k.finish(o, o.round)
	}
	if len(o.round.todo) == 0 {
		o.round = nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if (more || o.asked) && !o.due {
		o.due = true
		k.due = append(k.due, o)
	}
	if o.idle() {
		delete(k.outputs, o.path)
	}
}

func (k *Keeper) begin(o *output) *round {
	k.mu.Lock()
	r := &round{Settings: o.settings, newest: o.newest}
	if len(o.waiting) > 0 {
		first := o.waiting[0]
		r.first = &first
	}
	untidy, leftOut := o.untidy, o.leftOut
	o.asked, o.untidy, o.leftOut = false, false, 0
	k.mu.Unlock()

	if leftOut > 0 {
		k.note(&o.crowding, fmt.Errorf("more than %d rotated files of %s wait for their hook", maxWaiting, o.path))
	}
	if untidy {
		if r.err = present(logfile.Tidy(o.path)); r.err != nil {
			k.mu.Lock()
			o.untidy = true
			k.mu.Unlock()
		}
	}
	k.plan(o, r)
	return r
}

// plan chooses what is to be compressed: nothing that will not be kept anyway.
func (k *Keeper) plan(o *output, r *round) {
	if r.Compression == logfile.None {
		return
	}
	keep := r.Keep
	keep.Size = 0           // archives may fit
	_ = k.prune(o, r, keep) // it is done once more
	todo, err := logfile.Uncompressed(o.path)
	if r.err == nil {
		r.err = present(err)
	}
	r.planned = r.last(o)
	for _, backup := range todo {
		if backup <= r.planned {
			r.todo = append(r.todo, backup)
		}
	}
}

// last is the last file that a round is about. Later ones wait for their hook, and are
// spared, unless that may take long; or they are in the middle of a rotation, which may yet
// fail.
func (r *round) last(o *output) string {
	if r.first != nil && !o.stuck() {
		return r.first.backup
	}
	return r.newest
}

// compress compresses the next file.
func (k *Keeper) compress(r *round) {
	backup := r.todo[0]
	r.todo = r.todo[1:]
	_, err := logfile.Compress(k.ctx, backup, r.Compression)
	switch {
	case err == nil:
		k.compressed.Add(1)
	case k.ctx.Err() != nil:
		r.todo = nil
	case present(err) == nil: // somebody removed it
	default:
		if r.err == nil {
			r.err = err
		}
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			r.todo = nil // the others would take what is left of the disk, from those who write
		}
	}
}

// finish prunes, and runs a hook. More says that another round is to follow.
func (k *Keeper) finish(o *output, r *round) (more bool) {
	if k.ctx.Err() != nil {
		return false
	}
	k.settle(&o.packing, r.err)
	k.settle(&o.pruning, k.prune(o, r, r.Keep))
	if r.first != nil {
		more = k.inform(o, r)
	}
	o.oldAt = time.Time{}
	if r.Keep.Age > 0 {
		if oldest, err := logfile.Oldest(o.path); err == nil && !oldest.IsZero() {
			o.oldAt = oldest.Add(r.Keep.Age)
		}
	}
	return more
}

// settle says whether something failed.
func (k *Keeper) settle(t *trouble, err error) {
	if err != nil {
		k.note(t, err)
	} else {
		k.over(t)
	}
}

// prune removes what is not to be kept.
func (k *Keeper) prune(o *output, r *round, keep logfile.Retention) error {
	removed, err := logfile.PruneUpTo(r.last(o), keep, time.Now())
	k.removed.Add(uint64(removed))
	return present(err)
}

// inform runs the hook of the first file that waits for it. More says that its turn is
// over, and others wait.
func (k *Keeper) inform(o *output, r *round) (more bool) {
	backup := r.first.backup
	rotated, there := logfile.Find(backup)
	switch {
	case !there:
		k.note(&o.informing, fmt.Errorf("%s is gone, and its hook was not run", backup))
		return k.served(o, backup)
	case rotated == backup && r.Compression != logfile.None: // it could not be compressed
		return k.sparesNone(o, r)
	}
	err := r.first.hook.run(k.ctx, k.grace, o.path, rotated)
	switch {
	case err == nil:
		k.hooks.Add(1)
		k.over(&o.informing)
		return k.served(o, backup)
	case k.ctx.Err() != nil:
		return false // it was given up
	}
	k.note(&o.informing, err)
	return k.sparesNone(o, r)
}

// sparesNone has the round go on without the hook, now that this may take long: for the
// files that were to come later. More says that it does.
func (k *Keeper) sparesNone(o *output, r *round) (more bool) {
	r.first, r.err = nil, nil
	if r.planned < r.newest {
		k.plan(o, r)
	}
	if len(r.todo) == 0 {
		k.settle(&o.pruning, k.prune(o, r, r.Keep))
	}
	return len(r.todo) > 0
}

// served takes the file off the list of those that wait for their hook. More says that
// others are on it.
func (k *Keeper) served(o *output, backup string) (more bool) {
	k.mu.Lock()
	if len(o.waiting) > 0 && o.waiting[0].backup == backup { // it may have had to make room
		o.waiting[0] = rotation{}
		o.waiting = o.waiting[1:]
	}
	more = len(o.waiting) > 0
	k.mu.Unlock()
	if !more {
		k.over(&o.crowding)
	}
	return more
}

// present is err, unless that says that a file or folder is not there: then nothing is to
// be done.
func present(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
