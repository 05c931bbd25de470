package main

import "log/slog"

// logger is what a trial logs through; a *writer.NamedLogger is one. No error means
// that the record was accepted.
type logger interface {
	Log(level slog.Level, msg string, attrs ...slog.Attr) error
}

// loggers are the three that a trial has.
type loggers struct{ app, orders, trades logger }

const (
	capital = 100_000 // what each trial begins with, in units of money
	fee     = 0.001   // of the value of each fill
)

// market is prices, and the sums of them that make any average cheap.
type market struct {
	*series
	sums []float64 // sums[i] is the sum of the first i prices
}

func newMarket(s *series) *market {
	m := &market{series: s, sums: make([]float64, len(s.Prices)+1)}
	for i, price := range s.Prices {
		m.sums[i+1] = m.sums[i] + price
	}
	return m
}

// average is that of the n prices up to and including the one at i.
func (m *market) average(i, n int) float64 { return (m.sums[i+1] - m.sums[i+1-n]) / float64(n) }

// portfolio is one trial's money, and what it holds.
type portfolio struct {
	*market
	log     loggers
	cash    float64
	units   float64
	bought  int     // index of the price they were bought at
	paid    float64 // for them, with the fee
	trades  int     // bought and sold again
	returns []float64
}

// backtest trades t: all in while the fast average is above the slow one, and all
// out while it is not. What the averages say at one close is done at the next: no
// order knows a price that comes after it. It returns the return of each period.
func (m *market) backtest(t trial, log loggers) (*portfolio, error) {
	a := &portfolio{market: m, log: log, cash: capital}
	value := a.cash
	for _, l := range t.Legs {
		if err := log.app.Log(slog.LevelInfo, "trading begins",
			slog.String("from", m.Dates[l.From]), slog.String("to", m.Dates[l.To-1]),
			slog.Int("fast", l.Fast), slog.Int("slow", l.Slow)); err != nil {
			return nil, err
		}
		for i := l.From; i < l.To; i++ {
			if err := a.decide(i-1, l.averages); err != nil {
				return nil, err
			}
			now := a.cash + a.units*m.Prices[i]
			a.returns = append(a.returns, now/value-1)
			value = now
		}
	}
	return a, a.end(value)
}

// decide looks at the averages at the close i and, if they say so, places an order,
// which is filled at the close i+1.
func (a *portfolio) decide(i int, p averages) error {
	fast, slow := a.average(i, p.Fast), a.average(i, p.Slow)
	if (fast > slow) == (a.units > 0) {
		return nil
	}
	side, fill := slog.String("side", "buy"), a.buy
	if a.units > 0 {
		side, fill = slog.String("side", "sell"), a.sell
	}
	if err := a.log.orders.Log(slog.LevelInfo, "order placed", side, slog.String("day", a.Dates[i]),
		slog.Float64("fast_average", cents(fast)), slog.Float64("slow_average", cents(slow))); err != nil {
		return err
	}
	return fill(i+1, side)
}

func (a *portfolio) buy(i int, side slog.Attr) error {
	price := a.Prices[i]
	a.paid, a.bought = a.cash, i
	a.units, a.cash = a.cash/(price*(1+fee)), 0
	return a.filled(i, side, a.units)
}

func (a *portfolio) sell(i int, side slog.Attr) error {
	units := a.units
	a.cash, a.units = units*a.Prices[i]*(1-fee), 0
	a.trades++
	if err := a.filled(i, side, units); err != nil {
		return err
	}
	return a.log.trades.Log(slog.LevelInfo, "trade closed", slog.String("bought", a.Dates[a.bought]),
		slog.String("sold", a.Dates[i]), slog.Int("periods", i-a.bought),
		slog.Int("profit", whole(a.cash-a.paid)), slog.Float64("profit_percent", cents(100*(a.cash/a.paid-1))))
}

func (a *portfolio) filled(i int, side slog.Attr, units float64) error {
	return a.log.orders.Log(slog.LevelInfo, "order filled", side, slog.String("day", a.Dates[i]),
		slog.Float64("price", a.Prices[i]), slog.Float64("units", cents(units)),
		slog.Int("fee", whole(units*a.Prices[i]*fee)))
}

// end says how it went. What is still held counts at the last price.
func (a *portfolio) end(value float64) error {
	level, text := slog.LevelInfo, "trading ends"
	if a.trades == 0 && a.units == 0 {
		level, text = slog.LevelWarn, "trading ends without a trade"
	}
	score := measure(a.returns, a.perYear())
	return a.log.app.Log(level, text, slog.Int("trades", a.trades), slog.Int("value", whole(value)),
		slog.Float64("sharpe", cents(score.Sharpe)), slog.Float64("drawdown_percent", cents(100*score.Drawdown)))
}
