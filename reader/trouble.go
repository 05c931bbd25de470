//go:build linux

package reader

import (
	"context"
	"fmt"
	"time"
)

const (
	// retryEvery is how long the reader waits before it tries a failing output again.
	retryEvery = 100 * time.Millisecond
	// giveUpAfter is how long a reader that is to end puts up with a failing output.
	giveUpAfter = 2 * time.Second
)

// trouble is something failing: said once when it begins, and once when it ends. Each
// output has its own, so that one that fails does not hide another.
type trouble struct {
	what, of, advice string
	failures         *uint64 // of its output; nil if it is about none

	err   error // nil while all is well; else what it began with
	since time.Time
	tried time.Time // by the reader's clock
	count int
}

// note counts a failed attempt. The first of a row is said.
func (r *Reader) note(t *trouble, err error) {
	t.count++
	t.tried = r.now()
	r.stats.Retries++
	if t.failures != nil {
		*t.failures++
	}
	if t.err != nil {
		r.consumer.CountError()
		return
	}
	t.err, t.since = err, time.Now()
	r.consumer.ReportError(err)
	r.say("%s trouble: %v; %s", t.what, err, t.advice)
}

// over says that what failed has succeeded.
func (r *Reader) over(t *trouble) {
	if t.err == nil {
		return
	}
	noun := "attempts"
	if t.count == 1 {
		noun = "attempt"
	}
	r.say("%s trouble is over after %v and %d %s: %s", t.what, time.Since(t.since).Round(time.Millisecond), t.count, noun, t.of)
	t.err, t.count = nil, 0
}

// untilDone makes step succeed for each of the outputs, in rounds.
func (r *Reader) untilDone(ctx context.Context, todo []*output, step func(*output) error) error {
	for {
		if todo = r.round(todo, step); len(todo) == 0 {
			return nil
		}
		if err := r.endure(ctx, longest(todo)); err != nil {
			return err
		}
	}
}

// longest is the trouble that has gone on for the longest time, of outputs that failed.
func longest(failed []*output) *trouble {
	first := &failed[0].writing
	for _, o := range failed[1:] {
		if t := &o.writing; t.err != nil && (first.err == nil || t.since.Before(first.since)) {
			first = t
		}
	}
	return first
}

// round makes one attempt at each output, and returns those that failed.
func (r *Reader) round(todo []*output, step func(*output) error) []*output {
	var again []*output
	for i, o := range todo {
		err := step(o)
		if err == nil {
			r.over(&o.writing)
			continue
		}
		r.note(&o.writing, err)
		if o.inPiece() {
			// Only the window vouches for its last bytes, and there is one window: this
			// one goes first, and nobody begins another piece before.
			return append(append([]*output{o}, again...), todo[i+1:]...)
		}
		again = append(again, o)
	}
	return again
}

// endure waits before the next attempt. It gives up, with an error, if the reader is to
// end and this has gone on for long.
func (r *Reader) endure(ctx context.Context, t *trouble) error {
	r.beat(time.Now())
	r.showStats()
	stopping := r.stopping || ctx.Err() != nil || r.leaving() && len(r.consumer.Attached()) == 0
	if stopping && time.Since(t.since) > giveUpAfter {
		return fmt.Errorf("reader: %s trouble for %v; the records stay in the ring: %w", t.what, giveUpAfter, t.err)
	}
	time.Sleep(retryEvery)
	return nil
}
