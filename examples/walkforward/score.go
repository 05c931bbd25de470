package main

import "math"

// score says how good a run of returns was.
type score struct {
	Sharpe   float64 // mean return over its standard deviation, of a year; cash earns nothing
	Yearly   float64 // return of a year, compounded; 0.07 is 7 %
	Drawdown float64 // deepest fall from a peak; 0.5 is half
}

// measure takes the returns of periods, of which a year has so many.
func measure(returns []float64, perYear float64) (s score) {
	n := float64(len(returns))
	if n == 0 {
		return s
	}
	value, peak, sum := 1.0, 1.0, 0.0
	for _, r := range returns {
		sum += r
		value *= 1 + r
		peak = max(peak, value)
		s.Drawdown = max(s.Drawdown, 1-value/peak)
	}
	s.Yearly = math.Pow(value, perYear/n) - 1
	mean, squares := sum/n, 0.0
	for _, r := range returns {
		squares += (r - mean) * (r - mean)
	}
	if squares > 0 {
		s.Sharpe = mean / math.Sqrt(squares/(n-1)) * math.Sqrt(perYear)
	}
	return s
}

// compound is the return over all of the periods.
func compound(returns []float64) float64 {
	value := 1.0
	for _, r := range returns {
		value *= 1 + r
	}
	return value - 1
}

// hold is the returns of whoever buys at the first price before s and holds on,
// without any fee.
func (m *market) hold(s span) []float64 {
	returns := make([]float64, 0, s.len())
	for i := s.From; i < s.To; i++ {
		returns = append(returns, m.Prices[i]/m.Prices[i-1]-1)
	}
	return returns
}
