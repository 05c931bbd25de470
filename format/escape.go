package format

import (
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// plainASCII has the bytes that are shown as they are wherever they stand.
var plainASCII = func() (set [256]bool) {
	for b := byte(' '); b < 0x7f; b++ {
		set[b] = true
	}
	return set
}()

// hazard reports whether the rune, which is not ASCII, could end a line, control a
// terminal or reorder what is shown: C1 controls, the line and paragraph separators,
// and those that embed, override or isolate a direction.
func hazard(r rune) bool {
	return r < 0xa0 ||
		r >= 0x2028 && r <= 0x202e ||
		r >= 0x2066 && r <= 0x2069
}

// showable reports whether s is UTF-8 without control characters of any kind.
func showable(s string) bool {
	for _, r := range s {
		if r < utf8.RuneSelf && !plainASCII[r] || r >= utf8.RuneSelf && hazard(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// appendLine appends s with everything escaped that could leave its line.
func appendLine(dst, s []byte) []byte { return appendText(dst, s, `\n`) }

// appendLines appends s like appendLine, but its lines after the first follow as
// lines of their own, indented. Newlines at the end are left out.
func appendLines(dst, s []byte) []byte {
	for len(s) > 0 && s[len(s)-1] == '\n' {
		s = s[:len(s)-1]
	}
	return appendText(dst, s, indent)
}

// indent starts a line that belongs to the one above.
const indent = "\n    "

// appendText appends s with newline in the place of each newline, and with other
// control characters but the tab escaped. Backslashes are left alone: paths and
// patterns stay readable, and an escape can be told from its like in JSON only.
func appendText(dst, s []byte, newline string) []byte {
	dst, start := appendShown(dst, s)
	for i := start; i < len(s); {
		b := s[i]
		if plainASCII[b] || b == '\t' {
			i++
			continue
		}
		size := 1
		r := rune(b)
		if b >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
			if size > 1 && !hazard(r) {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		if b == '\n' {
			dst = append(dst, newline...)
		} else {
			dst = appendEscape(dst, b, r, size)
		}
		i += size
		start = i
	}
	return append(dst, s[start:]...)
}

// appendEscape appends the escape of the rune r, which takes size bytes of which b
// is the first. A byte that is no rune has size 1, like ASCII.
func appendEscape(dst []byte, b byte, r rune, size int) []byte {
	switch {
	case b == '\r':
		return append(dst, `\r`...)
	case size == 1:
		return append(dst, '\\', 'x', hexDigits[b>>4], hexDigits[b&15])
	case r > 0xffff:
		dst = append(dst, `\U00`...)
		return appendHex4(append(dst, hexDigits[r>>20&15], hexDigits[r>>16&15]), r)
	default:
		return appendHex4(append(dst, `\u`...), r)
	}
}

// appendHex4 appends the low 16 bits of r.
func appendHex4(dst []byte, r rune) []byte {
	return append(dst, hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// needsQuotes reports whether s must be quoted to stand as a key or a value of
// key=value, by the rules of slog's TextHandler.
func needsQuotes(s []byte) bool {
	for i := 0; i < len(s); {
		b := s[i]
		if b < utf8.RuneSelf {
			if !plainASCII[b] || b == ' ' || b == '=' || b == '"' {
				return true
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError || !unicode.IsPrint(r) || unicode.IsSpace(r) {
			return true
		}
		i += size
	}
	return len(s) == 0
}

// appendWord appends s as a key or a value of key=value, quoted where it must be.
func appendWord(dst, s []byte) []byte {
	if dst, ok := appendBare(dst, s); ok {
		return dst
	}
	if needsQuotes(s) {
		return appendQuoted(dst, s)
	}
	return append(dst, s...)
}

// appendQuoted appends s in double quotes, with everything escaped that can't be
// seen. (strconv's AppendQuote wants a string, which would be a copy.)
func appendQuoted(dst, s []byte) []byte { return appendQuotedBy(dst, s, appendEscape) }

// appendQuotedBy is appendQuoted with another function for what has no escape of a letter.
func appendQuotedBy(dst, s []byte, escape func(dst []byte, b byte, r rune, size int) []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		b := s[i]
		r, size := rune(b), 1
		if b >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s[i:])
		}
		switch {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b == '\n':
			dst = append(dst, `\n`...)
		case b == '\t':
			dst = append(dst, `\t`...)
		case plainASCII[b] || size > 1 && unicode.IsPrint(r):
			dst = append(dst, s[i:i+size]...)
		default:
			dst = escape(dst, b, r, size)
		}
		i += size
	}
	return append(dst, '"')
}
