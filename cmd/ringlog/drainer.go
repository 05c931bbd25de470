package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

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
	fmt.Fprintln(os.Stderr, summary(path, stats, time.Since(start)))
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

// summary is the one line that a drain ends with.
func summary(path string, s reader.Stats, took time.Duration) string {
	line := fmt.Sprintf("ringlog: %s: %s of %s in %v (%s), %d vanished, %d lost, %d torn, %d damaged, %s",
		cli.Clean(path), cli.Count(s.Records, "record"), cli.Count(s.Workers, "worker"), took.Round(time.Millisecond),
		rate(s.Records, took), s.Vanished, s.Lost, s.Torn, s.Damaged, cli.Count(s.Rotations, "rotation"))
	if s.Moved > 0 {
		line += fmt.Sprintf(", %s moved by others", cli.Count(s.Moved, "output"))
	}
	return line
}

func rate(n uint64, took time.Duration) string {
	return humanize.Comma(int64(float64(n)/max(took.Seconds(), 1e-6))) + " records/s"
}
