package pathtemplate

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode"
	"unicode/utf8"
)

const (
	// emptyText stands for the empty value: no other has an escape that ends in m.
	emptyText = "%empty"
	// maxValue bounds the text of a value, in bytes.
	maxValue = 100
	// hashSize is what the end of a text that was cut takes: ~ and hexadecimal digits.
	hashSize = 1 + 16
)

// escaping is how the values of one field are made part of a name.
type escaping struct {
	separator rune // encoded as well; 0: none
	limit     int  // of the text, in bytes; more than hashSize
}

// append appends the text of value. All of it can be undone but the end of a text that was
// cut, which no other can have: ~ is encoded.
func (e escaping) append(dst, value []byte) []byte {
	if len(value) == 0 {
		return append(dst, emptyText...)
	}
	start := len(dst)
	cut := start // where the text is cut if it grows too long
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRune(value[i:])
		end := i + size
		if e.plain(r, size, i == 0, end == len(value)) {
			dst = append(dst, value[i:end]...)
		} else {
			for _, b := range value[i:end] {
				dst = appendByte(dst, b)
			}
		}
		i = end
		switch length := len(dst) - start; {
		case length > e.limit:
			sum := sha256.Sum256(value)
			return hex.AppendEncode(append(dst[:cut], '~'), sum[:(hashSize-1)/2])
		case length <= e.limit-hashSize:
			cut = len(dst)
		}
	}
	return dst
}

// plain says whether a rune of so many bytes may stand in a name as it is.
func (e escaping) plain(r rune, size int, first, last bool) bool {
	switch {
	case r == e.separator && e.separator != 0:
		return false
	case r < utf8.RuneSelf:
		return plainASCII[r] || (r == '.' || r == ' ') && !first && !last || r == '-' && !first
	case r == utf8.RuneError && size == 1:
		return false
	}
	return unicode.IsPrint(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// plainASCII has the characters that are plain wherever they stand.
var plainASCII = func() (set [utf8.RuneSelf]bool) {
	for b := '!'; b <= '}'; b++ { // without ~ and DEL
		set[b] = true
	}
	for _, b := range `/\<>:"|?*%.-` {
		set[b] = false
	}
	return set
}()

// brailleBlank is printed, for Unicode, and nothing to be seen.
const brailleBlank = '\u2800'

// appendByte appends b encoded.
func appendByte(dst []byte, b byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, '%', digits[b>>4], digits[b&15])
}
