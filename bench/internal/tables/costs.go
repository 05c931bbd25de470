package tables

import (
	"fmt"
	"strings"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// Of returns the tables of a part; none where the run has not got it.
func Of(part string, r *result.Report) []Table {
	if len(r.Of(part)) == 0 {
		return nil
	}
	switch part {
	case parts.Costs:
		return append(costs(r), breakdown(r)...)
	case parts.Intent:
		return intent(r)
	case parts.Latency:
		return latency(r)
	case parts.Workers:
		return workers(r)
	case parts.Drain:
		return drain(r)
	case parts.Sizes:
		return sizes(r)
	case parts.Lanes:
		return lanes(r)
	case parts.Reader:
		return reader(r)
	}
	return nil
}

var groups = []struct{ name, title string }{
	{"ringlog", "What a call costs: ns, in bursts, of one process"},
	{"peers", "What a call costs with others: 3 fields, unless it says 100 B"},
	{"floors", "Floors: what calls are made of"},
}

// costs are a table for each group. Ratios are to the first line of all.
func costs(r *result.Report) []Table {
	var tables []Table
	var first []float64
	for _, g := range groups {
		t := Table{Title: g.title, Head: []string{"what", "median", "quartiles", "min .. max", "ratio", "allocs"}}
		var noisy []string
		rounds := 0
		for _, s := range r.Of(parts.Costs) {
			if s.Group != g.name || s.Metric != parts.Call {
				continue
			}
			if first == nil {
				first = s.Samples
			}
			sum := s.Summary()
			rounds = sum.N
			t.row(s.Line, stats.Number(sum.Median), quartiles(sum), stats.Number(sum.Min)+" .. "+stats.Number(sum.Max),
				fmt.Sprintf("%.2f", stats.Ratio(s.Samples, first)),
				median(r.Find(parts.Costs, s.Line, parts.Allocs, s.X), func(v float64) string { return fmt.Sprintf("%.2f", v) }))
			if sum.Noisy() {
				noisy = append(noisy, s.Line)
			}
		}
		if len(t.Rows) == 0 {
			continue
		}
		t.Title += medians(rounds)
		if len(tables) == 0 {
			t.note("ratio: to the first line of all, the median of the rounds' own.")
		}
		if len(noisy) > 0 {
			t.note("NOISY, the middle half of the rounds spans over %.0f %% of the median: %s.", 100*stats.NoisyAbove, strings.Join(noisy, "; "))
		}
		tables = append(tables, t)
	}
	return tables
}

// medians says what the figures of a table are, behind its title.
func medians(rounds int) string {
	if rounds == 1 {
		return "; 1 round"
	}
	return fmt.Sprintf("; medians of %d rounds", rounds)
}

func intent(r *result.Report) []Table {
	t := Table{Title: "What the intent costs the drain", Head: []string{"format", "time", "quartiles", "reader's processor time", "with", "without"}}
	for _, format := range []string{"raw", "text", "json"} {
		with, without := r.Find(parts.Intent, parts.WithIntent(format), parts.Rate, 0), r.Find(parts.Intent, parts.WithoutIntent(format), parts.Rate, 0)
		cpu, cpuWithout := r.Find(parts.Intent, parts.WithIntent(format), parts.Processor, 0), r.Find(parts.Intent, parts.WithoutIntent(format), parts.Processor, 0)
		if with == nil || without == nil || cpu == nil || cpuWithout == nil {
			continue
		}
		more := stats.Summarize(stats.Ratios(without.Samples, with.Samples))
		t.row(format, change(more.Median), change(more.Q1)+" .. "+change(more.Q3), change(stats.Ratio(cpu.Samples, cpuWithout.Samples)),
			median(cpu, stats.Time), median(cpuWithout, stats.Time))
		if format == "raw" {
			t.Title += medians(more.N)
			t.note("Two workers; with, without: the reader's processor time for one record.")
		}
	}
	return []Table{t}
}

// change is a ratio as people say it: "+3.1 %".
func change(ratio float64) string { return fmt.Sprintf("%+.1f %%", 100*(ratio-1)) }
