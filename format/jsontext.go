package format

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// plainJSON has the bytes that stand for themselves in a JSON string. Those that
// mean something to HTML are not among them: log lines end up in web pages.
var plainJSON = func() [256]bool {
	set := plainASCII
	for _, b := range `"\<>&` {
		set[b] = false
	}
	return set
}()

// appendJSONString appends s in quotes, and reports whether it was valid UTF-8; if
// it was not, each byte that is no rune has become U+FFFD.
func appendJSONString(dst, s []byte) ([]byte, bool) {
	dst, valid := appendJSONText(append(dst, '"'), s)
	return append(dst, '"'), valid
}

// appendJSONEscaped appends s as it must be inside of quotes.
func appendJSONEscaped(dst, s []byte) []byte {
	dst, _ = appendJSONText(dst, s)
	return dst
}

func appendJSONText(dst, s []byte) (_ []byte, valid bool) {
	valid = true
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if plainJSON[b] {
			i++
			continue
		}
		r, size := rune(b), 1
		if b >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
			if size > 1 && !hazard(r) {
				i += size
				continue
			}
			valid = valid && size > 1
		}
		dst = append(dst, s[start:i]...)
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default: // ASCII, hazards and U+FFFD: all in the basic plane
			dst = appendHex4(append(dst, `\u`...), r)
		}
		i += size
		start = i
	}
	return append(dst, s[start:]...), valid
}

func appendBase64(dst, s []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), s), '"')
}

// appendJSONFloat appends f as encoding/json does: the shortest text that reads
// back as f, without an exponent where people would write none. JSON has no numbers
// for what is not finite; those are strings.
func appendJSONFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"+Inf"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Inf"`...)
	}
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return appendFloat(dst, f, 'f')
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst = append(dst[:n-2], dst[n-1]) // e-09 is e-9 there
	}
	return dst
}
