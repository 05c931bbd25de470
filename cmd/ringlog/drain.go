package main

import (
	"errors"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/reader"
)

func drainCommand() *cobra.Command {
	var path cli.RingPath
	var create, once, untilDetached bool
	var outs outputFlags
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Drain a ring into log files",
		Long: `Drain takes records out of the ring and writes them to the outputs, in order of
time; each record is in each of its files exactly once, however often drain was
killed. Only one drain can use a ring, and only one ring an output.

` + outputForms + `
"-" is standard output, the default; there, in pipes and on devices, the last records
may appear twice after a crash.

Drain runs until SIGINT, SIGTERM or SIGHUP; then it drains what is there and exits
with 0, or at once at a second signal. Signals that were ignored when it started stay
ignored. It exits with 6 if it met damage in the ring. Lost and torn records are the
workers' fate, not its own: it reports them and exits with 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if once && untilDetached {
				return cli.Usagef("--once and --until-detached exclude each other")
			}
			o, err := outs.options()
			if err != nil {
				return err
			}
			switch {
			case once:
				o.Until = reader.UntilEmpty
			case untilDetached:
				o.Until = reader.UntilDetached
			}
			named, err := cli.NamedOrNew(string(path), create)
			if err != nil {
				return err
			}
			err = drain(named, o)
			if errors.Is(err, syscall.EPIPE) && cmd.Flags().Changed("out") {
				err = cli.Exit(cli.Failed, err) // a pipe that was named, not one that was typed
			}
			return err
		},
	}
	f := cmd.Flags()
	f.Var(&path, "ring", "path of the ring (default $RINGLOG_RING)")
	f.BoolVar(&create, "create", false, "make the ring if there is none")
	outs.define(cmd, "-")
	f.BoolVar(&once, "once", false, "end when what is in the ring now is drained")
	f.BoolVar(&untilDetached, "until-detached", false, "end when no worker is attached any more and all is drained; in an unused ring, wait for the first worker")
	return cmd
}
