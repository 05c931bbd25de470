//go:build linux

package reader

import (
	"context"
	"fmt"

	"github.com/ringlog/ringlog/ring"
)

// Remove removes the ring if nobody is attached to it and all that it holds is in
// the outputs (O6): it keeps others from attaching, drains once more, and removes
// the file. If removed is false without an error the ring stays in use, and why
// says in a few words what it is for: "worker x (pid 7) is still attached". A
// worker's name in it is as the worker gave it, so clean it before it is printed.
//
// It is to be called when Run is not running and has not failed; ctx means what it
// means to Run. All that is left to do with a removed ring is Close.
//
// Errors: those of Run, and that the path is another file's by now. The ring then
// stays in use.
func (r *Reader) Remove(ctx context.Context) (removed bool, why string, err error) {
	if r.failed != nil {
		return false, "", fmt.Errorf("reader: Run failed before, so the ring stays: %w", r.failed)
	}
	err = r.consumer.Guard(func() (err error) {
		why, err = r.remove(ctx)
		return err
	})
	return why == "" && err == nil, why, err
}

// remove removes the ring, or says why it stays.
func (r *Reader) remove(ctx context.Context) (why string, err error) {
	switch ok, err := r.consumer.Retire(); {
	case err != nil:
		return "", err
	case !ok:
		return attached(r.consumer.Attached()), nil
	}
	removed := false
	defer func() {
		if !removed {
			r.consumer.Unretire()
		}
	}()
	if r.failed = r.drainRest(ctx); r.failed != nil {
		return "", r.failed
	}
	if what := r.consumer.Undrained(); what != "" {
		return what, nil
	}
	if err := r.consumer.Unlink(); err != nil {
		return "", err
	}
	removed = true
	return "", nil
}

// attached says who keeps a ring from being removed.
func attached(owners []ring.Owner) string {
	if len(owners) == 0 {
		return "a worker was just attaching to it"
	}
	who := "worker"
	if label := owners[0].Label; label != "" {
		who += " " + label
	}
	who += fmt.Sprintf(" (pid %d)", owners[0].PID)
	if more := len(owners) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more are still attached", who, more)
	}
	return who + " is still attached"
}
