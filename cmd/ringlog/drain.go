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
	var create, once, untilDetached, remove, quiet bool
	readyFD := notTold
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

Drain runs until SIGINT or SIGTERM; then it drains what is there and exits with 0, or at
once at a second signal. SIGHUP has it load --config anew and open the outputs again, as
log rotation by others wants it; a configuration with a mistake changes nothing. If it is
the terminal that hangs up, drain ends. Signals that were ignored when it started stay
ignored. Under systemd it says when it is ready, and feeds the watchdog. It exits with 6 if it met damage in the ring. Lost and torn records are the
workers' fate, not its own: it reports them and exits with 0.

--remove removes the ring at the end, if nobody is attached and nothing is left in it.
With --until-detached, drain goes on if somebody attached at the last moment. A ring
that it may not remove stays; it says why and how to go on, and exits with 4.

A program that starts drain gives it the writing end of a pipe as --ready-fd, and reads
from the other end: "ready" and a newline once the outputs are open and nothing is in
the way of draining; or, instead of on standard error, what is; or nothing, if drain
ended before it came so far.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case once && untilDetached:
				return cli.Usagef("--once and --until-detached exclude each other")
			case remove && !once && !untilDetached:
				return cli.Usagef("--remove is for --until-detached and --once: a drain without an end removes nothing")
			}
			d := drainer{outs: &outs, remove: remove, quiet: quiet, resume: outs.words()}
			var err error
			if d.starter, err = tell(readyFD); err != nil {
				return err
			}
			if d.config, err = outs.load(); err != nil {
				return d.starter.failed(err)
			}
			switch {
			case once:
				d.until = reader.UntilEmpty
			case untilDetached:
				d.until = reader.UntilDetached
			}
			if d.path, err = cli.NamedOrNew(string(path), create); err != nil {
				return d.starter.failed(err)
			}
			err = d.drain()
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
	f.BoolVar(&remove, "remove", false, "with --until-detached or --once: remove the ring at the end, if nothing is left of it")
	f.BoolVar(&quiet, "quiet", false, "say nothing at the end if all is in the outputs, and no worker vanished")
	f.IntVar(&readyFD, "ready-fd", notTold, "descriptor of a pipe, to tell who started drain that it runs, or why not")
	return cmd
}
