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
	"syscall"
)

func main() {
	var err error
	if task, ok := role(os.Args); ok {
		err = task()
	} else {
		err = run(untilSignal(context.Background()), os.Args[1:], os.Stdout)
	}
	code := exitCode(err)
	if code != 0 && code != exitCode(stopped{syscall.SIGPIPE}) { // who has stopped reading wants no more
		fmt.Fprintln(os.Stderr, "walkforward:", err)
	}
	os.Exit(code)
}

// exitCode is 2 for an error of usage, 128 and its number for a signal, 1 for all
// other errors.
func exitCode(err error) int {
	s, signalled := errors.AsType[stopped](err)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case signalled:
		return 128 + int(s.Signal)
	case errors.Is(err, errUsage):
		return 2
	}
	return 1
}

// run does what the arguments ask for.
func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if err != nil {
		return err
	}
	s, err := o.series()
	if err != nil {
		return err
	}
	dir, err := makeDir(o.dir)
	if err != nil {
		return err
	}
	ctx, pipe := newOutlet(ctx, out)
	err = (&show{
		series: s, market: newMarket(s), plan: newPlan(s),
		study: o.study, workers: o.workers, dir: dir, out: pipe, redraws: redraws(out, os.Getenv("TERM")),
	}).run(ctx)
	switch {
	case err == nil:
		return nil
	case o.dir == "" && errors.Is(err, stopped{syscall.SIGPIPE}):
		// Nobody would ever learn of the folder.
		return errors.Join(err, os.RemoveAll(dir))
	}
	return fmt.Errorf("%w\nWhat there is lies in %s; to remove it: rm -r %s", err, dir, quote(dir))
}
