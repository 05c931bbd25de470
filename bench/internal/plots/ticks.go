package plots

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// nines marks percentiles: 0, 90, 99, 99.9, ...
type nines struct{}

func (nines) Ticks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for n := math.Ceil(low); n <= high+1e-9; n++ {
		label := "0 %"
		if n > 0 {
			label = strconv.FormatFloat(100-math.Pow(10, 2-n), 'f', max(0, int(n)-2), 64) + " %"
		}
		all = append(all, plot.Tick{Value: n, Label: label})
	}
	return all
}

// times marks each power of ten of nanoseconds, and between them 2 to 9 without a label.
type times struct{}

func (times) Ticks(low, high float64) []plot.Tick {
	return powersOfTen(low, high, func(v float64) string {
		switch {
		case v >= 1e9:
			return fmt.Sprintf("%.0f s", v/1e9)
		case v >= 1e6:
			return fmt.Sprintf("%.0f ms", v/1e6)
		case v >= 1e3:
			return fmt.Sprintf("%.0f µs", v/1e3)
		}
		return fmt.Sprintf("%.0f ns", v)
	})
}

// plain marks each power of ten.
type plain struct{}

func (plain) Ticks(low, high float64) []plot.Tick {
	return powersOfTen(low, high, func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) })
}

func powersOfTen(low, high float64, label func(float64) string) []plot.Tick {
	var all []plot.Tick
	for v := math.Pow(10, math.Floor(math.Log10(low))); v > 0 && v <= high*1.001; v *= 10 {
		all = append(all, plot.Tick{Value: v, Label: label(v)})
		for m := 2.0; m < 10 && v*m <= high; m++ {
			all = append(all, plot.Tick{Value: v * m})
		}
	}
	return all
}

// powers marks powers of two: by a format, or as sizes.
type powers struct{ form string }

func (p powers) Ticks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for v := math.Pow(2, math.Ceil(math.Log2(low)-1e-9)); v > 0 && v <= high*1.001; v *= 2 {
		label := fmt.Sprintf(p.form, v)
		if p.form == "size" {
			label = fmt.Sprintf("%.0f", v)
			if v >= 1024 {
				label = fmt.Sprintf("%.0f Ki", v/1024)
			}
		}
		all = append(all, plot.Tick{Value: v, Label: label})
	}
	return all
}

// log2 is a logarithmic axis, on which each doubling takes the same room.
type log2 struct{}

func (log2) Normalize(low, high, x float64) float64 {
	return math.Log2(x/low) / math.Log2(high/low)
}
