package cli

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// packages whose name at the start of an error says nothing to users.
var packages = [...]string{"ring: ", "reader: ", "writer: ", "logfile: ", "format: ", "record: ", "dump: "}

// Message is err as one line that is safe to print.
func Message(err error) string { return oneLine(err.Error()) }

func oneLine(text string) string {
	for _, p := range packages {
		text = strings.TrimPrefix(text, p)
	}
	return Clean(strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")) // errors.Join puts each on a line
}

// Clean escapes what could move a terminal's cursor or pass for something else:
// labels, paths and messages come from files that anybody may have written.
func Clean(s string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if plain(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteToASCII(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

// Count is n with a noun: "1 record", "2 records".
func Count(n uint64, noun string) string {
	s := strconv.FormatUint(n, 10) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}
