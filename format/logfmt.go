package format

import (
	"slices"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

// Logfmt writes one line of key=value a record, for programs and people:
//
//	time=2026-11-23T18:47:01.123456789Z level=INFO logger=trades msg="order filled" worker=w-3 pid=4711 seq=7 id=… symbol=SPX
//
// The first keys are those of [JSON], but that the root logger is called root; event
// follows in lines that ringlog itself writes. Then come the attributes, those in groups
// under dotted keys, and, where there is something to say, source=file:line, traceback,
// stack, process, thread, level_number and level_scale.
//
// Values are quoted where slog's TextHandler quotes them, with the escapes that Go and
// JSON have in common, since the usual parsers know no others: newlines are \n, and a
// byte that is not UTF-8 reads as U+FFFD. Bytes are base64, other values as in [Text].
//
// None of the keys above is ever that of an attribute, so a parser may take the first
// or the last of a key: the attribute level is written as attrs.level, which is its
// place in JSON, too. In a key, each character that logfmt has no room for, such as a
// space, is an underscore: a parser that knows no quoted keys would find others in them.
type Logfmt struct {
	clock clock
	path  path
	word  []byte // scratch for a value made of parts
}

// NewLogfmt returns a logfmt formatter.
func NewLogfmt() *Logfmt { return &Logfmt{clock: machineClock("time=", " level=")} }

// Append implements [Formatter].
func (f *Logfmt) Append(dst []byte, l *Line) []byte {
	r := &l.Record
	dst = f.clock.append(dst, l.time())
	f.word = l.appendLevel(f.word[:0], appendAsIs)
	dst = append(appendLogfmtValue(dst, f.word), " logger="...)
	if logger := r.Logger(); len(logger) > 0 {
		dst = appendLogfmtValue(dst, logger)
	} else {
		dst = append(dst, rootLogger...)
	}
	dst = appendLogfmtValue(append(dst, " msg="...), r.Message())
	f.word = append(f.word[:0], l.Origin.Worker...)
	dst = appendLogfmtValue(append(dst, " worker="...), f.word)
	dst = appendUint(append(dst, " pid="...), l.Origin.PID)
	dst = appendUint(append(dst, " seq="...), l.Seq)
	dst = l.appendID(append(dst, " id="...))
	if l.Event != "" {
		dst = append(append(dst, " event="...), l.Event...)
	}
	if !r.IsRaw() {
		dst = f.appendAttrs(dst, r.Attrs(), l.Event != "")
		dst = f.appendFields(dst, r)
	}
	return append(dst, '\n')
}

// appendFields appends what only some records have.
func (f *Logfmt) appendFields(dst []byte, r *record.Record) []byte {
	if source, ok := r.Source(); ok {
		f.word = append(append(f.word[:0], source.File...), ':')
		f.word = appendUint(f.word, uint64(source.Line))
		dst = appendLogfmtValue(append(dst, " source="...), f.word)
	}
	dst = appendLogfmtText(dst, " traceback=", r.Traceback())
	dst = appendLogfmtText(dst, " stack=", r.Stack())
	dst = appendLogfmtText(dst, " process=", r.Process())
	dst = appendLogfmtText(dst, " thread=", r.Thread())
	if own, ok := r.Level(); ok {
		dst = appendInt(append(dst, " level_number="...), int64(own.Number))
		dst = append(append(dst, " level_scale="...), scaleName(own.Scale)...)
	}
	return dst
}

func appendLogfmtText(dst []byte, key string, text []byte) []byte {
	if text == nil {
		return dst
	}
	return appendLogfmtValue(append(dst, key...), text)
}

// appendAttrs appends attrs. Those of an own line that have a key of ours repeat what
// the line has said already.
func (f *Logfmt) appendAttrs(dst []byte, attrs record.Attrs, own bool) []byte {
	var a record.Attr
	for attrs.Next(&a) {
		if a.Value.Tag() == record.TagGroup {
			outer := f.path.enter(a.Key)
			dst = f.appendAttrs(dst, a.Value.Group(), own)
			f.path.leave(outer)
			continue
		}
		start := len(dst)
		dst = append(dst, ' ')
		key := len(dst)
		dst = appendLogfmtKey(dst, f.path.key(a.Key))
		if ourKey(dst[key:]) {
			if own {
				dst = dst[:start]
				continue
			}
			dst = slices.Insert(dst, key, attrsPrefix...)
		}
		dst = appendLogfmtAttr(append(dst, '='), a.Value)
	}
	return dst
}

var attrsPrefix = []byte("attrs.")

// ourKey reports whether a line has the key for something that is no attribute.
func ourKey(key []byte) bool {
	switch string(key) {
	case "time", "level", "logger", "msg", "worker", "pid", "seq", "id", "event",
		"source", "traceback", "stack", "process", "thread", "level_number", "level_scale":
		return true
	}
	return false
}

func appendLogfmtAttr(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBytes:
		return appendBase64(dst, v.Bytes())
	case record.TagString, record.TagError:
		return appendLogfmtValue(dst, v.Bytes())
	default:
		return AppendValue(dst, v)
	}
}

func appendLogfmtValue(dst, s []byte) []byte {
	if dst, ok := appendBare(dst, s); ok {
		return dst
	}
	if !needsQuotes(s) {
		return append(dst, s...)
	}
	return appendQuotedBy(dst, s, appendCommonEscape)
}

// appendCommonEscape is appendEscape with no escapes but those that Go and JSON have in
// common. They have none for runes beyond 16 bits, of which none controls anything.
func appendCommonEscape(dst []byte, b byte, r rune, size int) []byte {
	switch {
	case b == '\r':
		return append(dst, `\r`...)
	case r > 0xffff:
		return utf8.AppendRune(dst, r)
	default: // of a byte that is no rune, r is U+FFFD
		return appendHex4(append(dst, `\u`...), r)
	}
}

// appendLogfmtKey appends s with an underscore for each rune that would need quotes.
func appendLogfmtKey(dst, s []byte) []byte {
	if dst, ok := appendBare(dst, s); ok {
		return dst
	}
	if !needsQuotes(s) {
		return append(dst, s...)
	}
	for i := 0; i < len(s); {
		_, size := utf8.DecodeRune(s[i:])
		if r := s[i : i+size]; needsQuotes(r) {
			dst = append(dst, '_')
		} else {
			dst = append(dst, r...)
		}
		i += size
	}
	if len(s) == 0 {
		dst = append(dst, '_')
	}
	return dst
}
