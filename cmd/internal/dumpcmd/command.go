// Package dumpcmd is the command ringdump.
package dumpcmd

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/selector"
)

// Command returns the command, for cli.Main.
func Command() *cobra.Command {
	var form, only string
	var all, stats, utc bool
	cmd := &cobra.Command{
		Use:   "ringdump [PATH]",
		Short: "Show what is in a ring and was not drained",
		Long: `Ringdump prints the records of a ring that are not drained, in order of time, from
a dead ring or a living one. It never writes to the ring. PATH defaults to
$RINGLOG_RING.

What is torn (unfinished when its owner died), damaged, in progress, or was overrun
while it was read is listed on standard error, with lane, position and size; so are
log files that a killed drain left half written, with the size up to which they are
valid. Records have the id that a drain gives them.

--only SELECTOR prints the records of a logger (trades), those with certain attributes
({study=wf,trial=17}, put in quotes in a shell), or both (trades{trial=17}). A value is
compared as text lines show it. What has one of {}=," in it is written in double quotes.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if stats && cmd.Flags().Changed("format") {
				return cli.Usagef("--stats and --format exclude each other: counts have one form")
			}
			var want selector.Selector
			if cmd.Flags().Changed("only") {
				if stats {
					return cli.Usagef("--stats and --only exclude each other: all records are counted")
				}
				var err error
				if want, err = selector.Parse(only); err != nil {
					return cli.Usagef("--only %s: %s", only, strings.TrimPrefix(err.Error(), "selector: "))
				}
			}
			var zone *time.Location
			if utc {
				zone = time.UTC
			}
			f, err := format.New(format.Options{Name: form, Location: zone})
			if err != nil {
				return cli.Usage(err)
			}
			path, err := cli.Named(strings.Join(args, ""))
			if err != nil {
				return err
			}
			in, err := ring.Inspect(path)
			if err != nil {
				return cli.Opening(err)
			}
			defer in.Close()
			d := dump.Scan(in, dump.Options{All: all})
			if stats {
				err = printCounts(os.Stdout, d, utc)
			} else {
				err = printLines(os.Stdout, os.Stderr, d, f, &want)
			}
			if err != nil {
				return err
			}
			return printIssues(os.Stderr, d)
		},
	}
	f := cmd.Flags()
	f.StringVar(&form, "format", "text", "form of the lines: text, logfmt, json or raw (the messages alone)")
	f.StringVar(&only, "only", "", "print only the records that this selector wants")
	f.BoolVar(&all, "all", false, "also what is still whole of records that were drained, and of earlier owners of a lane")
	f.BoolVar(&stats, "stats", false, "counts by worker, logger and level instead of records")
	f.BoolVar(&utc, "utc", false, "show times of text lines in UTC instead of local time")
	return cmd
}
