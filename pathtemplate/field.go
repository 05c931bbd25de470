package pathtemplate

import (
	"strconv"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// field is what a record is asked for.
type field struct {
	name string
	kind kind
}

type kind uint8

const (
	attribute kind = iota // of the field's name
	logger
	level
	worker
	pid
)

// kinds are those of the fields that are no attributes.
var kinds = map[string]kind{"logger": logger, "level": level, "worker": worker, "pid": pid}

// rootLogger is how lines show the logger without a name.
const rootLogger = "root"

// append appends the record's value to dst. ok is false if it has none.
func (f *field) append(dst []byte, l *format.Line, e escaping) (_ []byte, ok bool) {
	var room [128]byte // a worker's label has at most 112 bytes, other short texts less
	text := room[:0]
	switch f.kind {
	case logger:
		if text = l.Record.Logger(); len(text) == 0 {
			text = append(room[:0], rootLogger...)
		}
	case level:
		if own, ok := l.Record.Level(); ok {
			text = own.Append(text)
		} else {
			text = l.Level.Append(text)
		}
	case worker, pid:
		switch {
		case l.Origin == nil:
			return dst, false
		case f.kind == worker:
			text = append(text, l.Origin.Worker...)
		default:
			text = strconv.AppendUint(text, l.Origin.PID, 10)
		}
	case attribute:
		v, ok := f.find(l.Record.Attrs())
		if !ok {
			return dst, false
		}
		switch v.Tag() {
		case record.TagString, record.TagBytes, record.TagError:
			text = v.Bytes() // without a copy
		default:
			text = format.AppendValue(text, v)
		}
	}
	return e.append(dst, text), true
}

// find returns the first attribute of the field's name that is no group.
func (f *field) find(attrs record.Attrs) (v record.Value, ok bool) {
	for a := range attrs.All() {
		switch group := a.Value.Tag() == record.TagGroup; {
		case group && len(a.Key) == 0:
			// A group without a key is no group: its attributes stand in its place.
			if v, ok = f.find(a.Value.Group()); ok {
				return v, true
			}
		case !group && string(a.Key) == f.name:
			return a.Value, true
		}
	}
	return v, false
}
