package format

import (
	"strconv"
	"time"

	"github.com/ringlog/ringlog/record"
)

// JSON writes one object a line, for programs. Its members, in this order:
//
//	time      RFC 3339 in UTC, always with nine digits of nanoseconds
//	level     name of the level
//	logger    name of the logger, empty for the root logger
//	msg       message
//	worker    label of the worker
//	pid       its process id
//	seq       number of the record among its owner's
//	id        "<ring, 32 hex digits>-<lane>-<position>", unique
//	event     only in lines that ringlog itself writes: lost, torn, damaged, vanished
//
// and then, where there is something to say, msg_base64, attrs (an object in the
// order of logging; groups are objects, and a repeated key is repeated), source (an
// object of file, line and function), traceback, stack, process, thread, and for a
// level that the ring's scale can't hold, level_number and the level_scale of that
// number ("slog" or "python").
//
// In attrs, durations are integers in nanoseconds, times RFC 3339 in the zone they
// were logged in, bytes base64 strings, NaN and infinities the strings "NaN", "+Inf"
// and "-Inf", and text that is not UTF-8 the object {"base64":"…"} of its bytes.
// Elsewhere a byte that is not UTF-8 reads as U+FFFD; of the message, msg_base64 has
// the exact bytes then. Other text reads back exactly. Control characters of every
// kind are escaped, so that a line is safe to show.
type JSON struct{ clock clock }

// NewJSON returns a JSON formatter.
func NewJSON() *JSON {
	return &JSON{clock{loc: time.UTC, layout: `{"time":"2006-01-02T15:04:05.`}}
}

// Append implements [Formatter].
func (j *JSON) Append(dst []byte, l *Line) []byte {
	r, o := &l.Record, l.Origin
	if len(o.beforeSeq) == 0 {
		o.prebuild()
	}
	dst, ns := j.clock.append(dst, l.time())
	dst = appendDigits(dst, ns, 9)
	dst = append(dst, `Z","level":"`...)
	dst = l.appendLevel(dst, appendJSONEscaped)
	dst = append(dst, `","logger":`...)
	dst, _ = appendJSONString(dst, r.Logger())
	dst = append(dst, `,"msg":`...)
	dst, valid := appendJSONString(dst, r.Message())
	dst = append(dst, o.beforeSeq...)
	dst = strconv.AppendUint(dst, l.Seq, 10)
	dst = append(dst, o.beforePosition...)
	dst = strconv.AppendUint(dst, l.Position, 10)
	dst = append(dst, '"')
	if l.Event != "" {
		dst, _ = appendJSONString(append(dst, `,"event":`...), []byte(l.Event))
	}
	if !valid {
		dst = appendBase64(append(dst, `,"msg_base64":`...), r.Message())
	}
	if !r.IsRaw() {
		dst = appendFields(dst, r)
	}
	return append(dst, "}\n"...)
}

// appendFields appends the members that only some records have.
func appendFields(dst []byte, r *record.Record) []byte {
	if attrs := r.Attrs(); !attrs.Empty() {
		dst = appendObject(append(dst, `,"attrs":`...), attrs)
	}
	if source, ok := r.Source(); ok {
		dst, _ = appendJSONString(append(dst, `,"source":{"file":`...), source.File)
		dst = strconv.AppendUint(append(dst, `,"line":`...), uint64(source.Line), 10)
		dst, _ = appendJSONString(append(dst, `,"function":`...), source.Function)
		dst = append(dst, '}')
	}
	dst = appendMember(dst, `,"traceback":`, r.Traceback())
	dst = appendMember(dst, `,"stack":`, r.Stack())
	dst = appendMember(dst, `,"process":`, r.Process())
	dst = appendMember(dst, `,"thread":`, r.Thread())
	if own, ok := r.Level(); ok {
		dst = append(dst, `,"level_number":`...)
		dst = strconv.AppendInt(dst, int64(own.Number), 10)
		if own.Scale == record.ScaleSlog {
			dst = append(dst, `,"level_scale":"slog"`...)
		} else {
			dst = append(dst, `,"level_scale":"python"`...)
		}
	}
	return dst
}

// appendMember appends a member of an object where it is there at all.
func appendMember(dst []byte, name string, text []byte) []byte {
	if text == nil {
		return dst
	}
	dst, _ = appendJSONString(append(dst, name...), text)
	return dst
}

func appendObject(dst []byte, attrs record.Attrs) []byte {
	start := len(dst)
	dst = appendMembers(dst, attrs)
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // in the place of the first member's comma
	return append(dst, '}')
}

// appendMembers appends attrs, each with a comma before it.
func appendMembers(dst []byte, attrs record.Attrs) []byte {
	for a := range attrs.All() {
		if a.Value.Tag() == record.TagGroup && len(a.Key) == 0 {
			dst = appendMembers(dst, a.Value.Group()) // inlined
			continue
		}
		dst, _ = appendJSONString(append(dst, ','), a.Key)
		dst = appendJSONValue(append(dst, ':'), a.Value)
	}
	return dst
}

func appendJSONValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBool:
		return strconv.AppendBool(dst, v.Bool())
	case record.TagInt:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case record.TagUint:
		return strconv.AppendUint(dst, v.Uint64(), 10)
	case record.TagDuration:
		return strconv.AppendInt(dst, int64(v.Duration()), 10)
	case record.TagFloat:
		return appendJSONFloat(dst, v.Float64())
	case record.TagTime:
		t, offset := v.Time()
		return append(appendTime(append(dst, '"'), t, offset), '"')
	case record.TagBytes:
		return appendBase64(dst, v.Bytes())
	case record.TagGroup:
		return appendObject(dst, v.Group())
	default:
		start := len(dst)
		dst, valid := appendJSONString(dst, v.Bytes())
		if !valid {
			dst = append(appendBase64(append(dst[:start], `{"base64":`...), v.Bytes()), '}')
		}
		return dst
	}
}
