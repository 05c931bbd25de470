package stats

import (
	"math"
	"strconv"
)

// Number is v with three significant digits, or all digits before the point; with two
// where it is less than 0.1.
func Number(v float64) string {
	if a := math.Abs(v); a > 0 && a < 0.095 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	digits := 2
	for a := math.Abs(v); a >= 9.995 && digits > 0; a /= 10 {
		digits--
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

// Time is nanoseconds in the unit that suits them: "53.5 ns", "4.15 ms".
func Time(ns float64) string {
	for _, u := range []struct {
		name string
		of   float64
	}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
		if ns >= u.of {
			return Number(ns/u.of) + " " + u.name
		}
	}
	return Number(ns) + " ns"
}
