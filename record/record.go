package record

import "encoding/binary"

// Record is a log record that was read. Its methods can't fail, allocate nothing,
// and may be called by any number of goroutines; every slice they return aliases
// the payload. The zero value is an empty record.
type Record struct {
	payload []byte
	message uint32            // offset of the message; the logger lies before it
	fields  uint32            // offset of the fields, which is the message's end
	meta    [metaCount]uint32 // offset of the field of each tag from firstMeta on, 0: none
	unknown uint32
	raw     bool
}

// IsRaw reports whether the record is nothing but a message, made by [Raw].
func (r *Record) IsRaw() bool { return r.raw }

// Logger returns the logger's name. It is empty for the root logger and for raw
// records.
func (r *Record) Logger() []byte {
	if r.message == 0 {
		return nil
	}
	return r.payload[headerSize:r.message:r.message]
}

// Message returns the message, which may be any bytes.
func (r *Record) Message() []byte { return r.payload[r.message:r.fields:r.fields] }

// Attrs returns the attributes.
func (r *Record) Attrs() Attrs { return Attrs{r.payload[r.fields:]} }

// Unknown returns how many fields, in groups and outside, have tags that are not
// known here. They are left out of Attrs.
func (r *Record) Unknown() int { return int(r.unknown) }

// Time returns the record's own time in Unix nanoseconds, where it was given one.
func (r *Record) Time() (ns int64, ok bool) {
	v := r.own(TagWallTime)
	if v == nil {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(v)), true
}

// Level returns the level as its logging library had it, where [Level] could not
// hold it all.
func (r *Record) Level() (l CustomLevel[[]byte], ok bool) {
	v := r.own(TagLevel)
	if v == nil {
		return l, false
	}
	number := int32(binary.LittleEndian.Uint32(v[1:]))
	return CustomLevel[[]byte]{Scale: Scale(v[0]), Number: number, Name: v[levelSize:]}, true
}

// Source returns the place in the program that logged, where it is known.
func (r *Record) Source() (s Source[[]byte], ok bool) {
	v := r.own(TagSource)
	if v == nil {
		return s, false
	}
	s.Line = binary.LittleEndian.Uint32(v)
	file := sourceSize + int(binary.LittleEndian.Uint16(v[4:]))
	s.File, s.Function = v[sourceSize:file:file], v[file:]
	return s, true
}

// Traceback returns the text of the exception logged, or nil.
func (r *Record) Traceback() []byte { return r.own(TagTraceback) }

// Stack returns the text of the stack logged, or nil.
func (r *Record) Stack() []byte { return r.own(TagStack) }

// Process returns the name of the process, or nil.
func (r *Record) Process() []byte { return r.own(TagProcess) }

// Thread returns the name of the thread, or nil.
func (r *Record) Thread() []byte { return r.own(TagThread) }

// own returns the value of the record's own field with this tag, or nil.
func (r *Record) own(tag Tag) []byte {
	at := r.meta[tag-firstMeta]
	if at == 0 {
		return nil
	}
	f, _, _, _ := cut(r.payload[at:])
	return f.value
}
