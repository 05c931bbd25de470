package main

import (
	"math"
	"testing"
)

func TestSummarizeFindsMedianQuartilesAndExtremes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		samples []float64
		want    summary
	}{
		{[]float64{7}, summary{Median: 7, Min: 7, Max: 7, Q1: 7, Q3: 7}},
		{[]float64{4, 2}, summary{Median: 3, Min: 2, Max: 4, Q1: 2.5, Q3: 3.5}},
		{[]float64{5, 1, 4, 2, 3}, summary{Median: 3, Min: 1, Max: 5, Q1: 2, Q3: 4}},
		{[]float64{1, 1, 1, 1000}, summary{Median: 1, Min: 1, Max: 1000, Q1: 1, Q3: 250.75}},
	} {
		if got := summarize(c.samples); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.samples, got, c.want)
		}
	}
}

func TestSummarizeLeavesTheSamplesInTheirOrder(t *testing.T) {
	t.Parallel()
	s := []float64{3, 1, 2}
	summarize(s)
	if s[0] != 3 || s[1] != 1 || s[2] != 2 {
		t.Errorf("%v", s)
	}
}

func TestNoisyIsASpreadOfTheMiddleHalfNotAnOutlier(t *testing.T) {
	t.Parallel()
	if summarize([]float64{100, 101, 102, 103, 900}).noisy() {
		t.Error("one outlier is called noise")
	}
	if !summarize([]float64{100, 110, 120, 130, 140}).noisy() {
		t.Error("a wide spread is not called noise")
	}
}

// The machine gets three times slower from round to round, the ratio does not.
func TestRatioComparesWithinEachRound(t *testing.T) {
	t.Parallel()
	if got := ratio([]float64{20, 60, 180}, []float64{10, 30, 90}); math.Abs(got-2) > 1e-12 {
		t.Errorf("%v, want 2", got)
	}
}
