// Package targets has what this project has set itself, and says of a run whether it
// met that.
package targets

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// Verdict is what a run says of one target.
type Verdict struct {
	What    string
	Want    string
	Got     string // "" where the run does not say
	Outcome Outcome
	By      string // how much was missing, or to spare
}

// Outcome is whether a target was met.
type Outcome string

// Outcomes.
const (
	Met     Outcome = "met"
	Missed  Outcome = "MISSED"
	Unknown Outcome = "not known"
)

// target is one of them: a figure of a run that has to be at most, or at least, limit.
type target struct {
	what  string
	limit float64
	least bool
	unit  string // of the figure
	of    func(*result.Report) []float64
}

var all = []target{
	{"append of 100 B, single producer", 30, false, "ns", costs(parts.AppendSingle)},
	{"append of 100 B, single producer, faster than an LTTng-UST tracepoint", 3.5, true, "×", times(costs(LTTng), costs(parts.AppendSingle))},
	{"append of 100 B, any number of goroutines", 30, false, "ns", costs(parts.Append100)},
	{"Logger, message and 3 attributes", 50, false, "ns", costs(parts.LoggerFields)},
	{"Logger, faster than zerolog to nowhere", 3, true, "×", times(costs("zerolog → nowhere"), costs(parts.LoggerFields))},
	{"Logger, faster than zerolog to a file", 25, true, "×", times(costs("zerolog → file"), costs(parts.LoggerFields))},
	{"slog handler, above one that does nothing", 70, false, "ns", less(costs(parts.SlogRing), costs(parts.SlogNothing))},
	{"a message below its level", 3, false, "ns", costs(parts.BelowMessage)},
	{"p99.9 of append at 1 M/s, reader on the other core", 500, false, "ns", figure(parts.Latency, parts.LatencyAppendApart, "p99.9", parts.HighRate)},
	{"two processes appending, in all, to one", 1.9, true, "×", twice(times(costs(parts.AppendOne), costs(parts.AppendTwo)))},
	{"text, 3 attributes, to disk: of 256 KiB writes", 80, true, "%", percent(times(figure(parts.Drain, parts.DrainFields+parts.ToDisk, parts.Bytes, 0), figure(parts.Drain, parts.BigWrites+parts.ToDisk, parts.Bytes, 0)))},
	{"text, 3 attributes, to memory", 5, true, "M lines/s", scaled(1e-6, figure(parts.Drain, parts.DrainFields+parts.ToMemory, parts.Rate, 0))},
	{"text, 3 attributes, to disk: as many as spdlog async", 2, true, "×", times(figure(parts.Drain, parts.DrainFields+parts.ToDisk, parts.Rate, 0), figure(parts.Drain, parts.SpdlogDrain+parts.ToDisk, parts.Rate, 0))},
	{"256 lanes, to 1 lane: drain throughput falls", 15, false, "%", fall},
	{"allocations of an append", 0, false, "", figure(parts.Costs, parts.Append100, parts.Allocs, 0)},
	{"allocations of a Logger's call", 0, false, "", figure(parts.Costs, parts.LoggerFields, parts.Allocs, 0)},
	{"allocations of the reader for a record", 0, false, "", figure(parts.Drain, parts.DrainFields+parts.ToMemory, parts.Allocs, 0)},
	{"the reader's own memory at 256 lanes", 32, false, "MiB", figure(parts.Lanes, "text, 100 B", parts.Memory, 256)},
	{"idle reader, of a core", 0.3, false, "%", figure(parts.Reader, parts.IdleAttached, parts.Idle, 0)},
	{"record in the file after its append, p99", 2, false, "ms", scaled(1e-6, figure(parts.Reader, parts.Delay, "p99", 0))},
}

// LTTng is the line of its tracepoint with 100 bytes.
const LTTng = "LTTng-UST, 100 B"

// none is how many allocations are none: the runtime makes some of its own, which a
// record has no part in.
const none = 0.001

// Judge says of each target what the run says of it: by the median of what the rounds
// say each.
func Judge(r *result.Report) []Verdict {
	var verdicts []Verdict
	for _, t := range all {
		verdicts = append(verdicts, t.judge(r))
	}
	return verdicts
}

func (t target) judge(r *result.Report) Verdict {
	bound := "≤"
	if t.least {
		bound = "≥"
	}
	v := Verdict{What: t.what, Want: strings.TrimSpace(bound + " " + strconv.FormatFloat(t.limit, 'f', -1, 64) + " " + t.unit), Outcome: Unknown}
	samples := t.of(r)
	if len(samples) == 0 {
		return v
	}
	s := stats.Summarize(samples)
	v.Got = t.text(s.Median)
	if s.N > 1 {
		v.Got += " (" + t.text(s.Q1) + " .. " + t.text(s.Q3) + ")"
	}
	met := s.Median <= max(t.limit, none)
	if t.least {
		met = s.Median >= t.limit
	}
	v.Outcome = Missed
	if met {
		v.Outcome = Met
	}
	v.By = off(s.Median, t.limit)
	return v
}

func (t target) text(v float64) string {
	if t.unit == "ns" {
		return stats.Time(v)
	}
	return strings.TrimSpace(stats.Number(v) + " " + t.unit)
}

// off says how far a figure is from a limit; "" where that is 0.
func off(figure, limit float64) string {
	switch ratio := figure / limit; {
	case limit == 0:
		return ""
	case ratio > 3:
		return stats.Number(ratio) + " ×"
	default:
		return fmt.Sprintf("%+.0f %%", 100*(ratio-1))
	}
}

// quantity is a figure of each round; empty where the run has not got it.
type quantity func(*result.Report) []float64

func figure(part, line, metric string, x float64) quantity {
	return func(r *result.Report) []float64 {
		if s := r.Find(part, line, metric, x); s != nil {
			return s.Samples
		}
		return nil
	}
}

func costs(line string) quantity { return figure(parts.Costs, line, parts.Call, 0) }

func times(a, b quantity) quantity {
	return func(r *result.Report) []float64 { return stats.Ratios(a(r), b(r)) }
}

func less(a, b quantity) quantity {
	return func(r *result.Report) []float64 {
		more, base := a(r), b(r)
		differences := make([]float64, min(len(more), len(base)))
		for i := range differences {
			differences[i] = more[i] - base[i]
		}
		return differences
	}
}

func scaled(by float64, a quantity) quantity {
	return func(r *result.Report) []float64 {
		var all []float64
		for _, v := range a(r) {
			all = append(all, v*by)
		}
		return all
	}
}

func percent(a quantity) quantity { return scaled(100, a) }
func twice(a quantity) quantity   { return scaled(2, a) }

// fall is by how many per cent 256 lanes are slower than one.
func fall(r *result.Report) []float64 {
	many, one := figure(parts.Lanes, "text, 100 B", parts.Rate, 256)(r), figure(parts.Lanes, "text, 100 B", parts.Rate, 1)(r)
	var all []float64
	for _, ratio := range stats.Ratios(many, one) {
		all = append(all, 100*(1-ratio))
	}
	return all
}
