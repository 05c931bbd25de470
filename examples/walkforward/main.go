// Command walkforward is a walk-forward optimisation that logs through ringlog: the
// trials of a moving-average crossover strategy are spread over worker processes,
// which log to app, orders and trades.
//
// In the first run this process drains the ring (reader.Start), and one worker is
// killed in the middle; the others take its trials over. In the second the reader is
// a process of its own, and everything is killed, reader included; what the dead left
// in the ring is shown, and then drained by a new reader. After each run the records
// are counted in the files and compared with what each worker noted as accepted. The
// exit code is 0 only if none was lost, doubled, out of order or changed.
//
// What a program of your own needs is in worker.go (attach, log) and first.go (start,
// close); strategy, judge and the rest are what it is shown with.
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
	"syscall"
)

func main() {
	var err error
	if task, ok := role(os.Args); ok {
		err = task()
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = run(ctx, os.Args[1:], os.Stdout)
		stop()
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "walkforward:", err)
		os.Exit(1)
	}
}

const usage = `Usage: walkforward [flags]

Finds the best moving averages of each window of a price series in worker processes,
tries them on what came next, kills some of the processes, and shows that no line of
the log is missing.

  walkforward                          prices made up from a seed
  walkforward --prices sp500.csv       your own: a column date, a column close or price
  walkforward --dir logs --workers 8   where the logs go, and how many processes

Flags:
`

// run does what the arguments ask for.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("walkforward", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprint(out, usage)
		flags.PrintDefaults()
	}
	prices := flags.String("prices", "", "`FILE` of prices (CSV); default: daily prices of 30 years, made up")
	seed := flags.Uint64("seed", 1, "what prices are made up from: the same `number`, the same prices")
	workers := flags.Int("workers", 4, "`number` of worker processes, 2 to 64")
	study := flags.String("study", "walkforward", "`name` of the study in the log")
	dir := flags.String("dir", "", "`folder` for the logs, new or empty; default: a temporary one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *workers < 2 || *workers > 64 || flags.NArg() > 0 {
		return fmt.Errorf("%d workers, arguments %q: want 2 to 64 workers and no arguments", *workers, flags.Args())
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_.-]+$`).MatchString(*study) {
		return fmt.Errorf("study %q: want a name of letters, digits, dots and dashes", *study)
	}
	s, err := generate(*seed), error(nil)
	if *prices != "" {
		s, err = loadPrices(*prices)
	}
	if err != nil {
		return err
	}
	folder, err := makeDir(*dir)
	if err != nil {
		return err
	}
	return (&show{
		series: s, market: newMarket(s), plan: newPlan(s),
		study: *study, workers: *workers, dir: folder, out: out,
	}).run(ctx)
}
