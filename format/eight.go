package format

import (
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Most words and numbers of a line are so short that the call that copies them takes
// longer than the copying. So they are looked at and copied as 8 bytes in one register,
// of which those behind the word are overwritten by what follows.

// The top bit of each of 8 bytes, and a factor that repeats a byte.
const (
	tops = 0x8080808080808080
	each = 0x0101010101010101
)

// load returns the 1 to 8 bytes of s, with zeros behind them.
func load(s []byte) uint64 {
	switch n := len(s); {
	case n == 8:
		return binary.LittleEndian.Uint64(s)
	case n >= 4: // some bytes twice, at the same place
		return uint64(binary.LittleEndian.Uint32(s)) | uint64(binary.LittleEndian.Uint32(s[n-4:]))<<(8*(n-4))
	default:
		return uint64(s[0]) | uint64(s[n/2])<<(8*(n/2)) | uint64(s[n-1])<<(8*(n-1))
	}
}

// store appends the first n bytes of x.
func store(dst []byte, x uint64, n int) []byte {
	return binary.LittleEndian.AppendUint64(dst, x)[:len(dst)+n]
}

// below has the top bit of a byte of x set if some byte is below n, and else none. n is
// at most 128. It is from Bit Twiddling Hacks by Sean Eron Anderson, as is what follows.
func below(x uint64, n byte) uint64 { return (x - each*uint64(n)) &^ x & tops }

// equal has the top bit of a byte of x set if some byte is b, and else none.
func equal(x uint64, b byte) uint64 { return below(x^each*uint64(b), 1) }

// shown reports whether all of 8 bytes are of plainASCII.
func shown(x uint64) bool { return below(x, ' ')|(x+each|x)&tops == 0 }

// bare reports whether all of 8 bytes are ASCII that needs no quotes.
func bare(x uint64) bool {
	return below(x, ' '+1)|equal(x, '=')|equal(x, '"')|(x+each|x)&tops == 0
}

// appendBare appends s if it is ASCII that needs no quotes, as nearly all keys are. If not,
// it appends nothing and is false.
func appendBare(dst, s []byte) ([]byte, bool) {
	n := len(s)
	switch {
	case n == 0:
		return dst, false
	case n <= 8:
		x := load(s)
		if !bare(x | uint64(each*'x')<<(8*n)) {
			return dst, false
		}
		return store(dst, x, n), true
	}
	line := dst
	for i := 0; i < n-8; i += 8 {
		x := load(s[i : i+8])
		if !bare(x) {
			return dst, false
		}
		line = store(line, x, 8)
	}
	x := load(s[n-8:]) // some bytes twice, at the same place
	if !bare(x) {
		return dst, false
	}
	return store(line[:len(dst)+n-8], x, 8), true
}

// appendKey appends a space, key as a word, and an equals sign.
func appendKey(dst, key []byte) []byte {
	if n := len(key); n > 0 && n <= 6 {
		if x := load(key); bare(x | uint64(each*'x')<<(8*n)) {
			return store(dst, ' '|x<<8|'='<<(8*n+8), n+2)
		}
	}
	return append(appendWord(append(dst, ' '), key), '=')
}

// appendShown appends the beginning of s that is of plainASCII, as far as that is easily
// told, and returns its length.
func appendShown(dst, s []byte) ([]byte, int) {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := load(s[i : i+8])
		if !shown(x) {
			return dst, i
		}
		dst = store(dst, x, 8)
	}
	if n := len(s) - i; n > 0 {
		if x := load(s[i:]); shown(x | uint64(each*'x')<<(8*n)) {
			return store(dst, x, n), len(s)
		}
	}
	return dst, i
}

// eightDigits returns the 8 decimal digits of n < 10⁸, each as a byte from 0 to 9, the
// first one lowest. All divisions of a step are one multiplication: an idea of Paul Khuong.
func eightDigits(n uint32) uint64 {
	x := uint64(n/10_000) | uint64(n%10_000)<<32
	hundreds := x * 10_486 >> 20 & 0x7f_0000_007f
	x = hundreds | (x-hundreds*100)<<16
	tens := x * 103 >> 10 & 0xf_000f_000f_000f
	return tens | (x-tens*10)<<8
}

// appendShort appends n < 10⁸ in decimal. The length is found beside the digits, not from
// them: what follows waits for it alone.
func appendShort(dst []byte, n uint32) []byte {
	digits := bits.Len32(n|1) * 1233 >> 12 // of 10 for each 4096/1233 bits, from below
	if n >= tens[digits] {
		digits++
	}
	return store(dst, (eightDigits(n)|each*'0')>>(8*(8-digits)&63), digits)
}

var tens = [...]uint32{0, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}

// appendUint appends n in decimal.
func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n < 1e8:
		return appendShort(dst, uint32(n))
	case n < 1e16: // as positions and times have
		return store(appendShort(dst, uint32(n/1e8)), eightDigits(uint32(n%1e8))|each*'0', 8)
	}
	return strconv.AppendUint(dst, n, 10)
}

// appendInt appends n in decimal.
func appendInt(dst []byte, n int64) []byte {
	switch {
	case uint64(n) < 1e8:
		return appendShort(dst, uint32(n))
	case n >= 0:
		return appendUint(dst, uint64(n))
	}
	return strconv.AppendInt(dst, n, 10)
}
