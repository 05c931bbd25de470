package peer

import (
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// headStart is how far ahead of a burst its start is announced. Workers spin until
// then, so that they begin together although pipes wake them one by one.
const headStart = 300 * time.Microsecond

// Crew is all workers of a session. It is used by one goroutine.
type Crew []*Worker

// Burst makes every worker log n records at the same time, as fast as it can. It
// returns when they began, and what they took: the time on average over the workers,
// the lost ones of all of them.
func (c Crew) Burst(n int) (begin time.Time, all Took, err error) {
	begin = time.Now().Add(headStart)
	for _, w := range c {
		if err := w.order(order{what: "burst", start: begin, n: n}); err != nil {
			return begin, all, err
		}
	}
	for _, w := range c {
		t, err := readTook(w.answers)
		if err != nil {
			return begin, all, err
		}
		all.Time += t.Time / time.Duration(len(c))
		all.Lost += t.Lost
	}
	return begin, all, nil
}

// Paced makes every worker log n records, one each every; all begin at the same time.
// The histogram has the calls of all of them.
func (c Crew) Paced(n int, every time.Duration) (all Took, h *hdrhistogram.Histogram, err error) {
	begin := time.Now().Add(headStart)
	for _, w := range c {
		if err := w.order(order{what: "paced", start: begin, n: n, every: every}); err != nil {
			return all, nil, err
		}
	}
	h = NewHistogram()
	for _, w := range c {
		t, own, err := w.latencies()
		if err != nil {
			return all, nil, err
		}
		h.Merge(own)
		all.Time += t.Time / time.Duration(len(c))
		all.Lost += t.Lost
	}
	return all, h, nil
}

// Flush has all workers hand over what they logged, one after the other.
func (c Crew) Flush() error {
	for _, w := range c {
		if _, err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Logged is how many calls all workers were told to make so far.
func (c Crew) Logged() (n uint64) {
	for _, w := range c {
		n += w.logged
	}
	return n
}

// Close ends all workers.
func (c Crew) Close() error {
	var errs []error
	for _, w := range c {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}
