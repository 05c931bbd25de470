package main

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/reader"
)

// drain drains the ring at path and says what it did.
func drain(path string, o reader.Options) error {
	ctx, stop := untilSignal()
	defer stop()
	start := time.Now()
	r, err := reader.Open(path, o)
	var output *reader.OutputError
	switch {
	case errors.As(err, &output):
		return err
	case err != nil:
		return cli.Opening(err)
	}
	err = errors.Join(r.Run(ctx), r.Close())
	stats := r.Stats()
	say("%s", drainSummary(path, outcomeOf(stats, path), time.Since(start)))
	if err == nil && stats.Damaged > 0 {
		return cli.Exitf(cli.Damaged, "%s of %s were damaged; whole records came out", cli.Count(stats.Damaged, "part"), path)
	}
	return err
}

// untilSignal returns a context that ends at the first signal. The
// second one ends the process: what is under way is undone by the next drain.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := cli.Signals()
	go func() {
		<-signals
		cancel()
		second := (<-signals).(syscall.Signal)
		os.Exit(cli.Signalled + int(second))
	}()
	return ctx, cancel
}
