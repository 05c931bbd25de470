package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

func appendCommand() *cobra.Command {
	var path cli.RingPath
	var logger, level, worker, policy string
	var timeout time.Duration
	var create bool
	cmd := &cobra.Command{
		Use:   "append",
		Short: "Make records of the lines of standard input",
		Long: `Append makes a record of each line of standard input, byte for byte, without its
newline. An empty line is an empty record; a last line without a newline is a
record.

A line that is larger than the largest record, an eighth of a lane, is lost, never
cut. With records lost, for this or for want of room, append goes on to the end of
its input, says how many were lost and why, and exits with 5.

SIGTERM and SIGHUP end it: it reads no more, appends the lines that it has read, for
2 seconds or until another signal, says how many are left over then, and exits with
128 and the signal's number. A first SIGINT changes nothing, since a terminal sends
it to the whole pipeline and the input is about to end; a second one ends it like
SIGTERM. Signals that were ignored when it started stay ignored.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := parsePolicy(policy)
			if err != nil {
				return err
			}
			if timeout <= 0 {
				return cli.Usagef("--timeout %v: want more than 0, or --policy drop", timeout)
			}
			lv, err := record.ParseLevel(level)
			if err != nil {
				return cli.Usage(err)
			}
			if len(logger) > record.MaxLogger {
				return cli.Usagef("--logger has %d bytes: want at most %d", len(logger), record.MaxLogger)
			}
			if worker == "" {
				return cli.Usagef("--worker is empty: name the worker, or leave the flag out")
			}
			to := appender{level: lv}
			if cmd.Flags().Changed("logger") {
				to.entry = &record.Entry{Logger: logger}
			}
			named, err := cli.NamedOrNew(string(path), create)
			if err != nil {
				return err
			}
			if to.largest, err = largestRecord(named); err != nil {
				return cli.Opening(err)
			}
			in, err := newInput(os.Stdin)
			if err != nil {
				return err
			}
			// Before the lane is taken: from then on a signal must find it closed.
			signals := cli.Signals()
			if to.w, err = writer.Open(named, writer.Options{Label: worker, Policy: p, Timeout: timeout}); err != nil {
				return cli.Opening(err)
			}
			return to.run(in, signals)
		},
	}
	f := cmd.Flags()
	f.Var(&path, "ring", "path of the ring (default $RINGLOG_RING)")
	f.BoolVar(&create, "create", false, "make the ring if there is none")
	f.StringVar(&logger, "logger", "", "log records of this logger, instead of raw ones")
	f.StringVar(&level, "level", "info", "level of the records: debug, info, warning, error, critical, each with +N or -N")
	f.StringVar(&worker, "worker", "append", "name of this worker in the log")
	f.StringVar(&policy, "policy", "block", "what to do when the lane is full: block (for --timeout, then lose the record) or drop")
	f.DurationVar(&timeout, "timeout", writer.DefaultTimeout, "how long to wait for the reader, in all, until it gives room back")
	return cmd
}

func parsePolicy(s string) (writer.Policy, error) {
	switch s {
	case "block":
		return writer.PolicyBlock, nil
	case "drop":
		return writer.PolicyDrop, nil
	}
	return 0, cli.Usagef("--policy %q: want block or drop", s)
}

// largestRecord is the size in bytes that no record of the ring exceeds.
func largestRecord(path string) (int, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return 0, err
	}
	if err := in.Close(); err != nil {
		return 0, fmt.Errorf("closing %s: %w", path, err)
	}
	return int(in.Ring().LaneSize / 8), nil
}
