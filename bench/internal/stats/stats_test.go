package stats

import (
	"math"
	"slices"
	"testing"
)

func TestSummarizeFindsMedianQuartilesAndExtremes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		samples []float64
		want    Summary
	}{
		{[]float64{7}, Summary{Median: 7, Min: 7, Max: 7, Q1: 7, Q3: 7, N: 1}},
		{[]float64{4, 2}, Summary{Median: 3, Min: 2, Max: 4, Q1: 2.5, Q3: 3.5, N: 2}},
		{[]float64{5, 1, 4, 2, 3}, Summary{Median: 3, Min: 1, Max: 5, Q1: 2, Q3: 4, N: 5}},
		{[]float64{1, 1, 1, 1000}, Summary{Median: 1, Min: 1, Max: 1000, Q1: 1, Q3: 250.75, N: 4}},
	} {
		if got := Summarize(c.samples); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.samples, got, c.want)
		}
	}
}

func TestNothingChangesTheOrderOfSamples(t *testing.T) {
	t.Parallel()
	s := []float64{3, 1, 2}
	Summarize(s)
	Compare(s, s)
	if !slices.Equal(s, []float64{3, 1, 2}) {
		t.Errorf("%v", s)
	}
}

func TestNoisyIsASpreadOfTheMiddleHalfNotAnOutlier(t *testing.T) {
	t.Parallel()
	if Summarize([]float64{100, 101, 102, 103, 900}).Noisy() {
		t.Error("one outlier is called noise")
	}
	if !Summarize([]float64{100, 110, 120, 130, 140}).Noisy() {
		t.Error("a wide spread is not called noise")
	}
}

// The machine gets three times slower from round to round, the ratio does not.
func TestRatioComparesWithinEachRound(t *testing.T) {
	t.Parallel()
	if got := Ratio([]float64{20, 60, 180}, []float64{10, 30, 90}); math.Abs(got-2) > 1e-12 {
		t.Errorf("%v, want 2", got)
	}
}

func TestCompareShowsWhatIsMoreThanChance(t *testing.T) {
	t.Parallel()
	a := []float64{100, 101, 99, 102, 98, 100, 101, 99}
	b := []float64{110, 111, 109, 112, 108, 110, 111, 109}
	if c := Compare(a, b); !c.Shown || math.Abs(c.Delta-0.1) > 0.01 || c.P >= 0.05 || c.N1 != 8 || c.N2 != 8 {
		t.Errorf("%+v", c)
	}
	for _, other := range [][]float64{a, {103, 97, 100, 99, 101, 100, 104, 96}, {110}} {
		if c := Compare(a, other); c.Shown || c.Delta != 0 {
			t.Errorf("%v: %+v", other, c)
		}
	}
}

func TestNumberHasThreeDigitsAndNoFewerThanThereAreBeforeThePoint(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0.00", 0.0024: "0.0024", 0.123: "0.12", 9.994: "9.99", 9.996: "10.0", 53.54: "53.5", 99.96: "100", 1234.5: "1234", -53.54: "-53.5"} {
		if got := Number(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestTimesHaveTheUnitThatSuitsThem(t *testing.T) {
	t.Parallel()
	for ns, want := range map[float64]string{53.54: "53.5 ns", 1500: "1.50 µs", 2.5e6: "2.50 ms", 1.7e9: "1.70 s"} {
		if got := Time(ns); got != want {
			t.Errorf("%v: %s, want %s", ns, got, want)
		}
	}
}
