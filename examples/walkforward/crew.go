package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ahead is how many trials a worker has been given and has not done: enough that it
// never waits for the next.
const ahead = 8

// look is how often a crew is looked at when nothing happens.
const look = 20 * time.Millisecond

// member is one worker, as the main process sees it.
type member struct {
	*process
	note  string  // path
	given []trial // all of them, in the order in which it does them
	open  []trial // the last of them: those without a result

	killed, ended bool
}

// kill kills the worker; it gets no more trials.
func (m *member) kill() error {
	m.killed = true
	return m.process.kill()
}

// accepted is what the worker has noted so far.
func (m *member) accepted() int { n := readNote(m.note); return n.total() }

// event is what a worker did: a result, or its end.
type event struct {
	*member
	result *result // nil: it ended
	dead   bool    // that is, it was killed
	err    error   // or failed
}

// crew is the workers of one run. It belongs to one goroutine.
type crew struct {
	members []*member
	events  chan event
}

// startCrew starts so many workers. Their notes are called base and their names.
func startCrew(workers int, base, study string, s *series) (*crew, error) {
	c := &crew{events: make(chan event)}
	for i := range workers {
		name := fmt.Sprintf("worker-%d", i+1)
		note := base + "." + name + ".accepted"
		p, err := start("worker", name, job{Worker: name, Study: study, Note: note, Prices: s})
		if err != nil {
			return nil, errors.Join(err, c.killAll())
		}
		m := &member{process: p, note: note}
		c.members = append(c.members, m)
		go c.listen(m)
	}
	return c, nil
}

// listen turns what a worker writes into events. What a killed one was writing at
// its death is no result.
func (c *crew) listen(m *member) {
	for {
		r := new(result)
		if m.hear.Decode(r) != nil {
			break
		}
		c.events <- event{member: m, result: r}
	}
	killed, err := m.wait()
	c.events <- event{member: m, dead: killed, err: err}
}

// run has the trials of d done. watch is called whenever something happened, and
// every 20 ms; run ends when d is finished or watch says so. The trials of a worker
// that was killed, by whomever, are done by the others; any other end of a worker
// is an error.
func (c *crew) run(ctx context.Context, d *desk, watch func() (enough bool, err error)) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		c.handOut(d)
		if enough, err := watch(); enough || err != nil || d.finished() {
			return err
		}
		select {
		case e := <-c.events:
			if err := e.settle(d); err != nil {
				return err
			}
			if c.living() == 0 {
				return cmp.Or(context.Cause(ctx), errors.New("no worker is left"))
			}
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// handOut gives trials to every worker that has few. A write fails if the worker
// has just ended; its event comes, and the trials are taken back.
func (c *crew) handOut(d *desk) {
	for _, m := range c.members {
		for !m.ended && !m.killed && len(m.open) < ahead {
			t, ok := d.next()
			if !ok {
				return
			}
			m.given, m.open = append(m.given, t), append(m.open, t)
			if m.tell.Encode(t) != nil {
				break
			}
		}
	}
}

// settle does what an event asks for.
func (e event) settle(d *desk) error {
	if e.result != nil {
		e.open = slices.DeleteFunc(e.open, func(t trial) bool { return t.Number == e.result.Trial })
		d.take(*e.result)
		return nil
	}
	d.takeBack(e.open)
	e.open, e.killed, e.ended = nil, e.dead, true
	return e.err
}

func (c *crew) living() (n int) {
	for _, m := range c.members {
		if !m.ended {
			n++
		}
	}
	return n
}

// end lets the workers finish what they have been given, and waits for their ends.
func (c *crew) end() error {
	var errs []error
	for _, m := range c.members {
		if !m.ended {
			m.in.Close() // one that has just ended has closed it already
		}
	}
	for c.living() > 0 {
		if e := <-c.events; e.result == nil {
			e.killed, e.ended = e.dead, true
			errs = append(errs, e.err)
		}
	}
	return errors.Join(errs...)
}

// killAll kills the workers and waits for their ends.
func (c *crew) killAll() error {
	var errs []error
	for _, m := range c.members {
		errs = append(errs, m.kill())
	}
	return errors.Join(append(errs, c.end())...)
}

// accepted is what all workers have noted so far.
func (c *crew) accepted() (total int) {
	for _, m := range c.members {
		total += m.accepted()
	}
	return total
}
