package record

import (
	"encoding/binary"
	"log/slog"
)

// Text is what text may be: a string on the writing side, a slice of the payload on
// the reading side.
type Text interface{ string | []byte }

// Source is a place in a program. The zero value means that it is unknown.
type Source[T Text] struct {
	File     T
	Line     uint32 // from 1; 0: unknown
	Function T
}

// Entry is a log record to be written. The zero value is a record that says
// nothing. An Entry may be used by one goroutine at a time, and must not change
// between Size and Encode.
type Entry struct {
	Logger       string
	Message      string
	MessageBytes []byte      // the message instead of Message, where not nil
	Attrs        []slog.Attr // plain ones: see Prepared
	Scope        *Scope      // what Attrs are added to, and inside of; nil: nothing
	Lead         []byte      // attributes before all others and outside of all groups, from Fields; not changed

	// What follows is optional: a zero value is not written.

	Time      int64               // the record's own time in Unix nanoseconds
	Level     CustomLevel[string] // where the ring's scale can't hold the level
	Source    Source[string]
	Traceback string
	Stack     string
	Process   string // name of the process
	Thread    string // name of the thread
}

// Size returns the length of e's payload in bytes. It allocates nothing and runs no
// user code. It fails with ErrTooLong or ErrUnprepared.
func (e *Entry) Size() (int, error) {
	if len(e.Logger) > MaxLogger {
		return 0, errLogger
	}
	if len(e.Source.File) > MaxFile {
		return 0, errFile
	}
	size, err := e.Scope.size(e.Attrs)
	if err != nil {
		return 0, err
	}
	size += headerSize + len(e.Logger) + len(e.Lead)
	if e.MessageBytes != nil {
		size += len(e.MessageBytes)
	} else {
		size += len(e.Message)
	}
	if e.hasMeta() {
		size += e.metaSize()
	}
	if uint64(size) > MaxPayload {
		return 0, errPayload
	}
	return size, nil
}

// hasMeta reports whether e has any of the optional fields. Most records have none,
// and asking for each in turn nearly doubled the time of a short record.
func (e *Entry) hasMeta() bool {
	return e.Time != 0 || e.Level.Scale != 0 || e.hasSource() ||
		len(e.Traceback)|len(e.Stack)|len(e.Process)|len(e.Thread) != 0
}

func (e *Entry) hasSource() bool {
	return e.Source.Line != 0 || len(e.Source.File)|len(e.Source.Function) != 0
}

func (e *Entry) metaSize() int {
	size := 0
	if e.Time != 0 {
		size += fieldHeaderSize + 8
	}
	if e.Level.Scale != 0 {
		size += fieldHeaderSize + levelSize + len(e.Level.Name)
	}
	if e.hasSource() {
		size += fieldHeaderSize + sourceSize + len(e.Source.File) + len(e.Source.Function)
	}
	for _, text := range e.texts() {
		if text != "" {
			size += fieldHeaderSize + len(text)
		}
	}
	return size
}

// texts returns the fields that are nothing but text, in the order of their tags.
func (e *Entry) texts() [4]string {
	return [...]string{e.Traceback, e.Stack, e.Process, e.Thread}
}

// Encode writes e's payload to dst, whose length must be what Size returned. It
// allocates nothing, runs no user code and writes nothing outside dst. If what it
// writes does not fill dst exactly, it fails with ErrSizeChanged, and the claim that
// dst belongs to must be aborted.
func (e *Entry) Encode(dst []byte) error {
	if n, ok := e.EncodeShort(dst); !ok || n != len(dst) {
		return ErrSizeChanged
	}
	return nil
}

