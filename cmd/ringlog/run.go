package main

import (
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/ring"
)

// run is a command, with the ring and the reader that are there for it.
type run struct {
	command *exec.Cmd
	made    bool // the ring, and so it is to be removed
	linger  time.Duration
	resume  []string // the words of a drain that goes on in the same outputs

	began    time.Time
	view     *view
	signals  <-chan os.Signal
	draining *draining
	capture  *capture // nil: the command prints as it likes
}

func runCommand() *cobra.Command {
	var path cli.RingPath
	var lanes int
	var capturing bool
	var linger time.Duration
	var outs outputFlags
	size := cli.Size(ring.DefaultLaneSize)
	cmd := &cobra.Command{
		Use:                   "run [flags] -- COMMAND [ARGS...]",
		DisableFlagsInUseLine: true,
		Short:                 "Run a command, and drain what its processes log",
		Long: `Run makes a ring in memory, runs the command with RINGLOG_RING set to it, and
drains it all the while. When the command has ended it waits up to --linger for
processes that are still attached, drains the rest, says in one line what came of
it, and removes the ring. A ring that it may not remove, or could not drain, stays,
and it says how to go on from there.

With --ring PATH it uses the ring at PATH, and leaves it there; if there is none it
makes one, to remove it in the end. In memory, lanes are made smaller where there is
little room, unless --lane-size is given.

--capture makes records of the lines that the command prints, of the loggers stdout
and stderr, both of level INFO, and passes them on as they are. For the command, these
are pipes then: it may print in larger pieces, and without colours; and if ringlog is
killed they are closed, so that the next thing it prints ends it (SIGPIPE). A line of
more than half the largest record becomes several records, with the attribute part=1,
2, and so on.

The command keeps the terminal, its process group and its standard input. SIGTERM,
SIGHUP, SIGUSR1 and SIGUSR2 are passed on to it; SIGINT and SIGQUIT too, unless
ringlog is in the foreground of a terminal, which sends them to both. Once the command
has ended, a signal ends the lingering, and a second one the draining as well.

The exit code is the command's, 128 and the signal's number if a signal ended it, 127
if there is no such command, 126 if it cannot be run, 125 if something failed before
that. If it is 0, and what was logged could not be drained or was damaged, the exit
code says so; lost records do not change it.`,
		Example: `  ringlog run -- ./study --workers 8
  ringlog run --out logs/app.log --out trades=logs/trades.log -- python3 study.py
  ringlog run --capture --format json -- make test`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("no command to run: want ringlog run [flags] -- COMMAND [ARGS...]")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case linger < 0:
				return cli.Usagef("--linger %v: want 0s (not at all) or more", linger)
			case lanes < 1:
				return cli.Usagef("--lanes %d: want 1 to %d", lanes, ring.MaxLanes)
			}
			c, err := outs.load()
			if err != nil {
				return notRun(err)
			}
			r := &run{linger: linger, resume: outs.words(), began: time.Now()}
			if r.command, err = lookUp(args); err != nil {
				return err
			}
			want := ring.CreateOptions{Lanes: lanes}
			if cmd.Flags().Changed("lane-size") {
				want.LaneSize = uint64(size)
			}
			found, made, err := findRing(string(path), want)
			if err != nil {
				return notRun(err)
			}
			if r.made = made; !made && (cmd.Flags().Changed("lanes") || cmd.Flags().Changed("lane-size")) {
				say("%s is there already and stays as it is: --lanes and --lane-size are not used", cli.Clean(found))
			}
			return r.in(found, &outs, c, capturing)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows COMMAND is its own
	f.Var(&path, "ring", "path of the ring (default a new one in memory)")
	f.IntVar(&lanes, "lanes", ring.DefaultLanes, "of a ring that is made: how many processes can be attached at once, 1 to 4096")
	f.Var(&size, "lane-size", "of a ring that is made: size of each lane, a power of two from 64KiB to 1GiB")
	outs.define(cmd, "ringlog.log")
	f.BoolVar(&capturing, "capture", false, "make records of what the command prints, too")
	f.DurationVar(&linger, "linger", 5*time.Second, "how long to wait, after the command, for processes that are still attached")
	return cmd
}
