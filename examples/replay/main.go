// Command replay shows ringlog at work, in two acts.
//
// Act one: several worker processes replay logs through one ring into rotating
// files that this process writes; one worker is killed in the middle. Act two: the
// reader is a process of its own, and everything is killed, reader included; what
// the dead left in the ring is shown, and then drained by a new reader. After each
// act the lines are counted in the files and compared with what each worker noted
// as accepted. The exit code is 0 only if none was lost, doubled, out of order or
// changed.
//
//	go run ./examples/replay [--lines N] [--logs FOLDER] [--dir FOLDER]
//
// Read worker.go for the side that logs and drain.go for the side that reads.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if role, ok := roleOf(os.Args); ok {
		err = role(ctx)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "replay:", err)
		os.Exit(1)
	}
}

// show is what the demonstration was asked for.
type show struct {
	dir     string // everything is made here
	logs    string // where the sources come from; empty: made up
	sources []source
	lines   int // lines that each worker replays in act one
	out     io.Writer
}

// run plays both acts.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(out)
	dir := flags.String("dir", "", "`folder` for the ring and the logs; default: a new temporary one")
	logs := flags.String("logs", os.Getenv("LOGS"), "replay the *.log files of this `folder`, each in a worker; default: $LOGS, or lines made up from a fixed seed")
	lines := flags.Int("lines", 150_000, "lines that each worker replays, its file again and again")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *lines < 1 || flags.NArg() > 0 {
		return fmt.Errorf("%d lines, arguments %q: want at least one line and no arguments", *lines, flags.Args())
	}
	s := show{logs: *logs, lines: *lines, out: out}
	var err error
	if s.sources, err = loadSources(*logs); err != nil {
		return err
	}
	if s.dir, err = makeDir(*dir); err != nil {
		return err
	}
	if err := s.actOne(ctx); err != nil {
		return fmt.Errorf("act one: %w", err)
	}
	if err := s.actTwo(ctx); err != nil {
		return fmt.Errorf("act two: %w", err)
	}
	fmt.Fprintf(out, "\nEverything lies in %s; remove that folder when you have seen enough.\n", s.dir)
	return nil
}

// path is where a file of the demonstration lies.
func (s *show) path(name string) string { return filepath.Join(s.dir, name) }

// makeDir returns an absolute path: the other processes get it too.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "ringlog-demo-")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}
