package main

import (
	"slices"
	"testing"
	"time"
)

func monthly(n int) *series {
	s := &series{Prices: slices.Repeat([]float64{1}, n)}
	for i := range n {
		s.Dates = append(s.Dates, time.Date(1871, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC).Format(dayLayout))
	}
	return s
}

func TestWindowsRollWithoutGapToTheNewestPrice(t *testing.T) {
	t.Parallel()
	daily := generate(1)
	for name, s := range map[string]*series{
		"as few as can be": {Dates: daily.Dates[:fewest], Prices: daily.Prices[:fewest]},
		"two years":        {Dates: daily.Dates[:522], Prices: daily.Prices[:522]},
		"generated":        daily,
		"155 years":        monthly(1866),
		"400 years":        monthly(4800),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(s)
			if n := len(p.windows); n < 20 || n > 35 {
				t.Errorf("%d windows", n)
			}
			var slowest int
			for _, a := range p.pairs {
				slowest = max(slowest, a.Slow)
				if a.Fast < 1 || a.Fast >= a.Slow {
					t.Errorf("%+v: want the fast average to be the shorter one", a)
				}
			}
			for i, w := range p.windows {
				if w.train.From < slowest {
					t.Errorf("window %d begins at %d: an average of %d prices has not enough before", i, w.train.From, slowest)
				}
				if w.train.To != w.test.From || w.train.len() != 4*w.test.len() {
					t.Errorf("window %d: %+v", i, w)
				}
				if i > 0 && w.test.From != p.windows[i-1].test.To {
					t.Errorf("window %d does not follow the one before: %+v", i, w)
				}
			}
			if last := p.windows[len(p.windows)-1]; last.test.To != len(s.Prices) {
				t.Errorf("the last test ends at %d of %d", last.test.To, len(s.Prices))
			}
			for i, tr := range p.trials() {
				if tr.Number != i+1 {
					t.Fatalf("trial %d is called %d", i+1, tr.Number)
				}
			}
		})
	}
}

func TestWindowsAreWholeYearsWhereThereAreManyPrices(t *testing.T) {
	t.Parallel()
	for prices, months := range map[int]int{1866: 60, 4800: 156} {
		if w := newPlan(monthly(prices)).windows[0]; w.test.len() != months {
			t.Errorf("%d months in a test of %d prices, want %d", w.test.len(), prices, months)
		}
	}
}

func TestTheBestOfEachWindowWalksForward(t *testing.T) {
	t.Parallel()
	p := newPlan(monthly(1866))
	results := map[int]result{}
	for _, tr := range p.trials() {
		results[tr.Number] = result{Trial: tr.Number, Score: score{Sharpe: -1}}
	}
	for i := range p.windows { // in each window another pair
		n := i*len(p.pairs) + i + 1
		results[n] = result{Trial: n, Score: score{Sharpe: -0.5}}
	}
	forward := p.forward(p.best(results))
	if forward.Number != len(results)+1 || len(forward.Legs) != len(p.windows) {
		t.Errorf("trial %d has %d legs", forward.Number, len(forward.Legs))
	}
	for i, l := range forward.Legs {
		if l.span != p.windows[i].test || l.averages != p.pairs[i] {
			t.Errorf("leg %d is %+v, want %+v in %+v", i, l, p.pairs[i], p.windows[i].test)
		}
	}
}

func TestGeneratedPricesAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	a, b, c := generate(4), generate(4), generate(5)
	if !slices.Equal(a.Prices, b.Prices) || slices.Equal(a.Prices, c.Prices) {
		t.Error("a seed does not say what the prices are")
	}
	if a.pace() != "daily" || len(a.Prices) != len(a.Dates) || slices.Min(a.Prices) <= 0 {
		t.Errorf("%d prices, %d dates, %s", len(a.Prices), len(a.Dates), a.pace())
	}
}
