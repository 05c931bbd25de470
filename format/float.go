package format

import (
	"math"
	"math/bits"
	"strconv"
)

// appendFloat appends the shortest text that reads back as f, by strconv's verb f or g.
//
// Most numbers that are logged, such as prices, have few decimals: f is then m/10⁶ for a
// whole number m, and since no two decimals of 15 digits are the same float64, m without
// zeros at its end is the shortest text. That takes a third of strconv's time. Within the
// bounds here, f and g are the same.
func appendFloat(dst []byte, f float64, verb byte) []byte {
	const decimals = 1e6
	abs := math.Abs(f)
	if !(abs >= 1e-4 && abs < 1e6) {
		return strconv.AppendFloat(dst, f, verb, -1, 64)
	}
	m := int64(abs*decimals + 0.5)
	if float64(m)/decimals != abs {
		return strconv.AppendFloat(dst, f, verb, -1, 64)
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	dst = appendShort(dst, uint32(uint64(m)/decimals))
	fraction := eightDigits(uint32(uint64(m)%decimals)) >> 16 // the first two are zeros
	if fraction == 0 {
		return dst
	}
	n := (bits.Len64(fraction) + 7) / 8
	return store(append(dst, '.'), fraction|each*'0', n)
}
