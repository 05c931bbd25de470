// Command bench measures what an append to a ring costs, side by side with the
// floors it is made of, and how fast a drain takes records from workers to a file.
//
//	cd bench && go run . --rounds 15 --json result.json
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	if path := os.Getenv(workerVariable); path != "" {
		exit(serve(path, os.Stdin, os.Stdout))
	}
	if os.Getenv(readerVariable) != "" {
		exit(serveDrains(os.Stdin, os.Stdout))
	}
	// An interrupted run removes its files: they take memory.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if errors.Is(err, flag.ErrHelp) {
		err = nil
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 11, "rounds over all lines")
	round := flags.Duration("time", 100*time.Millisecond, "measured time of a line in one round")
	only := flags.String("only", "", "measure only lines that match this regular expression")
	smoke := flags.Bool("smoke", false, "run everything once, for a moment: to see that it works")
	save := flags.String("json", "", "save all samples to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *smoke {
		*rounds, *round = 1, time.Millisecond
	}
	if *rounds < 1 || *round <= 0 {
		return fmt.Errorf("%d rounds of %v: want at least one, of some time", *rounds, *round)
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	chosen := choose(everything, pattern)
	if len(chosen) == 0 {
		return fmt.Errorf("--only %q matches no line", *only)
	}
	dir, err := os.MkdirTemp(memoryDir(), "ringlog-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	r := report{Started: time.Now(), Host: thisHost(), Rounds: *rounds, Round: *round}
	if r.Results, err = measure(ctx, chosen, dir, *rounds, *round); err != nil {
		return err
	}
	if err := r.print(out); err != nil || *save == "" {
		return err
	}
	return r.save(*save)
}
