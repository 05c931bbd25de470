// Package cli is the command line of the benchmark.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/bench/internal/docs"
	"github.com/ringlog/ringlog/bench/internal/repo"
	"github.com/ringlog/ringlog/bench/internal/result"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

const about = `Measures what a call of ringlog costs, how long calls take, and how fast a drain takes
records from workers to files; side by side with the floors under it and with what
others use for that. Prints tables as they are done.

Parts, all of which are run unless --parts names some:

  costs    ns of one call in bursts: ringlog, other loggers, floors
  intent   what exactly-once costs the drain; needs the source and the go command
  latency  how long one call takes, at a set rate and at 1 M/s
  workers  records a second from 1, 2, 4 and 8 processes until they are in the file
  drain    records and MB a second of one producer, to memory and to disk
  sizes    the same against the size of a record
  lanes    the same against the number of lanes
  reader   an idle reader, and how soon a record is in the file
  python   the benchmark of the Python client; needs bin/ringlog

What is not installed is skipped, and listed with the command that installs it.

Exit codes:
  0    done; whether targets were met, and what was skipped, changes nothing about it
  1    something could not be measured, or a file not be written
  2    the command line is wrong
  130  interrupted: its files are removed, its processes ended
`

const examples = `  go run ./bench                                     everything, some 8 minutes
  go run ./bench --smoke                             everything for a moment: does it work?
  go run ./bench --parts costs --only 'append|CRC'   some lines, by a regular expression
  go run ./bench --parts latency --rate 20000        20,000 calls a second
  go run ./bench --parts sizes,workers --corpus /var/log/syslog
  go run ./bench --json new.json                     save all samples
  go run ./bench compare old.json new.json           what differs by more than chance`

// usageError is what is wrong with a command line.
type usageError struct{ error }

// Execute runs the command line and returns the exit code.
func Execute(args []string, out, errOut io.Writer) int {
	// An interrupted run removes its files, which take memory; also one whose output
	// nobody reads any more.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	return execute(ctx, args, out, errOut)
}

func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	c := command(errOut)
	c.SetArgs(args)
	c.SetOut(out)
	c.SetErr(errOut)
	err := c.ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(errOut, "\nbench: interrupted: nothing is left behind")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "bench: %v\nSee bench --help.\n", err)
		return exitUsage
	}
	fmt.Fprintf(errOut, "bench: %v\n", err)
	return exitFailed
}

func command(errOut io.Writer) *cobra.Command {
	o := options{}
	root := &cobra.Command{
		Use:           "bench [flags]",
		Short:         "Measure ringlog beside its floors and its peers",
		Long:          about,
		Example:       examples,
		Args:          usageArgs(cobra.NoArgs),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context(), c.OutOrStdout(), newProgress(errOut), c.Flags().Changed)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.DisableDefaultCmd = true
	f := root.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.parts, "parts", nil, "measure only these `PARTS`, separated by commas")
	f.StringVar(&o.only, "only", "", "measure only lines whose name matches the regular expression `REGEX`")
	f.IntVar(&o.rounds, "rounds", 11, "`ROUNDS` over the lines of costs and intent; the longer parts have half as many")
	f.DurationVar(&o.time, "time", 100*time.Millisecond, "measured `TIME` of a line in one round; the longer parts take up to five times that")
	f.IntSliceVar(&o.sizes, "sizes", []int{16, 64, 256, 1024, 4096, 8192}, "`SIZES` of records in bytes, for the part sizes")
	f.StringVar(&o.corpus, "corpus", "", "log the lines of `FILE` in place of one text of 100 bytes: parts workers, drain, sizes")
	f.Float64Var(&o.rate, "rate", 100_000, "`CALLS` a second of a process, for the part latency")
	f.StringVar(&o.disk, "disk", os.TempDir(), "`DIR` on disk, for files that are to lie there")
	f.StringVar(&o.python, "python", "python3", "`COMMAND` of the Python that has the packages to compare with")
	f.StringVar(&o.json, "json", "", "save all samples to `FILE`, for compare")
	f.BoolVar(&o.docs, "docs", false, "write docs/benchmarks.md and docs/benchmarks/*.svg anew")
	f.BoolVar(&o.smoke, "smoke", false, "run everything once, for a moment: to see that it works")
	root.AddCommand(compareCommand(), docsCommand())
	return root
}

// usageArgs makes an error of arguments one of the command line.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "docs FILE.json",
		Short: "Write docs/benchmarks.md and its plots from a saved run",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := result.Load(args[0])
			if err != nil {
				return err
			}
			return writeDocs(r)
		},
	}
}

func writeDocs(r *result.Report) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	return docs.Write(r, filepath.Join(root, "docs"))
}

// known says which of names are not in all.
func known(names, all []string) error {
	for _, n := range names {
		if !slices.Contains(all, n) {
			return fmt.Errorf("--parts %s: there is no such part; want some of %s", n, strings.Join(all, ", "))
		}
	}
	return nil
}
