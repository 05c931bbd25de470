package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

func drainCommand() *cobra.Command {
	var path, form string
	var outs []string
	var create, utc, once, untilDetached bool
	var keep int
	size := cli.Size(100 << 20)
	cmd := &cobra.Command{
		Use:   "drain",
		Short: "Drain a ring into log files",
		Long: `Drain takes records out of the ring and writes them to the outputs, in order of
time; each record is in each of its files exactly once, however often drain was
killed. Only one drain can use a ring, and only one ring an output.

--out PATH gets every record; --out LOGGER=PATH those of that logger and of the
loggers below it. It can be given up to 64 times. A PATH that has a "=" before its
first "/" is to be written as ./PATH. "-" is standard output, the default; there,
in pipes and on devices, the last records may appear twice after a crash.

Drain runs until SIGINT, SIGTERM or SIGHUP; then it drains what is there and exits
with 0, or at once at a second signal. Signals that were ignored when it started stay
ignored. It exits with 6 if it met damage in the ring. Lost and torn records are the
workers' fate, not its own: it reports them and exits with 0.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			o := reader.Options{MaxSize: int64(size), Keep: keep, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
			if once && untilDetached {
				return cli.Usagef("--once and --until-detached exclude each other")
			}
			if keep < 0 {
				return cli.Usagef("--keep %d: want 0 (all) or more", keep)
			}
			if _, err := format.Parse(form, nil); err != nil {
				return cli.Usage(err)
			}
			var err error
			if o.Outputs, err = parseOutputs(outs, form); err != nil {
				return err
			}
			switch {
			case once:
				o.Until = reader.UntilEmpty
			case untilDetached:
				o.Until = reader.UntilDetached
			}
			if utc {
				o.Location = time.UTC
			}
			if path, err = cli.NamedOrNew(path, create); err != nil {
				return err
			}
			if err := refuseRings(o.Outputs); err != nil {
				return err
			}
			err = drain(path, o)
			if errors.Is(err, syscall.EPIPE) && len(outs) > 0 {
				err = cli.Exit(cli.Failed, err) // a pipe that was named, not one that was typed
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "ring", "", "path of the ring (default $RINGLOG_RING)")
	f.BoolVar(&create, "create", false, "make the ring if there is none")
	f.StringArrayVar(&outs, "out", nil, "where to write: PATH, LOGGER=PATH or -; may be repeated (default -)")
	f.StringVar(&form, "format", "text", "form of the lines: text, json or raw (the messages alone)")
	f.Var(&size, "max-size", "size at which a file is rotated; 0: never")
	f.IntVar(&keep, "keep", 5, "how many rotated files of each output to keep; 0: all")
	f.BoolVar(&utc, "utc", false, "show times of text lines in UTC instead of local time")
	f.BoolVar(&once, "once", false, "end when what is in the ring now is drained")
	f.BoolVar(&untilDetached, "until-detached", false, "end when no worker is attached any more and all is drained; in an unused ring, wait for the first worker")
	return cmd
}

// parseOutputs reads the values of --out.
func parseOutputs(outs []string, form string) ([]reader.Output, error) {
	if len(outs) == 0 {
		outs = []string{"-"}
	}
	var list []reader.Output
	seen := map[string]bool{}
	for _, s := range outs {
		o := reader.Output{Path: s, Format: form}
		// The name of a logger has no slash; so ./a=b is a path.
		if logger, path, ok := strings.Cut(s, "="); ok && logger != "" && !strings.ContainsRune(logger, '/') {
			o.Logger, o.Path = logger, path
		}
		if o.Path == "" {
			return nil, cli.Usagef("--out %q has no path: want PATH, LOGGER=PATH or -", s)
		}
		if key := filepath.Clean(o.Path); seen[key] {
			return nil, cli.Usagef("--out %q: %s is an output already", s, key)
		} else {
			seen[key] = true
		}
		list = append(list, o)
	}
	return list, nil
}

// refuseRings refuses outputs that are rings: a line appended to one would spoil
// it for all who have it.
func refuseRings(outs []reader.Output) error {
	for _, o := range outs {
		// Asked first: opening a pipe waits for its other end.
		if st, err := os.Stat(o.Path); o.Path == "-" || err != nil || !st.Mode().IsRegular() {
			continue
		}
		f, err := os.Open(o.Path)
		if err != nil {
			continue // the reader says what it wants of its outputs
		}
		begin := make([]byte, len(ring.Magic))
		_, err = io.ReadFull(f, begin)
		f.Close()
		if err == nil && string(begin) == ring.Magic {
			return cli.Exitf(cli.Refused, "--out %s is a ring, which lines would spoil; name a log file", o.Path)
		}
	}
	return nil
}
