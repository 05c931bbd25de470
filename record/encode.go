package record

import (
	"encoding/binary"
	"log/slog"
	"math"
	"time"
)

// errorText is an error that Prepared has already asked for its text.
type errorText string

// Fields returns attrs as fields, to be used as [Entry.Lead] again and again. They
// may be of any kind: user code is run now, see [Entry.Prepared]. It fails with ErrTooLong.
func Fields(attrs []slog.Attr) ([]byte, error) {
	s := new(Scope).WithAttrs(attrs)
	return s.fields, s.err
}

// attrsSize sizes attrs, which lie inside depth groups.
func attrsSize(attrs []slog.Attr, depth int) (int, error) {
	if depth > MaxDepth {
		return 0, ErrUnprepared
	}
	total := 0
	for i := range attrs {
		a := &attrs[i]
		if len(a.Key) > MaxKey {
			return 0, errKey
		}
		var size int
		switch a.Value.Kind() {
		case slog.KindBool:
			size = 1
		case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindDuration:
			size = 8
		case slog.KindTime:
			size = timeSize
		case slog.KindString:
			size = len(a.Value.String())
		case slog.KindGroup:
			inner, err := attrsSize(a.Value.Group(), depth+1)
			if err != nil {
				return 0, err
			}
			if inner == 0 || a.Key == "" {
				total += inner
				continue
			}
			size = inner
		default:
			switch v := a.Value.Any().(type) {
			case []byte:
				size = len(v)
			case errorText:
				size = len(v)
			default:
				if !ignored(a) {
					return 0, ErrUnprepared
				}
				continue
			}
		}
		total += fieldHeaderSize + len(a.Key) + size
	}
	return total, nil
}

// ignored reports whether a is the zero Attr, which slog's handlers must ignore.
func ignored(a *slog.Attr) bool {
	return a.Key == "" && a.Value.Kind() == slog.KindAny && a.Value.Any() == nil
}

// encoder fills dst from the front. Once failed is set nothing is written any more.
type encoder struct {
	dst    []byte
	n      int
	failed bool
}

// field writes a field's header and key and returns the size bytes of its value to
// be filled, or nil when they don't fit.
func (enc *encoder) field(tag Tag, key string, size int) []byte {
	start := enc.n + fieldHeaderSize + len(key)
	end := start + size
	if enc.failed || len(key) > MaxKey || uint64(size) > MaxPayload || end > len(enc.dst) {
		enc.failed = true
		return nil
	}
	b := enc.dst[enc.n:end]
	binary.LittleEndian.PutUint64(b, uint64(tag)|uint64(len(key))<<16|uint64(size)<<32)
	copy(b[fieldHeaderSize:], key)
	enc.n = end
	return b[fieldHeaderSize+len(key):]
}

// raw writes fields that are encoded already.
func (enc *encoder) raw(fields []byte) {
	if enc.failed || len(fields) > len(enc.dst)-enc.n {
		enc.failed = true
		return
	}
	enc.n += copy(enc.dst[enc.n:], fields)
}

func (enc *encoder) number(tag Tag, key string, n uint64) {
	if v := enc.field(tag, key, 8); v != nil {
		binary.LittleEndian.PutUint64(v, n)
	}
}

func (enc *encoder) text(tag Tag, key, s string) {
	copy(enc.field(tag, key, len(s)), s)
}

// attrs writes attrs, which lie inside depth groups.
func (enc *encoder) attrs(attrs []slog.Attr, depth int) {
	if depth > MaxDepth {
		enc.failed = true
	}
	dst, n := enc.dst, enc.n
	for i := range attrs {
		a := &attrs[i]
		if end := usual(dst, n, a); end > 0 {
			n = end
			continue
		}
		enc.n = n
		if enc.attr(a, depth); enc.failed {
			return
		}
		n = enc.n
	}
	enc.n = n
}

