package main

import (
	"slices"
)

// noisyAbove is the share of the median that the middle half of the rounds may
// span before a figure is called noisy.
const noisyAbove = 0.10

// summary says how the rounds of one candidate are spread.
type summary struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Q1     float64 `json:"q1"`
	Q3     float64 `json:"q3"`
}

// summarize needs at least one sample. Medians, not means: a round during which
// the machine did something else would move a mean as far as it likes.
func summarize(samples []float64) summary {
	s := slices.Sorted(slices.Values(samples))
	return summary{
		Median: quantile(s, 0.5),
		Min:    s[0],
		Max:    s[len(s)-1],
		Q1:     quantile(s, 0.25),
		Q3:     quantile(s, 0.75),
	}
}

// quantile interpolates between the two nearest of the sorted samples.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func (s summary) noisy() bool { return s.Q3-s.Q1 > noisyAbove*s.Median }

// ratio is the median over the rounds of a to b. Both were measured in the same
// round, so that a machine that slows down for a while slows both.
func ratio(a, b []float64) float64 {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	return summarize(r).Median
}
