package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
	"github.com/ringlog/ringlog/bench/internal/tables"
)

const compareHelp = `Compares two runs of one machine that were saved by --json, figure by figure: the medians
with their intervals of 95 % confidence, and by how much they differ, if the Mann-Whitney
U-test says that rounds differ by more than chance (p < 0.05); "~" where it does not.
Below six rounds or so hardly anything can be shown.`

func compareCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "compare OLD.json NEW.json",
		Short:   "Say what differs between two saved runs, as benchstat does",
		Long:    compareHelp,
		Example: "  go run ./bench compare old.json new.json",
		Args:    usageArgs(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			before, err := result.Load(args[0])
			if err != nil {
				return err
			}
			after, err := result.Load(args[1])
			if err != nil {
				return err
			}
			return compare(c.OutOrStdout(), before, after)
		},
	}
}

// compare prints a table for each part that both have.
func compare(out io.Writer, before, after *result.Report) error {
	if before.Host.CPU != after.Host.CPU || before.Host.CPUs != after.Host.CPUs {
		fmt.Fprintf(out, "Two machines: %s with %d CPUs, and %s with %d. Their figures cannot be compared.\n",
			before.Host.CPU, before.Host.CPUs, after.Host.CPU, after.Host.CPUs)
	}
	var all []tables.Table
	alone := 0
	for i := range after.Series {
		b := &after.Series[i]
		a := before.Find(b.Part, b.Line, b.Metric, b.X)
		if a == nil {
			alone++
			continue
		}
		if len(all) == 0 || all[len(all)-1].Title != b.Part {
			all = append(all, tables.Table{Title: b.Part, Head: []string{"what", "unit", "old", "new", "difference", ""}})
		}
		t := &all[len(all)-1]
		c := stats.Compare(a.Samples, b.Samples)
		t.Rows = append(t.Rows, []string{name(b), string(b.Unit), c.Old, c.New, difference(c, b.Unit), fmt.Sprintf("p=%.3f n=%d+%d", c.P, c.N1, c.N2)})
	}
	for _, t := range all {
		if err := t.Text(out); err != nil {
			return err
		}
	}
	if alone += len(before.Series) - len(after.Series) + alone; alone > 0 {
		fmt.Fprintf(out, "\n%d figures are in one of the runs alone.\n", alone)
	}
	return nil
}

func name(s *result.Series) string {
	n := s.Line
	if s.X > 0 {
		n += fmt.Sprintf(" [%g]", s.X)
	}
	if s.Metric != "call" && s.Metric != "rate" {
		n += ", " + s.Metric
	}
	return n
}

func difference(c stats.Change, u result.Unit) string {
	if !c.Shown {
		return "~"
	}
	which := "worse"
	if c.Delta > 0 == u.MoreIsBetter() {
		which = "better"
	}
	return fmt.Sprintf("%+.1f %% (%s)", 100*c.Delta, which)
}
