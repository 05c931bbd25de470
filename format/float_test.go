package format

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestFloatsReadAsStrconvWritesThem(t *testing.T) {
	t.Parallel()
	check := func(f float64) {
		t.Helper()
		for _, f := range []float64{f, -f, math.Nextafter(f, 0), math.Nextafter(f, math.Inf(1))} {
			for _, verb := range []byte{'f', 'g'} {
				if got, want := string(appendFloat(nil, f, verb)), strconv.FormatFloat(f, verb, -1, 64); got != want {
					t.Errorf("%c: %s, want %s", verb, got, want)
				}
			}
		}
	}
	for _, f := range []float64{0, 1, 10, 0.1, 0.3, 1e-4, 1e-5, 1e-6, 5e-7, 0.0001234, 999999, 999999.999999, 1e6, 1e21, 1e22, 101.25, 0.5, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.NaN()} {
		check(f)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		places := math.Pow10(rnd.IntN(9))
		check(math.Round(rnd.Float64()*math.Pow10(rnd.IntN(8))*places) / places)
		check(math.Float64frombits(rnd.Uint64()))
	}
}
