//go:build linux

package reader

import (
	"errors"
	"os"
	"time"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/schedule"
)

// Files are rotated between two batches, when no intent names them. What is then done
// with the rotated file is done in the background, by package upkeep.

// planRotation prepares for the rotations of o's file, if it is one, that was just opened.
// It rotates it at once if that was due already: while no reader was there, or when an
// earlier one died just before. In the middle of a batch that has to wait.
func (r *Reader) planRotation(o *output) {
	if o.file == nil || o.stale {
		return
	}
	if o.route.template == nil {
		r.keeper.Opened(o.file.Path(), o.route.Rotated)
	}
	now := r.now()
	since := now
	// What is in the file is as old as the last write to it.
	if info, err := os.Stat(o.file.Path()); err == nil && info.Size() > 0 && info.ModTime().Before(now) {
		since = info.ModTime()
	}
	r.planClock(o, since)
	due, err := o.file.NeedsRotation(o.route.Rotation.Size)
	if due = due || o.dueByClock(now); !r.prepared && (due || err != nil) {
		r.rotate(o, err)
	}
}

// planClock notes when the clock next rotates o's file, after since.
func (r *Reader) planClock(o *output, since time.Time) {
	o.rotateAt = time.Time{}
	if o.route.Rotation.Clock != (schedule.Schedule{}) {
		o.rotateAt = o.route.Rotation.Clock.Next(since.In(r.opts.Location))
	}
}

func (o *output) dueByClock(now time.Time) bool {
	return !o.rotateAt.IsZero() && !o.rotateAt.After(now)
}

// overdue says that it is time to try again what failed when the clock asked for it.
func (o *output) overdue(now time.Time) bool {
	return o.rotating.err != nil && o.dueByClock(now) && now.Sub(o.rotating.tried) >= retryEvery
}

// demand is a rotation that somebody asked for.
type demand struct {
	at    time.Time // when that was seen; zero: nobody asked
	count uint64    // of those who had asked by then
}

// noteDemand looks whether somebody asked for a rotation.
func (r *Reader) noteDemand(now time.Time) {
	if count, asked := r.consumer.RotationAsked(); asked && r.demand.at.IsZero() {
		r.demand = demand{now, count}
	}
}

// turn is the earliest time at which the clock rotates a file, or somebody asked for
// it, if horizon has reached it: records from before are to be in the file that is set
// aside, and others in the next one. A file whose rotation fails is not waited for.
func (r *Reader) turn(horizon int64) (at time.Time, due bool) {
	if d := r.demand.at; !d.IsZero() && d.UnixNano() <= horizon {
		at, due = d, true
	}
	for _, o := range r.outputs {
		if o.rotateAt.IsZero() || o.rotateAt.UnixNano() > horizon || o.rotating.err != nil || o.rotateAt.After(r.now()) {
			continue
		}
		if !due || o.rotateAt.Before(at) {
			at, due = o.rotateAt, true
		}
	}
	return at, due
}

// rotateDue rotates the files that are due: because of the size that the batch gave
// them; or by the clock or on demand, if turned says that what was logged before is in
// them.
func (r *Reader) rotateDue(turned time.Time) {
	asked := !r.demand.at.IsZero() && !r.demand.at.After(turned)
	for _, o := range r.outputs {
		if o.file == nil || o.stale {
			continue
		}
		due, err := asked, error(nil)
		switch {
		case asked, o.dueByClock(turned), o.overdue(r.now()):
			due = true
		case o.joined && len(o.buf) > 0:
			due, err = o.file.NeedsRotation(o.route.Rotation.Size)
		}
		if due || err != nil {
			r.rotate(o, err)
		}
	}
	if asked {
		r.consumer.ServeRotation(r.demand.count)
		r.demand = demand{}
	}
}

// rotate rotates o's file, unless it is empty, or err already says why that cannot be
// done. Trouble with it is said, and it is tried again at the next occasion; the file that
// is open goes on.
func (r *Reader) rotate(o *output, err error) {
	size, sizeErr := o.file.Size()
	if err = errors.Join(err, sizeErr); err == nil && size > 0 {
		err = r.setAside(o)
	}
	switch {
	case err == nil:
		r.over(&o.rotating)
		r.planClock(o, r.now())
	case errors.Is(err, logfile.ErrMoved), errors.Is(err, logfile.ErrRemoved):
		o.stale = true // as when a batch finds out
	default:
		r.note(&o.rotating, err)
	}
}

func (r *Reader) setAside(o *output) error {
	if err := r.letGo(o); err != nil {
		return err
	}
	backup, err := o.file.Rotate()
	if err != nil {
		return err
	}
	o.before, o.written = 0, 0 // the new file's
	r.stats.Rotations++
	o.route.stats.Rotations++
	r.keeper.Rotated(o.file.Path(), backup, o.route.Rotated)
	if err := o.endPartialLine(r.say); err != nil {
		return err
	}
	o.before, err = o.file.Size()
	return err
}
