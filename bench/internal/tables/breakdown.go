package tables

import (
	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// Step is a share of an append.
type Step struct {
	Name  string
	Floor string  // the line that measures it by itself
	NS    float64 // by itself
	Buys  string
}

// Breakdown splits the cost of one append by the floors of its steps; the last step is
// what is left. Nil where the run has not got them all.
func Breakdown(r *result.Report) (steps []Step, whole float64) {
	all := r.Find(parts.Costs, parts.Append100, parts.Call, 0)
	if all == nil {
		return nil, 0
	}
	whole = all.Summary().Median
	steps = []Step{
		{Name: "claim", Floor: parts.FloorCAS, Buys: "many goroutines in one lane, none of which waits for another"},
		{Name: "clock", Floor: r.Clock, Buys: "the order of records of all processes"},
		{Name: "checksum and copy", Floor: parts.FloorCRC, Buys: "the record, where it survives its process, and that nothing damaged is ever shown as one"},
	}
	rest := whole
	for i := range steps {
		s := r.Find(parts.Costs, steps[i].Floor, parts.Call, 0)
		if s == nil {
			return nil, 0
		}
		steps[i].NS = s.Summary().Median
		rest -= steps[i].NS
	}
	return append(steps, Step{Name: "the rest", NS: max(0, rest), Buys: "the stores by which others see it, bounds, room left in the lane, the state of the lane, the call"}), whole
}

// breakdown is the table of it.
func breakdown(r *result.Report) []Table {
	steps, whole := Breakdown(r)
	if steps == nil {
		return nil
	}
	t := Table{Title: "One append of 100 B, against its floors", Head: []string{"step", "by itself: ns", "share", "floor", "what it buys"}}
	for _, s := range steps {
		t.row(s.Name, stats.Number(s.NS), Percent(s.NS/whole), s.Floor, s.Buys)
	}
	t.row("an append", stats.Number(whole), Percent(1), "", "")
	sum := 0.0
	for _, s := range steps[:len(steps)-1] {
		sum += s.NS
	}
	if sum > whole {
		t.note("The floors add up to %s ns, more than the append: in it they overlap.", stats.Number(sum))
	}
	return []Table{t}
}
