package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// stopped is the error of a run that a signal ended, or that nobody reads any more.
type stopped struct{ syscall.Signal }

func (s stopped) Error() string { return fmt.Sprintf("stopped by a signal (%v)", s.Signal) }

// untilSignal returns a context that ends with the first SIGINT, SIGTERM or SIGHUP,
// which is its cause. More of them change nothing: timeout(1) sends each twice, and a
// run that was stopped kills its workers, so that it is over in a moment. Signals that
// were ignored when the process began stay ignored.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	// A pipe that nobody reads would end us where we stand, with a ring in memory.
	// Caught, it is an error of the write. The processes that we start do not inherit
	// that, as they would if it were ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go func() {
		if s, ok := (<-signals).(syscall.Signal); ok {
			cancel(stopped{s})
		}
	}()
	return ctx
}

// outlet is a writer whose first failure ends a run. It belongs to one goroutine.
type outlet struct {
	to   io.Writer
	run  context.Context
	stop context.CancelCauseFunc
}

// newOutlet returns an outlet to a writer, and the context of the run that it ends.
func newOutlet(parent context.Context, to io.Writer) (context.Context, *outlet) {
	ctx, stop := context.WithCancelCause(parent)
	return ctx, &outlet{to, ctx, stop}
}

// Write implements io.Writer. Its error is why the run ends: a terminal that hangs up
// also sends a signal, which says more.
func (o *outlet) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, syscall.EPIPE) {
		err = stopped{syscall.SIGPIPE}
	}
	o.stop(fmt.Errorf("writing the report: %w", err))
	return n, context.Cause(o.run)
}
