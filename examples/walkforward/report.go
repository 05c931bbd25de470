package main

import (
	"fmt"

	"github.com/dustin/go-humanize"
)

// introduce says what is studied, and how.
func (s *show) introduce() {
	p, w := s.plan, s.plan.windows[0]
	year := s.perYear()
	fmt.Fprintf(s.out, `Walk-forward optimisation of a moving-average crossover: an example, not advice.

  prices    %s %s, %s to %s
            (%s)
  strategy  all in while the fast average is above the slow one, else cash; what one
            close says is done at the next close; a fill costs %s of its value
  windows   %d, each of %s prices (%.1f years) to find the best of %d pairs of
            averages, and the next %d (%.1f years) to try it
  to do     %s trials in %d worker processes, and then the one that walks forward

`, humanize.Comma(int64(len(s.Prices))), s.pace(), s.Dates[0], s.Dates[len(s.Dates)-1], s.Name, percent(fee),
		len(p.windows), humanize.Comma(int64(w.train.len())), float64(w.train.len())/year, len(p.pairs),
		w.test.len(), float64(w.test.len())/year,
		humanize.Comma(int64(len(p.windows)*len(p.pairs))), s.workers)
}

// report prints the best averages of each window and how they did afterwards.
func (s *show) report(o outcome) error {
	t := table(s.out, "best pair of averages found in", "fast", "slow", "Sharpe ratio", "tried in", "return", "buy and hold")
	returns, promised := o.walked.Returns, 0.0
	for i, w := range s.plan.windows {
		found, n := o.forward.Legs[i], w.test.len()
		row(t, s.dates(w.train), found.Fast, found.Slow, o.best[i].Score.Sharpe,
			s.dates(w.test), percent(compound(returns[:n])), percent(compound(s.market.hold(w.test))))
		returns = returns[n:]
		promised += o.best[i].Score.Sharpe / float64(len(s.plan.windows))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	whole := span{s.plan.windows[0].test.From, len(s.Prices)}
	fmt.Fprintf(s.out, "\nOut of sample, %s, one window's test after the other:\n", s.dates(whole))
	t = table(s.out, "", "return a year", "Sharpe ratio", "deepest fall", "trades")
	row(t, "walked forward", percent(o.walked.Score.Yearly), o.walked.Score.Sharpe, percent(o.walked.Score.Drawdown), o.walked.Trades)
	hold := measure(s.market.hold(whole), s.perYear())
	row(t, "buy and hold", percent(hold.Yearly), hold.Sharpe, percent(hold.Drawdown), "–")
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, `
Where they were chosen the best pairs had a Sharpe ratio of %.2f on average; where
they were tried it was %.2f, and that is the one to believe. Fast and slow are numbers of
prices; the Sharpe ratio is of a year; dividends and interest on cash are left out.
`, promised, o.walked.Score.Sharpe)
	if s.perYear() < 13 {
		fmt.Fprintln(s.out, "A price a month is often the month's average, at which nobody could trade.")
	}
	return nil
}

// dates is a span as people write it: its first and its last month, or day where
// windows are shorter than a year.
func (s *show) dates(x span) string {
	layout := "2006-01"
	if float64(s.plan.windows[0].test.len()) < 0.9*s.perYear() {
		layout = dayLayout
	}
	return s.Dates[x.From][:len(layout)] + " to " + s.Dates[x.To-1][:len(layout)]
}
