package main

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
)

// lines is a logger that keeps what it is told as text.
type lines struct {
	name string
	all  *[]string
}

func (l lines) Log(_ slog.Level, msg string, attrs ...slog.Attr) error {
	*l.all = append(*l.all, fmt.Sprint(l.name, " ", msg, " ", attrs))
	return nil
}

// trade runs a trial of one leg and returns what it logged.
func trade(t *testing.T, prices []float64, l leg) (*portfolio, []string) {
	t.Helper()
	s := generate(1)
	s.Prices, s.Dates = prices, s.Dates[:len(prices)]
	var all []string
	p, err := newMarket(s).backtest(trial{1, []leg{l}}, loggers{lines{"app", &all}, lines{"orders", &all}, lines{"trades", &all}})
	if err != nil {
		t.Fatal(err)
	}
	return p, all
}

// Averages of one and two prices: the fast one is above the slow one after a rise.
//
//	index   0   1   2   3   4   5   6
//	price  10  10  20  40  30  60  60
//	says            in  in out  in out     (at this close, done at the next)
//	holds               ·40····30  60··    bought at 40, sold at 60 two closes later
//
// What is bought at 40 is still held at 30, whose close says out; that is done at 60,
// whose close says in; that is done at the last 60.
func TestOrdersAreFilledAtTheCloseAfterTheOneThatAskedForThem(t *testing.T) {
	t.Parallel()
	p, log := trade(t, []float64{10, 10, 20, 40, 30, 60, 60}, leg{span{2, 7}, averages{1, 2}})
	units := capital / (40 * 1.001)
	cash := units * 60 * 0.999
	again := cash / (60 * 1.001)
	want := []float64{0, units*40/capital - 1, 30./40 - 1, cash/(units*30) - 1, again*60/cash - 1}
	for i, r := range p.returns {
		if math.Abs(r-want[i]) > 1e-12 {
			t.Errorf("return %d is %v, want %v", i, r, want[i])
		}
	}
	if len(p.returns) != len(want) || p.trades != 1 {
		t.Errorf("%d returns, %d trades", len(p.returns), p.trades)
	}
	wantLog := []string{
		"app trading begins [from=1996-01-03 to=1996-01-09 fast=1 slow=2]",
		"orders order placed [side=buy day=1996-01-03 fast_average=20 slow_average=15]",
		"orders order filled [side=buy day=1996-01-04 price=40 units=2497.5 fee=100]",
		"orders order placed [side=sell day=1996-01-05 fast_average=30 slow_average=35]",
		"orders order filled [side=sell day=1996-01-08 price=60 units=2497.5 fee=150]",
		"trades trade closed [bought=1996-01-04 sold=1996-01-08 periods=2 profit=49700 profit_percent=49.7]",
		"orders order placed [side=buy day=1996-01-08 fast_average=60 slow_average=45]",
		"orders order filled [side=buy day=1996-01-09 price=60 units=2492.51 fee=150]",
	}
	if len(log) != len(wantLog)+1 || !slices.Equal(log[:len(wantLog)], wantLog) {
		t.Errorf("log:\n%s\nwant:\n%s\nand an end", strings.Join(log, "\n"), strings.Join(wantLog, "\n"))
	}
}

// No record up to a close may be another when the prices after it are.
func TestNoOrderKnowsALaterPrice(t *testing.T) {
	t.Parallel()
	s := generate(5)
	l := leg{span{50, 400}, averages{3, 10}}
	_, before := trade(t, s.Prices[:400], l)
	for _, k := range []int{60, 150, 399} {
		other := slices.Clone(s.Prices[:400])
		for i := k + 1; i < len(other); i++ {
			other[i] *= 2 + math.Sin(float64(i))
		}
		_, after := trade(t, other, l)
		upTo := func(log []string) (known []string) {
			for _, line := range log[:len(log)-1] { // but for the end
				if _, day, ok := strings.Cut(line, "day="); ok && day[:10] <= s.Dates[k] {
					known = append(known, line)
				}
			}
			return known
		}
		if a, b := upTo(before), upTo(after); !slices.Equal(a, b) || len(a) == 0 && k > 100 {
			t.Errorf("up to %s:\n%s\nwith other prices later:\n%s", s.Dates[k], strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	}
}

func TestATrialWithoutATradeSaysSoAsAWarning(t *testing.T) {
	t.Parallel()
	p, log := trade(t, slices.Repeat([]float64{10}, 20), leg{span{5, 20}, averages{1, 3}})
	if end := log[len(log)-1]; !strings.HasPrefix(end, "app trading ends without a trade [trades=0 value=100000 sharpe=0") || len(log) != 2 {
		t.Errorf("%q", log)
	}
	if s := measure(p.returns, 12); s != (score{}) {
		t.Errorf("%+v, want nothing", s)
	}
}

func TestWhatIsHeldIsKeptFromLegToLeg(t *testing.T) {
	t.Parallel()
	s := generate(1)
	for i := range s.Prices {
		s.Prices[i] = 10 + float64(i) // it never says out
	}
	var all []string
	p, err := newMarket(s).backtest(trial{1, []leg{{span{10, 20}, averages{1, 3}}, {span{20, 30}, averages{2, 5}}}},
		loggers{lines{"app", &all}, lines{"orders", &all}, lines{"trades", &all}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.returns) != 20 || p.units == 0 || len(all) != 5 { // two legs begin, one order in two records, an end
		t.Errorf("%d returns, %v units, %q", len(p.returns), p.units, all)
	}
}

func TestAScoreIsThatOfAYear(t *testing.T) {
	t.Parallel()
	s := measure([]float64{0.1, -0.5, 0.1, 1.0}, 2)
	// 1.1 × 0.5 × 1.1 × 2 = 1.21 in two years; mean 0.175, variance 1.1475/3
	if math.Abs(s.Yearly-0.1) > 1e-12 || math.Abs(s.Drawdown-0.5) > 1e-12 || math.Abs(s.Sharpe-0.175/math.Sqrt(1.1475/3)*math.Sqrt2) > 1e-12 {
		t.Errorf("%+v", s)
	}
	if got := compound([]float64{0.1, -0.5, 0.1, 1.0}); math.Abs(got-0.21) > 1e-12 {
		t.Errorf("%v in all", got)
	}
}
