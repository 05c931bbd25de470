package targets

import (
	"slices"
	"testing"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/native"
)

func verdict(t *testing.T, r *result.Report, what string) Verdict {
	t.Helper()
	all := Judge(r)
	i := slices.IndexFunc(all, func(v Verdict) bool { return v.What == what })
	if i < 0 {
		t.Fatalf("there is no target %q", what)
	}
	return all[i]
}

// costing is a run in which lines take so many nanoseconds.
func costing(lines map[string][]float64) *result.Report {
	r := &result.Report{}
	for line, samples := range lines {
		for _, s := range samples {
			r.Add(result.Series{Part: parts.Costs, Line: line, Metric: parts.Call, Unit: result.Nanoseconds}, s)
		}
	}
	return r
}

func TestALimitIsMetFromItsOwnSide(t *testing.T) {
	t.Parallel()
	for ns, want := range map[float64]Verdict{
		29: {What: "append of 100 B, single producer", Want: "≤ 30 ns", Got: "29.0 ns", Outcome: Met, By: "-3 %"},
		30: {What: "append of 100 B, single producer", Want: "≤ 30 ns", Got: "30.0 ns", Outcome: Met, By: "+0 %"},
		33: {What: "append of 100 B, single producer", Want: "≤ 30 ns", Got: "33.0 ns", Outcome: Missed, By: "+10 %"},
		99: {What: "append of 100 B, single producer", Want: "≤ 30 ns", Got: "99.0 ns", Outcome: Missed, By: "3.30 ×"},
	} {
		if got := verdict(t, costing(map[string][]float64{parts.AppendSingle: {ns}}), "append of 100 B, single producer"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	const faster = "append of 100 B, single producer, faster than an LTTng-UST tracepoint"
	for ns, want := range map[float64]Outcome{104: Missed, 105: Met} {
		if got := verdict(t, costing(map[string][]float64{parts.AppendSingle: {30}, LTTng: {ns}}), faster); got.Outcome != want {
			t.Errorf("%v: %+v", ns, got)
		}
	}
}

func TestRatiosAreOfOneRoundEach(t *testing.T) {
	t.Parallel()
	r := costing(map[string][]float64{parts.AppendOne: {10, 30, 90}, parts.AppendTwo: {10, 30, 90}})
	if got := verdict(t, r, "two processes appending, in all, to one"); got.Got != "2.00 × (2.00 × .. 2.00 ×)" || got.Outcome != Met {
		t.Errorf("%+v", got)
	}
}

func TestADifferenceAndAFallAreTakenTheRightWayRound(t *testing.T) {
	t.Parallel()
	r := costing(map[string][]float64{parts.SlogRing: {260}, parts.SlogNothing: {200}})
	if got := verdict(t, r, "slog handler, above one that does nothing"); got.Got != "60.0 ns" || got.Outcome != Met {
		t.Errorf("%+v", got)
	}
	for lanes, rate := range map[float64]float64{1: 100, 256: 80} {
		r.Add(result.Series{Part: parts.Lanes, Line: "text, 100 B", Metric: parts.Rate, X: lanes, Unit: result.PerSecond}, rate)
	}
	if got := verdict(t, r, "256 lanes, to 1 lane: drain throughput falls"); got.Got != "20.0 %" || got.Outcome != Missed {
		t.Errorf("%+v", got)
	}
}

func TestWhatARunDoesNotSayIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, v := range Judge(&result.Report{}) {
		if v.Outcome != Unknown || v.Got != "" || v.Want == "" {
			t.Errorf("%+v", v)
		}
	}
}

// Targets go by the names of lines, which are said elsewhere.
func TestTheLinesThatTargetsNameAreMeasured(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	for _, p := range parts.All(parts.Options{Rate: 100_000, Sizes: []int{16}, Native: native.Peers()}) {
		for _, l := range p.Lines {
			for _, metric := range []string{parts.Call, parts.Allocs, parts.Rate, parts.Bytes, parts.Processor, parts.Memory, parts.Idle, "p99", "p99.9"} {
				r.Add(result.Series{Part: p.Name, Line: l.Name, Metric: metric, X: l.X}, 1)
				r.Add(result.Series{Part: p.Name, Line: l.Name, Metric: metric, X: parts.HighRate}, 1)
			}
		}
	}
	for _, v := range Judge(r) {
		if v.Outcome == Unknown {
			t.Errorf("%q goes by a line that is not there", v.What)
		}
	}
}
