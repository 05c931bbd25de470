package tables

import (
	"strings"
	"testing"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
)

func text(t *testing.T, all []Table) string {
	t.Helper()
	var b strings.Builder
	for _, table := range all {
		if err := table.Text(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func add(r *result.Report, part, group, line, metric string, x float64, samples ...float64) {
	for _, s := range samples {
		r.Add(result.Series{Part: part, Group: group, Line: line, Metric: metric, X: x}, s)
	}
}

func TestCostsHaveRatiosToTheFirstLineAndSayWhatIsNoisy(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	add(r, parts.Costs, "ringlog", parts.Append100, parts.Call, 0, 50, 50, 50, 50)
	add(r, parts.Costs, "ringlog", parts.Append100, parts.Allocs, 0, 0, 0, 0, 0)
	add(r, parts.Costs, "peers", "slow", parts.Call, 0, 100, 100, 100, 100)
	add(r, parts.Costs, "floors", "shaky", parts.Call, 0, 100, 200, 300, 400)
	got := text(t, Of(parts.Costs, r))
	for _, want := range []string{
		"medians of 4 rounds", "append 100 B    50.0  50.0 .. 50.0  50.0 .. 50.0   1.00    0.00\n", "  2.00", "10 % of the median: shaky.",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestTheBreakdownEndsWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	r := &result.Report{Clock: parts.FloorCounter}
	for line, ns := range map[string]float64{
		parts.Append100: 40, parts.FloorCAS: 5, parts.FloorCounter: 10, parts.FloorCRC: 9,
	} {
		add(r, parts.Costs, "floors", line, parts.Call, 0, ns)
	}
	steps, whole := Breakdown(r)
	if whole != 40 || len(steps) != 4 || steps[3].NS != 16 {
		t.Errorf("%v, %+v", whole, steps)
	}
	// Where they overlap, the floors are longer.
	add(r, parts.Costs, "floors", parts.FloorCAS, parts.Call, 0, 105)
	if steps, _ := Breakdown(r); steps[3].NS != 0 || !strings.Contains(text(t, breakdown(r)), "add up to 74.0 ns") {
		t.Errorf("%+v\n%s", steps, text(t, breakdown(r)))
	}
	if steps, _ := Breakdown(&result.Report{}); steps != nil {
		t.Errorf("%+v of nothing", steps)
	}
}

func TestTheCostOfTheIntentIsThatOfTheLineBesideIt(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	add(r, parts.Intent, "", parts.WithIntent("raw"), parts.Rate, 0, 100, 50)
	add(r, parts.Intent, "", parts.WithIntent("raw"), parts.Processor, 0, 52, 53)
	add(r, parts.Intent, "", parts.WithoutIntent("raw"), parts.Rate, 0, 103, 51.5)
	add(r, parts.Intent, "", parts.WithoutIntent("raw"), parts.Processor, 0, 50, 50)
	if got := text(t, Of(parts.Intent, r)); !strings.Contains(got, "raw     +3.0 %") || !strings.Contains(got, "+5.0 %") {
		t.Error(got)
	}
}

func TestWorkersSayWhatWasLostInAllRounds(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	for _, n := range []float64{1, 8} {
		add(r, parts.Workers, "", "a", parts.Rate, n, 1e6*n, 1e6*n)
		add(r, parts.Workers, "", "a", parts.LostCount, n, 3, 4)
	}
	if got := text(t, Of(parts.Workers, r)); !strings.Contains(got, "a          1.00 M/s  8.00 M/s    14\n") {
		t.Error(got)
	}
}

func TestLatenciesAreByRateAndTheOneWithoutARateIsLast(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	for _, rate := range []float64{0, 1e6, 1e5} {
		for _, q := range parts.Quantiles {
			add(r, parts.Latency, "", "a", q.Name, rate, 1500)
		}
	}
	add(r, parts.Latency, "", "a", parts.LostCount, 1e6, 7)
	all := Of(parts.Latency, r)
	if len(all) != 3 || !strings.Contains(all[0].Title, "100 k/s") || !strings.Contains(all[2].Title, "as fast") {
		t.Fatalf("%+v", all)
	}
	if got := text(t, all[1:2]); !strings.Contains(got, "1.50 µs") || !strings.Contains(got, "lost up to 7 records") {
		t.Error(got)
	}
}

func TestADrainIsComparedWithWritesToItsOwnFileSystem(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	for where, floor := range map[string]float64{parts.ToMemory: 1000, parts.ToDisk: 250} {
		add(r, parts.Drain, "", "a"+where, parts.Rate, 0, 5e6)
		add(r, parts.Drain, "", "a"+where, parts.Bytes, 0, 200)
		add(r, parts.Drain, "", parts.BigWrites+where, parts.Bytes, 0, floor)
	}
	got := text(t, Of(parts.Drain, r))
	if !strings.Contains(got, "20.0 %") || !strings.Contains(got, "80.0 %") {
		t.Error(got)
	}
}

func TestEachPartHasATableAndNoneIsMadeOfNothing(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	for _, p := range parts.All(parts.Options{Rate: 1, Sizes: []int{16}}) {
		if len(Of(p.Name, r)) > 0 {
			t.Errorf("%s has a table of nothing", p.Name)
		}
		for _, l := range p.Lines {
			for _, metric := range []string{parts.Call, parts.Rate, parts.Bytes, parts.Processor, parts.Idle, parts.LostCount, "p50", "p90", "p99", "p99.9", "p99.99", "max"} {
				add(r, p.Name, l.Group, l.Name, metric, l.X, 1)
			}
		}
	}
	for _, p := range parts.All(parts.Options{Rate: 1, Sizes: []int{16}}) {
		if got := text(t, Of(p.Name, r)); strings.Count(got, "\n") < 4 {
			t.Errorf("%s:\n%s", p.Name, got)
		}
	}
}

func TestMarkdownHasFiguresOnTheRight(t *testing.T) {
	t.Parallel()
	table := Table{Head: []string{"what", "ns", "why"}, Rows: [][]string{{"a|b", "1.5", "words"}, {"c", "", "more"}}, Notes: []string{"note"}}
	want := "| what | ns | why |\n|---|---:|---|\n| a\\|b | 1.5 | words |\n| c |  | more |\n\nnote\n"
	if got := table.Markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNumbersHaveTheUnitThatSuitsThem(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		PerSecond(4.32e6): "4.32 M/s", PerSecond(98_000): "98.0 k/s", PerSecond(12): "12.0 /s",
		bytes(100): "100 B", bytes(8192): "8 KiB", Percent(0.831): "83.1 %", change(1.031): "+3.1 %",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
