//go:build linux

package reader

import (
	"context"
	"time"
)

const (
	// linger is how long after its last work the reader looks by itself before it
	// sleeps on its futex word. A writer's wake-up costs the writer 5 µs; as long
	// as records keep coming, none is needed.
	linger = 5 * time.Millisecond
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

// wait waits until it is worth looking again. A lane that is filling up is worth
// looking at now; else records gather for a grace period, which makes batches of
// them; with nothing at all to do the reader sleeps until it is woken.
func (p *pacer) wait(ctx context.Context, now time.Time, progressed bool) {
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
		time.Sleep(p.reader.opts.Grace)
		return
	}
	p.reader.consumer.Sleep(sleepAtMost, func() bool { return ctx.Err() != nil || p.reader.ready() })
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
