// Package pathtemplate makes the paths of outputs out of what a record says:
// logs/trials/{study}/{trial}.log is a file for each trial.
//
// # Fields
//
// {logger}, {level}, {worker} and {pid} are those of the record, the root logger being
// root, as lines have it. Any other name is the key of an attribute outside of all
// groups, of which the first counts; its text is that of its value in text lines, without
// quotes and escapes. A record without it has no path. {{ and }} are braces.
//
// # Values in names
//
// Records come from untrusted memory, so a value never names another place than the
// template gives it, and two values never get one name. What is not plain in a file's name
// is percent-encoded as in URLs, byte by byte:
//
//   - / and \, control characters, bytes that are not UTF-8
//   - < > : " | ? * which some file systems refuse, and % and ~ which have a meaning here
//   - what cannot be seen, or changes the direction of what can
//   - a dot or blank at either end, and a - at the beginning
//   - the first character of what would be a name of a Windows device: CON, NUL.log, COM1
//   - the last one of what would be a name that package logfile gives to rotated files,
//     such as app.log.20261123T184701.123456789Z
//
// The empty value is %empty. One that takes more than 100 bytes, or less where several
// fields share a name, is cut, and has behind it ~ and the first 16 hexadecimal digits of
// the whole value's SHA-256. So a name is short enough for whatever logfile puts behind
// it.
//
// Where a name has several fields, as in {study}-{trial}.log, the last character before a
// field that is no letter or digit is encoded in its values: the name of study a and trial
// b-c is a-b%2Dc.log, and a-b-c.log is that of study a-b and trial c.
package pathtemplate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ringlog/ringlog/format"
)

// Template is a path with fields. It is made by Parse, never changes, and may be used by
// any number of goroutines. The zero value is the empty path.
type Template struct {
	names []name // those with fields, in their order
	rest  string // what follows them, from a slash on; all of a path without fields
}

// name is an element of the path that has fields.
type name struct {
	dir    string // what the path has before it, with the slash
	pieces []piece
	end    string // after the last field
	limit  int    // of the text of one value, in bytes
}

// piece is a field and what is before it in its name.
type piece struct {
	text  string
	field field
	// separator is what tells the field from the one before it, and is encoded in its
	// values; 0: it is the first one of the name.
	separator rune
}

// Fixed is the path of a template without fields, in which {{ and }} are single braces.
// ok is false if there are fields.
func (t *Template) Fixed() (path string, ok bool) {
	if len(t.names) > 0 {
		return "", false
	}
	return t.rest, true
}

// Fields returns the names of the fields, each once, in the order in which they come.
func (t *Template) Fields() []string {
	var list []string
	for i := range t.names {
		for _, p := range t.names[i].pieces {
			if !slices.Contains(list, p.field.name) {
				list = append(list, p.field.name)
			}
		}
	}
	return list
}

// Append appends the path of l's record to dst. ok is false if the record lacks a field;
// then path is dst. Nothing is allocated but room in dst.
func (t *Template) Append(dst []byte, l *format.Line) (path []byte, ok bool) {
	path = dst
	for i := range t.names {
		n := &t.names[i]
		path = append(path, n.dir...)
		start := len(path)
		var first, last int // where the first value begins, and the last one ends
		for j := range n.pieces {
			p := &n.pieces[j]
			path = append(path, p.text...)
			if j == 0 {
				first = len(path)
			}
			if path, ok = p.field.append(path, l, escaping{p.separator, n.limit}); !ok {
				return dst, false
			}
			last = len(path)
		}
		path = append(path, n.end...)
		path = disarm(path, start, first, last)
	}
	return append(path, t.rest...), true
}

// disarm encodes one character of a value, if without that the name that begins at start
// would be one with a meaning elsewhere. The first value begins at first, and the last one
// ends at last.
func disarm(path []byte, start, first, last int) []byte {
	// In this order: what is encoded first must not move what the other looks at.
	if likeRotated(path[start:]) {
		path = encodeAt(path, last-1)
	}
	if stem, ok := deviceStem(path[start:]); ok && first < start+stem {
		path = encodeAt(path, first)
	}
	return path
}

// encodeAt encodes the character at i.
func encodeAt(path []byte, i int) []byte {
	_, size := utf8.DecodeRune(path[i:])
	for range size {
		b := path[i]
		path = append(path, "  "...)
		copy(path[i+3:], path[i+1:])
		appendByte(path[:i], b)
		i += 3
	}
	return path
}

// deviceStem says whether name is that of a device on Windows, whatever comes after its
// first dot, and how long what is before that is.
func deviceStem(name []byte) (length int, ok bool) {
	for length < len(name) && name[length] != '.' {
		if length++; length > len("CONOUT$") {
			return 0, false
		}
	}
	stem := strings.TrimRight(string(name[:length]), " ") // short enough for the stack
	for _, device := range [...]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"} {
		if strings.EqualFold(stem, device) {
			return length, true
		}
	}
	if len(stem) < len("COM1") || !strings.EqualFold(stem[:3], "COM") && !strings.EqualFold(stem[:3], "LPT") {
		return 0, false
	}
	switch stem[3:] {
	case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³":
		return length, true
	}
	return 0, false
}

// instantForm is the form of the instant in a rotated file's name, each 0 being a digit;
// see package logfile.
const instantForm = ".00000000T000000.000000000Z"

// archiveEnds are what logfile puts behind a rotated file's name.
var archiveEnds = [...]string{".gz", ".zst"}

// likeRotated says whether name could be that of a rotated file, or of an archive of one.
// Temporaries begin with a dot, which no name with fields does.
func likeRotated[T string | []byte](name T) bool {
	for _, end := range archiveEnds {
		if n := len(name) - len(end); n >= 0 && string(name[n:]) == end {
			name = name[:n]
			break
		}
	}
	if len(name) < len(instantForm) {
		return false
	}
	name = name[len(name)-len(instantForm):]
	for i := range len(name) {
		want, got := instantForm[i], name[i]
		if want == '0' && (got < '0' || got > '9') || want != '0' && got != want {
			return false
		}
	}
	return true
}
