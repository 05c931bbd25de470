// Package stats says how measured samples are spread, and what can be told from two
// sets of them.
package stats

import (
	"slices"

	"golang.org/x/perf/benchmath"
)

// NoisyAbove is the share of the median that the middle half of the rounds may span
// before a figure is called noisy.
const NoisyAbove = 0.10

// Summary says how the rounds of one line are spread.
type Summary struct {
	Median, Min, Max float64
	Q1, Q3           float64 // quartiles
	N                int     // rounds
}

// Summarize needs at least one sample, and leaves their order as it is. Medians, not
// means: a round during which the machine did something else would move a mean as far
// as it likes.
func Summarize(samples []float64) Summary {
	s := slices.Sorted(slices.Values(samples))
	return Summary{
		Median: Quantile(s, 0.5),
		Min:    s[0],
		Max:    s[len(s)-1],
		Q1:     Quantile(s, 0.25),
		Q3:     Quantile(s, 0.75),
		N:      len(s),
	}
}

// Quantile interpolates between the two nearest of the sorted samples.
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Noisy is a wide spread of the middle half: an outlier is none.
func (s Summary) Noisy() bool { return s.Q3-s.Q1 > NoisyAbove*s.Median }

// Ratios are those of a to b, round by round. Both were measured in the same round, so
// that a machine that slows down for a while slows both.
func Ratios(a, b []float64) []float64 {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	return r
}

// Ratio is the median of Ratios.
func Ratio(a, b []float64) float64 { return Summarize(Ratios(a, b)).Median }

// Change is what two runs of one line differ by, as benchstat has it.
type Change struct {
	Old, New string  // median and its confidence interval, "53.5 ± 3%"
	Delta    float64 // of the medians, as a share of the old one; 0 where nothing is shown
	Shown    bool    // whether the runs differ by more than their rounds do among themselves
	P        float64
	N1, N2   int
}

// confidence of the medians' intervals.
const confidence = 0.95

// Compare tells two sets of samples apart by the Mann-Whitney U-test, which assumes
// nothing of how they are spread. Both have at least one sample.
func Compare(before, after []float64) Change {
	a, b := sample(before), sample(after)
	sa, sb := benchmath.AssumeNothing.Summary(a, confidence), benchmath.AssumeNothing.Summary(b, confidence)
	c := benchmath.AssumeNothing.Compare(a, b)
	change := Change{Old: text(sa), New: text(sb), P: c.P, N1: c.N1, N2: c.N2, Shown: c.P < c.Alpha}
	if change.Shown && sa.Center != 0 {
		change.Delta = sb.Center/sa.Center - 1
	}
	return change
}

// sample sorts what it is given, so it is given a copy.
func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

func text(s benchmath.Summary) string { return Number(s.Center) + " ± " + s.PctRangeString() }
