package format

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

// appendLayout appends what the layout shows of l.
func (t *Text) appendLayout(dst []byte, l *Line) []byte {
	start := len(dst)
	for i := range t.steps {
		s := &t.steps[i]
		dst = append(dst, s.literal...)
		if s.field == fieldNone {
			break
		}
		from := len(dst)
		dst = t.appendField(dst, l, s)
		if s.cuts {
			dst = dst[:from+len(cut(dst[from:], s.prec))]
		}
		if s.width > 0 {
			dst = pad(dst, from, s)
		}
	}
	if len(dst) > start && dst[start] == ' ' {
		// A record's text, or the lack of it, has come to stand first.
		dst = slices.Replace(dst, start, start+1, leadingSpace...)
	}
	return dst
}

// leadingSpace is the space that a line would start with, which would make it look like
// a further line of the record above.
var leadingSpace = []byte(`\x20`)

func (t *Text) appendField(dst []byte, l *Line, s *step) []byte {
	switch s.field {
	case fieldTime:
		return t.clock.append(dst, l.time())
	case fieldAttrs:
		return t.appendAllAttrs(dst, l, s)
	case fieldLogger:
		return l.appendLogger(dst, s.prec)
	case fieldMessage:
		return appendLines(dst, cut(l.Record.Message(), s.prec))
	case fieldAttr:
		return t.appendAttr(dst, l, s)
	case fieldCreated:
		return s.appendFloat(dst, float64(l.time())/1e9)
	case fieldMsecs:
		ns := l.time() % 1e9
		if ns < 0 {
			ns += 1e9
		}
		return s.appendFloat(dst, float64(ns/1e6))
	case fieldLevelNumber:
		return s.appendInt(dst, l.pythonLevel())
	case fieldSourceLine:
		source, _ := l.Record.Source()
		return s.appendInt(dst, int64(source.Line))
	case fieldPID:
		return s.appendUint(dst, l.Origin.PID)
	case fieldSeq:
		return s.appendUint(dst, l.Seq)
	default:
		return appendLine(dst, cut(t.text(l, s.field), s.prec))
	}
}

func (t *Text) appendAllAttrs(dst []byte, l *Line, s *step) []byte {
	from := len(dst)
	dst = t.appendAttrs(dst, l.Record.Attrs())
	if s.spaced || len(dst) == from {
		return dst
	}
	return slices.Delete(dst, from, from+1)
}

// text returns a field that is text, as it was logged. It is valid until the next call.
func (t *Text) text(l *Line, f field) []byte {
	source, _ := l.Record.Source()
	t.word = t.word[:0]
	switch f {
	case fieldLevel:
		t.word = l.appendLevel(t.word, appendAsIs)
	case fieldPath:
		return source.File
	case fieldFile:
		return base(source.File)
	case fieldModule:
		name := base(source.File)
		if dot := bytes.LastIndexByte(name, '.'); dot > 0 {
			name = name[:dot]
		}
		return name
	case fieldFunction:
		return source.Function
	case fieldProcess:
		return l.Record.Process()
	case fieldThread:
		return l.Record.Thread()
	case fieldWorker:
		t.word = append(t.word, l.Origin.Worker...)
	case fieldEvent:
		t.word = append(t.word, l.Event...)
	case fieldID:
		t.word = l.appendID(t.word)
	}
	return t.word
}

// appendID appends the record's unique id.
func (l *Line) appendID(dst []byte) []byte {
	return appendUint(l.Origin.appendID(dst), l.Position)
}

func appendAsIs(dst, s []byte) []byte { return append(dst, s...) }

func base(path []byte) []byte { return path[bytes.LastIndexByte(path, '/')+1:] }

// appendAttr appends the attribute of the step's key.
func (t *Text) appendAttr(dst []byte, l *Line, s *step) []byte {
	v, ok := find(l.Record.Attrs(), s.key)
	if !ok {
		return dst
	}
	switch tag := v.Tag(); {
	case s.verb == 's':
	case tag == record.TagInt:
		return s.appendInt(dst, v.Int64())
	case tag == record.TagUint:
		return s.appendUint(dst, v.Uint64())
	case tag == record.TagFloat:
		return s.appendFloat(dst, v.Float64())
	}
	text := v.Bytes()
	if text == nil {
		t.word = AppendValue(t.word[:0], v)
		text = t.word
	}
	return appendLine(dst, cut(text, s.textPrec()))
}

// find returns the first attribute with the given key outside of all groups.
func find(attrs record.Attrs, key string) (record.Value, bool) {
	for a := range attrs.All() {
		group := a.Value.Tag() == record.TagGroup
		if group && len(a.Key) == 0 { // its attributes stand in its place
			if v, ok := find(a.Value.Group(), key); ok {
				return v, true
			}
		}
		if !group && string(a.Key) == key {
			return a.Value, true
		}
	}
	return record.Value{}, false
}

// textPrec is how many runes of text are shown: a precision of digits cuts none.
func (s *step) textPrec() int {
	if s.verb == 's' {
		return s.prec
	}
	return noCut
}

// cut returns the first runes of s. A byte that is no rune counts as one.
func cut(s []byte, runes int) []byte {
	if len(s) <= runes {
		return s
	}
	n := 0
	for ; runes > 0 && n < len(s); runes-- {
		_, size := utf8.DecodeRune(s[n:])
		n += size
	}
	return s[:n]
}

// pad brings what was appended behind from to the step's width.
func pad(dst []byte, from int, s *step) []byte {
	missing := s.width - utf8.RuneCount(dst[from:])
	if missing <= 0 {
		return dst
	}
	end, fill := len(dst), byte(' ')
	if s.zeros && !s.left {
		digits := from
		if digits < end && (dst[digits] == '-' || dst[digits] == '+') {
			digits++
		}
		if digits < end && '0' <= dst[digits] && dst[digits] <= '9' {
			from, fill = digits, '0' // between the sign and the digits, if there are any
		}
	}
	for range missing {
		dst = append(dst, fill)
	}
	if !s.left {
		copy(dst[from+missing:], dst[from:end])
		for i := range missing {
			dst[from+i] = fill
		}
	}
	return dst
}
