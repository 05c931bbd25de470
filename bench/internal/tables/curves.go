package tables

import (
	"fmt"
	"slices"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// lines are the names of a part's lines, in their order.
func lines(r *result.Report, part string) []string {
	var names []string
	for _, s := range r.Of(part) {
		if !slices.Contains(names, s.Line) {
			names = append(names, s.Line)
		}
	}
	return names
}

// Abscissas are the values of X of a metric, ascending.
func Abscissas(r *result.Report, part, metric string) []float64 {
	var all []float64
	for _, s := range r.Of(part) {
		if s.Metric == metric && !slices.Contains(all, s.X) {
			all = append(all, s.X)
		}
	}
	slices.Sort(all)
	return all
}

// latency are tables by rate, the one without a rate last.
func latency(r *result.Report) []Table {
	var tables []Table
	rates := Abscissas(r, parts.Latency, "p50")
	if len(rates) > 0 && rates[0] == 0 {
		rates = append(rates[1:], 0)
	}
	for _, rate := range rates {
		title := fmt.Sprintf("One call at %s, from when it was due, while what collects works beside it", PerSecond(rate))
		if rate == 0 {
			title = "One call, as fast as they go, while what collects works beside it"
		}
		t := Table{Title: title, Head: []string{"what"}}
		for _, q := range parts.Quantiles {
			t.Head = append(t.Head, q.Name)
			if q.Name == "p99.9" {
				t.Head = append(t.Head, "its quartiles")
			}
		}
		rounds := 0
		for _, line := range lines(r, parts.Latency) {
			row := []string{line}
			for _, q := range parts.Quantiles {
				s := r.Find(parts.Latency, line, q.Name, rate)
				if s == nil {
					break
				}
				row = append(row, median(s, stats.Time))
				if q.Name == "p99.9" {
					row = append(row, spreadOf(s, stats.Time))
				}
				rounds = len(s.Samples)
			}
			if len(row) > 1 {
				t.row(row...)
			}
			if s := r.Find(parts.Latency, line, parts.LostCount, rate); s != nil && s.Summary().Max > 0 {
				t.note("%s lost up to %.0f records a round.", line, s.Summary().Max)
			}
		}
		t.Title += medians(rounds)
		tables = append(tables, t)
	}
	return tables
}

func workers(r *result.Report) []Table {
	counts := Abscissas(r, parts.Workers, parts.Rate)
	t := Table{Title: "Records a second from all processes, until all are in the file, in memory", Head: []string{"processes"}}
	for _, n := range counts {
		t.Head = append(t.Head, fmt.Sprint(n))
	}
	t.Head = append(t.Head, "lost")
	rounds := 0
	for _, line := range lines(r, parts.Workers) {
		row, lost := []string{line}, 0.0
		for _, n := range counts {
			s := r.Find(parts.Workers, line, parts.Rate, n)
			row = append(row, median(s, PerSecond))
			if s != nil {
				rounds = len(s.Samples)
				for _, v := range r.Find(parts.Workers, line, parts.LostCount, n).Samples {
					lost += v
				}
			}
		}
		t.row(append(row, fmt.Sprintf("%.0f", lost))...)
	}
	t.Title += medians(rounds)
	t.note("lost: what is not in the files, in all rounds together.")
	return []Table{t}
}

func drain(r *result.Report) []Table {
	t := Table{Title: "One producer, to one file", Head: []string{"what", "records/s", "quartiles", "MB/s", "of 256 KiB writes", "reader: CPU/record", "allocs/record"}}
	rounds := 0
	for _, line := range lines(r, parts.Drain) {
		rate, bytes := r.Find(parts.Drain, line, parts.Rate, 0), r.Find(parts.Drain, line, parts.Bytes, 0)
		row := []string{line, median(rate, PerSecond), "", median(bytes, stats.Number), "", "", ""}
		if rate != nil {
			row[2], rounds = spreadOf(rate, PerSecond), len(rate.Samples)
		}
		if floor := bigWrites(r, parts.Drain, line); floor != nil {
			row[4] = Percent(stats.Ratio(bytes.Samples, floor.Samples))
		}
		row[5] = median(r.Find(parts.Drain, line, parts.Processor, 0), stats.Time)
		row[6] = median(r.Find(parts.Drain, line, parts.Allocs, 0), func(v float64) string { return fmt.Sprintf("%.4f", v) })
		t.row(row...)
	}
	t.Title += medians(rounds)
	return []Table{t}
}

// bigWrites are those to the file system that a line writes to.
func bigWrites(r *result.Report, part, line string) *result.Series {
	for _, where := range []string{parts.ToMemory, parts.ToDisk} {
		if len(line) > len(where) && line[len(line)-len(where):] == where {
			return r.Find(part, parts.BigWrites+where, parts.Bytes, 0)
		}
	}
	return nil
}

func sizes(r *result.Report) []Table {
	t := Table{Title: "Drain throughput against the size of a record", Head: []string{"MB/s of the file"}}
	var columns []string
	for _, line := range lines(r, parts.Sizes) {
		columns = append(columns, line)
		t.Head = append(t.Head, line)
	}
	rounds := 0
	for _, size := range Abscissas(r, parts.Sizes, parts.Bytes) {
		row := []string{bytes(size)}
		if size == 0 {
			row[0] = "any"
		}
		for _, line := range columns {
			s, rate := r.Find(parts.Sizes, line, parts.Bytes, size), r.Find(parts.Sizes, line, parts.Rate, size)
			cell := median(s, stats.Number)
			if rate != nil {
				cell += " (" + median(rate, PerSecond) + ")"
			}
			if s != nil {
				rounds = len(s.Samples)
			}
			row = append(row, cell)
		}
		t.row(row...)
	}
	t.Title += medians(rounds)
	t.note("In brackets: records a second.")
	return []Table{t}
}

func lanes(r *result.Report) []Table {
	t := Table{Title: "Drain throughput against the number of lanes", Head: []string{"lanes", "records/s", "quartiles", "of 1 lane", "reader's own memory"}}
	var first *result.Series
	for _, n := range Abscissas(r, parts.Lanes, parts.Rate) {
		for _, line := range lines(r, parts.Lanes) {
			s := r.Find(parts.Lanes, line, parts.Rate, n)
			if s == nil {
				continue
			}
			if first == nil {
				first = s
			}
			t.row(fmt.Sprint(n), median(s, PerSecond), spreadOf(s, PerSecond), Percent(stats.Ratio(s.Samples, first.Samples)),
				median(r.Find(parts.Lanes, line, parts.Memory, n), func(v float64) string { return stats.Number(v) + " MiB" }))
		}
	}
	if first != nil {
		t.Title += medians(len(first.Samples))
	}
	t.note("Memory: what of the reader's is no file's (RssAnon), so without the ring's pages.")
	return []Table{t}
}

func reader(r *result.Report) []Table {
	t := Table{Title: "An idle reader, and how soon a record is in the file", Head: []string{"what", "idle: of a core", "p50", "p99"}}
	for _, line := range lines(r, parts.Reader) {
		for _, x := range append(Abscissas(r, parts.Reader, parts.Idle), Abscissas(r, parts.Reader, "p50")...) {
			idle, p50 := r.Find(parts.Reader, line, parts.Idle, x), r.Find(parts.Reader, line, "p50", x)
			name := line
			if x > 0 {
				name += fmt.Sprintf(", after a pause of %v ms", x)
			}
			if idle != nil || p50 != nil {
				t.row(name, median(idle, func(v float64) string { return fmt.Sprintf("%.2f %%", v) }), median(p50, stats.Time), median(r.Find(parts.Reader, line, "p99", x), stats.Time))
			}
		}
	}
	return []Table{dedupe(t)}
}

// dedupe leaves out rows that are there already.
func dedupe(t Table) Table {
	t.Rows = slices.CompactFunc(t.Rows, func(a, b []string) bool { return slices.Equal(a, b) })
	return t
}
