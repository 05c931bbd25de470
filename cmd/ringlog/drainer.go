package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/config"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// drainer is what `ringlog drain` was told to do.
type drainer struct {
	path    string // of the ring
	outs    *outputFlags
	config  *config.Config // what they say
	until   reader.Until
	remove  bool // the ring, at the end
	quiet   bool
	resume  []string // the words of a drain that goes on in the same outputs
	starter starter
}

// drain drains the ring and says what it did.
func (d *drainer) drain() error {
	// From now on: what comes while the outputs are opened is heeded when they are.
	signals := cli.Signals()
	a, err := openAttended(d.path, d.outs, d.config, d.until)
	if err != nil {
		return d.starter.failed(err)
	}
	ctx, stop := a.untilSignal(signals)
	defer stop()
	start := time.Now()
	d.starter.ready()
	a.ready()
	r := a.reader
	why, err := d.run(ctx, r)
	err = errors.Join(err, a.close())
	if o := outcomeOf(r.Stats(), d.path); !d.quiet || !o.flawless() {
		say("%s", drainSummary(d.path, o, time.Since(start)))
	}
	damaged := r.Stats().Damaged
	switch {
	case d.remove && err != nil && !errors.Is(err, ring.ErrTruncated): // and else nothing can be done with it
		why = "what could not be drained is in it"
	case err == nil && damaged > 0:
		err = cli.Exitf(cli.Damaged, "%s of %s were damaged; whole records came out", cli.Count(damaged, "part"), d.path)
	}
	if why != "" {
		until := "--once --remove"
		if d.until == reader.UntilDetached {
			until = "--until-detached --remove"
		}
		sayRingStays(d.path, why, until, d.resume)
		if err == nil {
			err = cli.Exit(cli.Refused, nil)
		}
	}
	return err
}

// run drains, and removes the ring if that is to be. Why is not empty if the ring was
// to be removed and stays.
func (d *drainer) run(ctx context.Context, r *reader.Reader) (why string, err error) {
	for tries := 0; ; {
		before := r.Stats().Batches
		if err = r.Run(ctx); err != nil || !d.remove {
			return "", err
		}
		if _, why, err = r.Remove(ctx); err != nil || why == "" {
			return why, err
		}
		// Somebody came at the last moment, and is to be drained until he goes. If it is
		// something else that keeps the ring, waiting has an end.
		if tries++; r.Stats().Batches > before {
			tries = 0
		}
		if ctx.Err() != nil || d.until != reader.UntilDetached || tries == removalTries {
			return why, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(removeAgain):
		}
	}
}

// How often a ring that nobody has is tried to be removed, and after which time again.
const (
	removalTries = 100
	removeAgain  = 10 * time.Millisecond
)

// untilSignal returns a context that ends at the first signal to end. The second one
// ends the process: what is under way is undone by the next drain.
func (a *attendant) untilSignal(signals <-chan os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	h := hangups{terminal()}
	next := func() syscall.Signal {
		for {
			s := (<-signals).(syscall.Signal)
			if !h.isReload(s) {
				return s
			}
			a.askReload()
		}
	}
	go func() {
		next()
		a.stopping()
		cancel()
		os.Exit(cli.Signalled + int(next()))
	}()
	return ctx, cancel
}
