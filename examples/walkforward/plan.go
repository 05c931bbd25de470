package main

import (
	"math"
	"slices"
)

// span is a run of prices, by index: From is in it, To is not.
type span struct{ From, To int }

func (s span) len() int { return s.To - s.From }

// window is a time to find parameters in, and the time after it to try them in.
type window struct{ train, test span }

// averages are the parameters that are looked for: over how many prices the fast
// and the slow moving average go.
type averages struct{ Fast, Slow int }

// leg is a span that is traded with one pair of averages.
type leg struct {
	span
	averages
}

// trial is what a worker is given to do: to trade one leg after the other.
type trial struct {
	Number int // from 1
	Legs   []leg
}

// plan is a study: windows, and what is tried in each.
type plan struct {
	windows []window
	pairs   []averages
}

// newPlan divides s into windows that roll from the oldest to the newest price:
// tests follow each other without a gap, each after a training four times as long.
// There are 25 to 30 of them, of whole years where the series is long enough.
func newPlan(s *series) *plan {
	n := len(s.Prices)
	test := n / 30
	if years := math.Round(float64(test) / s.perYear()); years >= 1 {
		test = int(math.Round(years * s.perYear()))
	}
	train := 4 * test
	p := &plan{pairs: grid(train / 5)}
	// The slowest average needs prices before the first training. The newest price is
	// always in a test; what does not fill a window is left out at the old end.
	for to := n; to-test-train >= train/5; to -= test {
		p.windows = append(p.windows, window{span{to - test - train, to - test}, span{to - test, to}})
	}
	slices.Reverse(p.windows)
	return p
}

// grid is every pair of eight fast averages and a dozen slow ones, the slowest as
// long as is said.
func grid(slowest int) (pairs []averages) {
	slowStep, fastStep := max(1, slowest/12), max(1, slowest/40)
	for slow := slowStep; slow <= slowest; slow += slowStep {
		for fast := fastStep; fast < min(slow, 8*fastStep+1); fast += fastStep {
			pairs = append(pairs, averages{fast, slow})
		}
	}
	return pairs
}

// trials are those of the study: each pair in each window's training.
func (p *plan) trials() (all []trial) {
	for _, w := range p.windows {
		for _, a := range p.pairs {
			all = append(all, trial{Number: len(all) + 1, Legs: []leg{{w.train, a}}})
		}
	}
	return all
}

// best is the result of each window's best trial: the one with the highest Sharpe
// ratio, and of equals the first.
func (p *plan) best(results map[int]result) []result {
	best := make([]result, len(p.windows))
	for i := range best {
		for k := range p.pairs {
			r := results[i*len(p.pairs)+k+1]
			if k == 0 || r.Score.Sharpe > best[i].Score.Sharpe {
				best[i] = r
			}
		}
	}
	return best
}

// forward is the trial that walks forward: each window's test with the averages
// that were best in its training.
func (p *plan) forward(best []result) trial {
	all := p.trials()
	t := trial{Number: len(all) + 1}
	for i, w := range p.windows {
		t.Legs = append(t.Legs, leg{w.test, all[best[i].Trial-1].Legs[0].averages})
	}
	return t
}
