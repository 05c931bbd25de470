//go:build linux

package reader

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// linger is how long after its last work the reader looks by itself before it
	// sleeps on its futex word. A writer's wake-up costs the writer 5 µs; as long
	// as records keep coming, none is needed.
	linger = 5 * time.Millisecond
	// napAtLeast is added to the time at which a record is due: to look just before it
	// would be to look twice.
	napAtLeast = 20 * time.Microsecond
	// sleepAtMost bounds a sleep: dead owners are looked for this often, and a
	// wake-up that went missing costs no more (D9).
	sleepAtMost = 100 * time.Millisecond
	// heartbeatEvery is how often the reader says that it lives.
	heartbeatEvery = time.Second
)

// pacer decides how long to wait between batches.
type pacer struct {
	reader *Reader
	worked time.Time // when there was work last
}

// wait waits until it is worth looking again. What did not fit a batch, and a lane that is
// filling up, are worth looking at now; else records gather for a grace period, which makes batches of
// them; with nothing at all to do the reader sleeps until it is woken.
func (p *pacer) wait(ctx context.Context, now time.Time, progressed bool) {
	if p.reader.full {
		p.worked = now
		return // the batch ended, and what is due did not
	}
	held := !p.reader.demand.at.IsZero()
	for _, s := range p.reader.streams {
		if s == nil {
			continue
		}
		if s.end-s.now.Consumer > s.lane.Size()/4 && s.have {
			return
		}
		held = held || s.have || s.final
	}
	if progressed || held {
		p.worked = now
	}
	if now.Sub(p.worked) < linger {
		nap := p.reader.opts.Grace
		if w := p.reader.wait; !progressed && w > 0 {
			nap = min(nap, w+napAtLeast) // there is no batch to be gathered, only one that is late
		}
		sleep(nap)
		return
	}
	p.reader.consumer.Sleep(sleepAtMost, func() bool { return ctx.Err() != nil || p.reader.ready() })
}

// sleep sleeps for d, or less if a signal comes. time.Sleep, in a process that does nothing
// else, takes a millisecond at least, and now and then two more.
func sleep(d time.Duration) {
	t := unix.NsecToTimespec(d.Nanoseconds())
	_ = unix.Nanosleep(&t, nil) // a signal is all that can go wrong
}

// beat says, now and then, that the reader lives.
func (r *Reader) beat(now time.Time) {
	if now.Sub(r.beaten) < heartbeatEvery {
		return
	}
	r.beaten = now
	r.consumer.Heartbeat()
	if r.opts.Alive != nil {
		r.opts.Alive()
	}
}