// usual writes an attribute of the most usual kinds to dst from n on, and returns where it
// ends; 0 if it is of another kind or does not fit. attr does all of this too: but what
// changes is in registers here, and that takes a third less time.
func usual(dst []byte, n int, a *slog.Attr) (end int) {
	value := n + fieldHeaderSize + len(a.Key)
	var number uint64
	tag := TagInt
	switch a.Value.Kind() {
	case slog.KindInt64:
		number = uint64(a.Value.Int64())
	case slog.KindFloat64:
		tag, number = TagFloat, math.Float64bits(a.Value.Float64())
	case slog.KindString:
		text := a.Value.String()
		end = value + len(text)
		if len(a.Key) > MaxKey || uint64(len(text)) > MaxPayload || end > len(dst) {
			return 0
		}
		f := dst[n:end]
		binary.LittleEndian.PutUint64(f, uint64(TagString)|uint64(len(a.Key))<<16|uint64(len(text))<<32)
		copy(f[fieldHeaderSize:], a.Key)
		copy(f[value-n:], text)
		return end
	default:
		return 0
	}
	end = value + 8
	if len(a.Key) > MaxKey || end > len(dst) {
		return 0
	}
	f := dst[n:end]
	binary.LittleEndian.PutUint64(f, uint64(tag)|uint64(len(a.Key))<<16|8<<32)
	copy(f[fieldHeaderSize:], a.Key)
	binary.LittleEndian.PutUint64(f[value-n:], number)
	return end
}

// attr writes an attribute of any kind.
func (enc *encoder) attr(a *slog.Attr, depth int) {
	switch a.Value.Kind() {
	case slog.KindInt64:
		enc.number(TagInt, a.Key, uint64(a.Value.Int64()))
	case slog.KindFloat64:
		enc.number(TagFloat, a.Key, math.Float64bits(a.Value.Float64()))
	case slog.KindString:
		enc.text(TagString, a.Key, a.Value.String())
	case slog.KindBool:
		if v := enc.field(TagBool, a.Key, 1); v != nil {
			v[0] = 0
			if a.Value.Bool() {
				v[0] = 1
			}
		}
	case slog.KindUint64:
		enc.number(TagUint, a.Key, a.Value.Uint64())
	case slog.KindDuration:
		enc.number(TagDuration, a.Key, uint64(a.Value.Duration()))
	case slog.KindTime:
		enc.time(a.Key, a.Value.Time())
	case slog.KindGroup:
		enc.group(a.Key, a.Value.Group(), depth+1)
	default:
		enc.other(a)
	}
}

func (enc *encoder) time(key string, t time.Time) {
	v := enc.field(TagTime, key, timeSize)
	if v == nil {
		return
	}
	_, offset := t.Zone()
	if offset < -maxOffset || offset > maxOffset {
		offset = 0 // no such zone exists; the instant is kept
	}
	binary.LittleEndian.PutUint64(v, uint64(t.Unix()))
	binary.LittleEndian.PutUint32(v[8:], uint32(t.Nanosecond()))
	binary.LittleEndian.PutUint32(v[12:], uint32(int32(offset)))
}

// group follows slog's rules: a group without a key is inlined, one without fields
// is dropped.
func (enc *encoder) group(key string, attrs []slog.Attr, depth int) {
	if key == "" {
		enc.attrs(attrs, depth)
		return
	}
	// Known before the header is written: a dropped group's header may not fit.
	if !hasFields(attrs, depth) {
		return
	}
	header := enc.n
	enc.field(TagGroup, key, 0)
	enc.attrs(attrs, depth)
	enc.endGroup(header)
}

// endGroup sets the length of the group whose header lies at the given offset: it
// ends here.
func (enc *encoder) endGroup(header int) {
	if enc.failed {
		return
	}
	key := int(binary.LittleEndian.Uint16(enc.dst[header+2:]))
	size := enc.n - (header + fieldHeaderSize + key)
	if uint64(size) > MaxPayload {
		enc.failed = true
		return
	}
	binary.LittleEndian.PutUint32(enc.dst[header+4:], uint32(size))
}

// hasFields reports whether attrs give any field. It looks no further than the
// first that does.
func hasFields(attrs []slog.Attr, depth int) bool {
	if depth > MaxDepth {
		return true
	}
	for i := range attrs {
		a := &attrs[i]
		if a.Value.Kind() != slog.KindGroup {
			if !ignored(a) {
				return true
			}
		} else if hasFields(a.Value.Group(), depth+1) {
			return true
		}
	}
	return false
}

func (enc *encoder) other(a *slog.Attr) {
	switch v := a.Value.Any().(type) {
	case []byte:
		copy(enc.field(TagBytes, a.Key, len(v)), v)
	case errorText:
		enc.text(TagError, a.Key, string(v))
	default:
		enc.failed = enc.failed || !ignored(a)
	}
}