// EncodeShort writes e's payload to the begin of dst and returns its length: in one
// pass, for what is usually short enough. ok is false if dst is too short or e can't
// be encoded; then Prepared, Size and Encode say more. Otherwise it is as Encode.
func (e *Entry) EncodeShort(dst []byte) (n int, ok bool) {
	enc := encoder{dst: dst}
	if e.MessageBytes != nil {
		header(&enc, e.Logger, e.MessageBytes)
	} else {
		header(&enc, e.Logger, e.Message)
	}
	if e.hasMeta() {
		enc.meta(e)
	}
	enc.all(e.Lead, e.Scope, e.Attrs)
	return enc.n, !enc.failed
}

// Prefix is what the records of a logger have in common. It is not changed once it
// is used, and then any number of goroutines may use it.
type Prefix struct {
	Logger string
	Scope  *Scope // as in Entry
	Lead   []byte // as in Entry
}

// EncodeShort is [Entry.EncodeShort] for an entry that is no more than this: to make
// and to pass on a whole Entry takes a tenth of the time of logging it.
func (p *Prefix) EncodeShort(dst []byte, message string, attrs []slog.Attr) (n int, ok bool) {
	enc := encoder{dst: dst}
	header(&enc, p.Logger, message)
	if len(p.Lead) > 0 || p.Scope != nil {
		enc.all(p.Lead, p.Scope, attrs)
	} else {
		enc.attrs(attrs, 0)
	}
	return enc.n, !enc.failed
}

// EncodeRecord is [Entry.EncodeShort] for what slog hands to a handler: r's message and
// attributes, under the time in Unix nanoseconds, if that is not 0. A Scope must be nil.
func (p *Prefix) EncodeRecord(dst []byte, time int64, r *slog.Record) (n int, ok bool) {
	enc := encoder{dst: dst}
	header(&enc, p.Logger, r.Message)
	if time != 0 {
		enc.number(TagWallTime, "", uint64(time))
	}
	enc.raw(p.Lead)
	r.Attrs(func(a slog.Attr) bool {
		if end := usual(enc.dst, enc.n, &a); end > 0 {
			enc.n = end
		} else {
			enc.attr(&a, 0)
		}
		return !enc.failed
	})
	return enc.n, !enc.failed
}

// all writes the attributes from everywhere.
func (enc *encoder) all(lead []byte, scope *Scope, attrs []slog.Attr) {
	if len(lead) > 0 {
		enc.raw(lead)
	}
	if scope != nil {
		enc.scope(scope, attrs)
	} else {
		enc.attrs(attrs, 0)
	}
}

func header[T Text](enc *encoder, logger string, message T) {
	end := headerSize + len(logger) + len(message)
	if len(logger) > MaxLogger || uint64(len(message)) > MaxPayload || end > len(enc.dst) {
		enc.failed = true
		return
	}
	binary.LittleEndian.PutUint64(enc.dst, uint64(len(logger))|uint64(len(message))<<32)
	n := headerSize + copy(enc.dst[headerSize:], logger)
	copy(enc.dst[n:end], message)
	enc.n = end
}

// meta writes what the record says of itself, in the order of the tags and before
// the attributes, so that a reader finds it without walking through those.
func (enc *encoder) meta(e *Entry) {
	if e.Time != 0 {
		enc.number(TagWallTime, "", uint64(e.Time))
	}
	if l := &e.Level; l.Scale != 0 {
		if v := enc.field(TagLevel, "", levelSize+len(l.Name)); v != nil {
			v[0] = byte(l.Scale)
			binary.LittleEndian.PutUint32(v[1:], uint32(l.Number))
			copy(v[levelSize:], l.Name)
		}
	}
	if s := &e.Source; e.hasSource() {
		if v := enc.field(TagSource, "", sourceSize+len(s.File)+len(s.Function)); v != nil {
			binary.LittleEndian.PutUint32(v, s.Line)
			binary.LittleEndian.PutUint16(v[4:], uint16(len(s.File)))
			copy(v[sourceSize+copy(v[sourceSize:], s.File):], s.Function)
		}
	}
	for i, text := range e.texts() {
		if text != "" {
			enc.text(TagTraceback+Tag(i), "", text)
		}
	}
}
