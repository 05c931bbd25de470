package format

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// OwnLogger is the logger's name in the lines that ringlog itself writes.
const OwnLogger = "ringlog"

// rootLogger is how lines show the logger without a name.
const rootLogger = "root"

// appendLogger appends the logger's name, cut to so many runes, for a line in which
// nothing but the name tells who speaks. What ringlog says of gaps and ends is to be
// believed, so where a worker took its name that reads \x72inglog.
func (l *Line) appendLogger(dst []byte, runes int) []byte {
	name := l.Record.Logger()
	if len(name) == 0 {
		return append(dst, rootLogger[:min(runes, len(rootLogger))]...)
	}
	if len(name) > runes {
		name = cut(name, runes)
	}
	if l.Event == "" && len(name) > 0 && (name[0] == OwnLogger[0] || name[0] == ' ' || !plainASCII[name[0]]) {
		if rest, poses := posing(name, OwnLogger[:min(runes, len(OwnLogger))]); poses {
			dst = append(appendLine(dst, name[:len(name)-len(rest)]), `\x72`...)
			return appendLine(dst, rest[1:])
		}
	}
	return appendLine(dst, name)
}

// posing reports whether name would pass for own: alone, between spaces, or in front of
// what a line may have behind a logger's name, such as " - WARNING - lost 5 records".
// rest begins with the likeness. Loggers whose names only begin with own, like
// ringlog.reader, are not meant.
func posing(name []byte, own string) (rest []byte, poses bool) {
	rest = bytes.TrimLeftFunc(name, unseen)
	if len(rest) < len(own) || string(rest[:len(own)]) != own {
		return nil, false
	}
	next, size := utf8.DecodeRune(rest[len(own):])
	return rest, size == 0 || next != '.' && next != '_' && !unicode.IsLetter(next) && !unicode.IsDigit(next)
}

func unseen(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }
