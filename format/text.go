package format

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

// Text writes lines for people, in the form that Python's logging has by default:
//
//	2026-11-23 18:47:01,123 - trades - INFO - message key=value
//
// Further lines of a message, and tracebacks and stacks, follow indented by four
// spaces; no other line starts with a space. Where a record comes from (source, process,
// thread) is for [JSON] to say: Python's records all carry it.
type Text struct {
	clock clock
	group []byte // prefix of the keys in the group being written
	word  []byte // scratch for a key or value made of parts
}

// NewText returns a text formatter that shows times in loc, nil for local time.
func NewText(loc *time.Location) *Text {
	if loc == nil {
		loc = time.Local
	}
	return &Text{clock: clock{loc: loc, layout: time.DateTime}}
}

// Append implements [Formatter].
func (t *Text) Append(dst []byte, l *Line) []byte {
	dst, ns := t.clock.append(dst, l.time())
	dst = appendDigits(append(dst, ','), ns/1e6, 3)
	dst = append(dst, " - "...)
	switch logger := l.Record.Logger(); {
	case len(logger) == 0:
		dst = append(dst, "root"...)
	case l.Event == "" && string(logger) == OwnLogger:
		dst = append(dst, notOwn...)
	default:
		dst = appendLine(dst, logger)
	}
	dst = append(dst, " - "...)
	dst = l.appendLevel(dst, appendLine)
	dst = append(dst, " - "...)
	dst = appendLines(dst, l.Record.Message())
	t.group = t.group[:0]
	dst = t.appendAttrs(dst, l.Record.Attrs())
	for _, block := range [...][]byte{l.Record.Traceback(), l.Record.Stack()} {
		if len(block) > 0 {
			dst = appendLines(append(dst, indent...), block)
		}
	}
	return append(dst, '\n')
}

// notOwn is how the name of ringlog's own logger is shown when a worker took it:
// what ringlog says of gaps and ends is to be believed.
const notOwn = `\x72inglog`

func (t *Text) appendAttrs(dst []byte, attrs record.Attrs) []byte {
	for a := range attrs.All() {
		if a.Value.Tag() == record.TagGroup {
			outer := len(t.group)
			t.enter(a.Key)
			dst = t.appendAttrs(dst, a.Value.Group())
			t.group = t.group[:outer]
			continue
		}
		dst = append(dst, ' ')
		if len(t.group) == 0 {
			dst = appendWord(dst, a.Key)
		} else {
			t.word = append(append(t.word[:0], t.group...), a.Key...)
			dst = appendWord(dst, t.word)
		}
		dst = appendTextValue(append(dst, '='), a.Value)
	}
	return dst
}

// maxGroup bounds the names of groups before a key, in bytes. They are repeated for
// each of a group's attributes: without a bound a long name before many small
// attributes would make a line thousands of times longer than its record.
const maxGroup = 128

// enter adds a group's name to the prefix of keys, which is cut where it grows too
// long. A group without a name is inlined.
func (t *Text) enter(name []byte) {
	if len(name) == 0 {
		return
	}
	t.group = append(append(t.group, name...), '.')
	if len(t.group) <= maxGroup {
		return
	}
	cut := maxGroup
	for cut > maxGroup-utf8.UTFMax && !utf8.RuneStart(t.group[cut]) {
		cut--
	}
	t.group = append(t.group[:cut], "..."...)
}

func appendTextValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBytes:
		return appendQuoted(dst, v.Bytes())
	case record.TagString, record.TagError:
		return appendWord(dst, v.Bytes())
	default:
		return AppendValue(dst, v)
	}
}

// AppendValue appends v in the form in which Text shows it, but strings, errors and
// bytes as they are, without quotes and escapes. Of a group nothing is appended.
func AppendValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBool:
		return strconv.AppendBool(dst, v.Bool())
	case record.TagInt:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case record.TagUint:
		return strconv.AppendUint(dst, v.Uint64(), 10)
	case record.TagFloat:
		return strconv.AppendFloat(dst, v.Float64(), 'g', -1, 64)
	case record.TagTime:
		t, offset := v.Time()
		return appendTime(dst, t, offset)
	case record.TagDuration:
		return append(dst, v.Duration().String()...)
	default:
		return append(dst, v.Bytes()...)
	}
}
