package format

import (
	"unicode/utf8"

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
// number ("slog" or "python"). [Fields] may give them other names.
//
// In attrs, durations are integers in nanoseconds, times RFC 3339 in the zone they
// were logged in, bytes base64 strings, NaN and infinities the strings "NaN", "+Inf"
// and "-Inf", and text that is not UTF-8 the object {"base64":"…"} of its bytes.
// Elsewhere a byte that is not UTF-8 reads as U+FFFD; of the message, msg_base64 has
// the exact bytes then. Other text reads back exactly. Control characters of every
// kind are escaped, so that a line is safe to show.
type JSON struct {
	clock clock // writes time, and the key of level
	// keys are the beginnings of the members, up to their value and with its quote
	// where the value is always a string; empty for those left out. Each begins with a
	// comma, in whose place the first of a line gets its brace.
	keys        [memberCount]string
	behindLevel string // its quote, and the key of logger
	owner       ownerKeys
}

// NewJSON returns a JSON formatter of the plain set of names.
func NewJSON() *JSON { return jsonOf(&plainNames) }

func jsonOf(names *[memberCount]string) *JSON {
	j := &JSON{}
	for m, name := range names {
		if name == "" {
			continue
		}
		key, _ := appendJSONString([]byte(","), []byte(name))
		j.keys[m] = string(key) + ":"
		switch member(m) {
		case memberTime, memberLevel, memberID, memberLevelScale:
			j.keys[m] += `"`
		}
	}
	j.clock = machineClock(j.keys[memberTime], `"`+j.keys[memberLevel])
	if j.behindLevel = j.keys[memberLogger]; j.keys[memberLevel] != "" {
		j.behindLevel = `"` + j.behindLevel
	}
	j.owner = newOwnerKeys(j.keys[memberWorker], j.keys[memberPID], j.keys[memberSeq], j.keys[memberID])
	return j
}

// Append implements [Formatter].
func (j *JSON) Append(dst []byte, l *Line) []byte {
	start := len(dst)
	if j.keys[memberTime] != "" {
		dst = j.clock.append(dst, l.time())
	} else {
		dst = append(dst, j.keys[memberLevel]...)
	}
	if j.keys[memberLevel] != "" {
		dst = l.appendLevel(dst, appendJSONEscaped)
	}
	dst = append(dst, j.behindLevel...)
	if j.keys[memberLogger] != "" {
		dst, _ = appendJSONString(dst, l.Record.Logger())
	}
	message := l.Record.Message()
	var valid bool
	if key := j.keys[memberMessage]; key != "" {
		dst, valid = appendJSONString(append(dst, key...), message)
	} else {
		valid = utf8.Valid(message)
	}
	dst = l.appendOwner(dst, &j.owner)
	if key := j.keys[memberEvent]; key != "" && l.Event != "" {
		dst, _ = appendJSONString(append(dst, key...), []byte(l.Event))
	}
	if key := j.keys[memberMessageBase64]; key != "" && !valid {
		dst = appendBase64(append(dst, key...), message)
	}
	if !l.Record.IsRaw() {
		dst = j.appendFields(dst, &l.Record)
	}
	if len(dst) == start {
		dst = append(dst, ',') // every member was left out
	}
	dst[start] = '{'
	return append(dst, "}\n"...)
}

// appendFields appends the members that only some records have.
func (j *JSON) appendFields(dst []byte, r *record.Record) []byte {
	if attrs, key := r.Attrs(), j.keys[memberAttrs]; key != "" && !attrs.Empty() {
		dst = appendObject(append(dst, key...), attrs)
	}
	if key := j.keys[memberSource]; key != "" {
		if source, ok := r.Source(); ok {
			dst, _ = appendJSONString(append(append(dst, key...), `{"file":`...), source.File)
			dst = appendUint(append(dst, `,"line":`...), uint64(source.Line))
			dst, _ = appendJSONString(append(dst, `,"function":`...), source.Function)
			dst = append(dst, '}')
		}
	}
	dst = appendMember(dst, j.keys[memberTraceback], r.Traceback())
	dst = appendMember(dst, j.keys[memberStack], r.Stack())
	dst = appendMember(dst, j.keys[memberProcess], r.Process())
	dst = appendMember(dst, j.keys[memberThread], r.Thread())
	if own, ok := r.Level(); ok {
		if key := j.keys[memberLevelNumber]; key != "" {
			dst = appendInt(append(dst, key...), int64(own.Number))
		}
		if key := j.keys[memberLevelScale]; key != "" {
			dst = append(append(append(dst, key...), scaleName(own.Scale)...), '"')
		}
	}
	return dst
}

func scaleName(s record.Scale) string {
	if s == record.ScaleSlog {
		return "slog"
	}
	return "python"
}

// appendMember appends a member of an object where it is there at all. key is the
// beginning of the member, or empty if it is to be left out.
func appendMember(dst []byte, key string, text []byte) []byte {
	if text == nil || key == "" {
		return dst
	}
	dst, _ = appendJSONString(append(dst, key...), text)
	return dst
}

// appendJSONLogger appends the logger's name for programs that expect one of the root
// logger, too.
func appendJSONLogger(dst []byte, r *record.Record) []byte {
	logger := r.Logger()
	if len(logger) == 0 {
		return append(dst, `"`+rootLogger+`"`...)
	}
	dst, _ = appendJSONString(dst, logger)
	return dst
}
