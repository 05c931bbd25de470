package format

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// The methods of this file append numbers as the step's verb shows them in Python.

func (s *step) appendInt(dst []byte, n int64) []byte {
	if n >= 0 {
		return s.appendUint(dst, uint64(n))
	}
	if s.verb != 's' && s.verb != 'd' {
		return s.appendFloat(dst, float64(n))
	}
	dst = append(dst, '-')
	return s.fill(strconv.AppendUint(dst, -uint64(n), 10), len(dst))
}

func (s *step) appendUint(dst []byte, n uint64) []byte {
	if s.verb != 's' && s.verb != 'd' {
		return s.appendFloat(dst, float64(n))
	}
	if s.plus {
		dst = append(dst, '+')
	}
	return s.fill(strconv.AppendUint(dst, n, 10), len(dst))
}

func (s *step) appendFloat(dst []byte, f float64) []byte {
	if s.plus && (f >= 0 || math.IsNaN(f)) && !math.IsInf(f, 1) { // which has its sign anyway
		dst = append(dst, '+')
	}
	from := len(dst)
	switch s.verb {
	case 's':
		if dst = strconv.AppendFloat(dst, f, 'f', -1, 64); !bytes.Contains(dst[from:], point) {
			dst = append(dst, ".0"...)
		}
		return dst
	case 'd':
		dst = strconv.AppendFloat(dst, math.Trunc(f)+0, 'f', 0, 64) // no -0
		if dst[from] == '-' {
			from++
		}
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return dst
		}
		return s.fill(dst, from)
	}
	digits := s.prec
	if digits == noCut {
		digits = 6
	}
	return strconv.AppendFloat(dst, f, s.verb, digits, 64)
}

var point = []byte(".")

// fill puts zeros before the digits from there on, as many as the precision asks for.
func (s *step) fill(dst []byte, from int) []byte {
	if s.verb != 'd' || s.prec == noCut {
		return dst
	}
	return slices.Insert(dst, from, zeros[:max(0, s.prec-(len(dst)-from))]...)
}

var zeros = bytes.Repeat([]byte("0"), maxNumber)
