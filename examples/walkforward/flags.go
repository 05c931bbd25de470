package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
)

// errUsage is a flag or an argument that makes no sense. Nothing was done.
var errUsage = errors.New("see walkforward --help")

const usage = `Usage: walkforward [flags]

Finds the best moving averages of each window of a price series in worker processes,
tries them on what came next, kills some of the processes, and shows that no line of
the log is missing.

  walkforward                          prices made up from a seed
  walkforward --prices sp500.csv       your own
  walkforward --dir logs --workers 8   where the logs go, and how many processes

A file of prices has a line of column names, then a line for each price, the oldest
first; columns are separated by commas, semicolons or tabs. Dates are taken from the
first of these columns that there is: %s.
Prices from the first of these: %s;
or from the only other column. Upper and lower case are the same. A date is written
year-month-day, such as 1929-10-29, and a price with a point, such as 1234.5.

Exit codes: 0 every record arrived; 1 a failure, or a record did not; 2 wrong usage;
128+ ended by that signal (130 SIGINT, 141 closed pipe, 143 SIGTERM).

Flags:
`

// options are what the flags say.
type options struct {
	prices     string // path; empty: made up
	seed       uint64
	workers    int
	study, dir string
}

// parse reads flags. The error is flag.ErrHelp if help was asked for, and printed.
func parse(args []string, out io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("walkforward", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // its errors are returned too
	flags.Usage = func() {}
	flags.StringVar(&o.prices, "prices", "", "`FILE` of prices (CSV); default: daily prices of 30 years, made up")
	flags.Uint64Var(&o.seed, "seed", 1, "what prices are made up from: the same `number`, the same prices")
	flags.IntVar(&o.workers, "workers", 4, "`number` of worker processes, 2 to 64")
	flags.StringVar(&o.study, "study", "walkforward", "`name` of the study in the log")
	flags.StringVar(&o.dir, "dir", "", "`folder` for the logs, new or empty; default: a temporary one, which stays")
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, usage, orList(dateColumns), orList(priceColumns))
		flags.SetOutput(out)
		flags.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: %w", err, errUsage)
	case o.workers < 2 || o.workers > 64 || flags.NArg() > 0:
		return o, fmt.Errorf("%d workers, arguments %q: want 2 to 64 workers and no arguments: %w", o.workers, flags.Args(), errUsage)
	case !regexp.MustCompile(`^[A-Za-z0-9_.-]+$`).MatchString(o.study):
		return o, fmt.Errorf("study %q: want a name of letters, digits, dots and dashes: %w", o.study, errUsage)
	}
	return o, nil
}

// series is the prices that were asked for.
func (o options) series() (*series, error) {
	if o.prices == "" {
		return generate(o.seed), nil
	}
	return loadPrices(o.prices)
}
