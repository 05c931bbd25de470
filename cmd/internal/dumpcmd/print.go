package dumpcmd

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/selector"
)

// printLines prints every record that is wanted, and markers where records are
// missing. Raw output is the workers' bytes alone, and nobody knows whether those
// missing were wanted, so then markers are messages.
func printLines(w, messages io.Writer, d *dump.Dump, f format.Formatter, want *selector.Selector) error {
	_, raw := f.(format.Raw)
	out := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	for l := range d.Lines() {
		switch {
		case l.Marker != nil && (raw || !want.Empty()):
			fmt.Fprintf(messages, "ringdump: %s\n", cli.Clean(l.Marker.Message))
			continue
		case l.Marker == nil && !want.Wants(&l.Record):
			continue
		}
		line = f.Append(line[:0], &l.Line)
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("writing to standard output: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}

// printCounts prints how many records there are of what.
func printCounts(w io.Writer, d *dump.Dump, utc bool) error {
	c := d.Count()
	at := func(ns int64) string {
		t := time.Unix(0, ns)
		if utc {
			t = t.UTC()
		}
		return t.Format("2006-01-02 15:04:05.000")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, %d lost", cli.Count(c.Records, "record"), c.Lost)
	if c.Records > 0 {
		fmt.Fprintf(t, ", %s to %s", at(c.First), at(c.Last))
	}
	fmt.Fprint(t, "\n\nworker\tpid\tlane\trecords\tlost\n")
	for _, n := range c.Workers() {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\n", cli.Clean(n.Key.Worker), n.Key.PID, n.Key.Lane, n.Records, n.Lost)
	}
	fmt.Fprint(t, "\nlogger\trecords\n")
	for _, n := range c.Loggers() {
		name := cli.Clean(n.Key)
		if name == "" {
			name = "root"
		}
		fmt.Fprintf(t, "%s\t%d\n", name, n.Records)
	}
	fmt.Fprint(t, "\nlevel\trecords\n")
	for _, n := range c.Levels() {
		fmt.Fprintf(t, "%s\t%d\n", n.Key, n.Records)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing to standard output: %w", err)
	}
	return nil
}

// printIssues lists what is no whole record, and fails if there is damage.
func printIssues(w io.Writer, d *dump.Dump) error {
	out := bufio.NewWriter(w)
	for _, i := range d.Issues() {
		fmt.Fprintf(out, "ringdump: %s\n", cli.Clean(i.String()))
	}
	for _, o := range d.Unfinished() {
		fmt.Fprintf(out, "ringdump: unfinished: %s is valid up to its size %d bytes; a killed drain may have begun to write %d more, of records that are shown here too\n",
			cli.Clean(o.Path), o.Before, o.Length)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing to standard error: %w", err)
	}
	damaged := func(i dump.Issue) bool { return i.Kind == dump.Damaged }
	if slices.ContainsFunc(d.Issues(), damaged) {
		return cli.Exitf(cli.Damaged, "the ring is damaged, see above; whole records came out")
	}
	return nil
}
