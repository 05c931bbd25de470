package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
)

// sayWaitingAfter is how long a run waits for others before it says so.
const sayWaitingAfter = 500 * time.Millisecond

// lastMoment is how long after the signal that ends it all the draining may still end
// by itself.
const lastMoment = 200 * time.Millisecond

// windUp waits for whoever goes on after the command has ended, up to the linger, and
// drains the rest. A signal ends the waiting. A second one ends it all, and is
// returned: what is not drained stays in the ring.
func (r *run) windUp() (abandoned syscall.Signal, err error) {
	patience, lose := context.WithTimeout(context.Background(), r.linger)
	defer lose()
	for len(r.signals) > 0 {
		if s := <-r.signals; s == syscall.SIGTERM || s == syscall.SIGHUP {
			lose()
		} // others may be what has ended the command
	}
	second := make(chan syscall.Signal, 1)
	go func() {
		untilAsked(r.signals)
		lose()
		second <- untilAsked(r.signals)
	}()
	slow := time.AfterFunc(sayWaitingAfter, func() {
		if err := cli.Guard(func() error { r.sayWaiting(patience); return nil }); err != nil {
			say("%s", cli.Message(err))
		}
	})
	if r.capture != nil {
		err = r.capture.finish(patience)
	}
	r.untilDetached(patience)
	slow.Stop()
	r.draining.finish()
	select {
	case <-r.draining.ended:
	case abandoned = <-second:
		select {
		case <-r.draining.ended: // all but over when the signal came
			abandoned = 0
		case <-time.After(lastMoment):
		}
	}
	return abandoned, err
}

// untilAsked waits for a signal that asks the run to end.
func untilAsked(signals <-chan os.Signal) syscall.Signal {
	for {
		if s := <-signals; asksToEnd(s) {
			return s.(syscall.Signal)
		}
	}
}

// untilDetached waits until no worker is attached, the draining has ended, or ctx has.
func (r *run) untilDetached(ctx context.Context) {
	const lookEvery = 20 * time.Millisecond
	for r.view.attached() {
		select {
		case <-ctx.Done():
			return
		case <-r.draining.ended:
			return
		case <-time.After(lookEvery):
		}
	}
}

// sayWaiting says whom the run waits for, if that is anybody and ctx has not ended.
func (r *run) sayWaiting(ctx context.Context) {
	var whom []string
	if workers := othersAttached(r.view.Path()); workers != "" {
		whom = append(whom, workers)
	}
	if r.capture != nil && r.capture.open() {
		whom = append(whom, "a process that still has the command's output (--capture)")
	}
	if len(whom) > 0 && ctx.Err() == nil {
		say("waiting up to %v for %s", r.linger, strings.Join(whom, ", and for "))
	}
}

// othersAttached names the workers that are attached to the ring at path, but for
// this process: "worker x (pid 7) and 2 more". It looks for itself, since a view is
// for one goroutine.
func othersAttached(path string) string {
	r, err := status.Read(path)
	if err != nil {
		return "" // somebody truncated the ring: the reader says so
	}
	text, more := "", 0
	for _, l := range r.Lanes {
		switch {
		case l.State != "live" || l.PID == uint64(os.Getpid()):
		case text == "":
			text = strings.TrimRight("worker "+cli.Clean(l.Worker), " ") + fmt.Sprintf(" (pid %d)", l.PID)
		default:
			more++
		}
	}
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
