package record

import (
	"encoding/binary"
	"log/slog"
	"math"
	"time"
)

// errorText is an error that Prepare has already asked for its text.
type errorText string

// AttrsSize returns the length in bytes of attrs as fields. They must be plain: see
// [Prepare]. It allocates nothing, runs no user code and fails with ErrTooLong or
// ErrUnprepared.
func AttrsSize(attrs []slog.Attr) (int, error) { return attrsSize(attrs, 0) }

// EncodeAttrs writes attrs as fields to dst, whose length must be what AttrsSize
// returned; the conditions and the error are those of [Entry.Encode].
func EncodeAttrs(dst []byte, attrs []slog.Attr) error {
	enc := encoder{dst: dst}
	enc.attrs(attrs, 0)
	if enc.failed || enc.n != len(dst) {
		return ErrSizeChanged
	}
	return nil
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

func (enc *encoder) number(tag Tag, key string, n uint64) {
	if v := enc.field(tag, key, 8); v != nil {
		binary.LittleEndian.PutUint64(v, n)
	}
}

func (enc *encoder) text(tag Tag, key, s string) {
	copy(enc.field(tag, key, len(s)), s)
}

func (enc *encoder) attrs(attrs []slog.Attr, depth int) {
	if depth > MaxDepth {
		enc.failed = true
		return
	}
	for i := range attrs {
		a := &attrs[i]
		switch a.Value.Kind() {
		case slog.KindBool:
			if v := enc.field(TagBool, a.Key, 1); v != nil {
				v[0] = 0
				if a.Value.Bool() {
					v[0] = 1
				}
			}
		case slog.KindInt64:
			enc.number(TagInt, a.Key, uint64(a.Value.Int64()))
		case slog.KindUint64:
			enc.number(TagUint, a.Key, a.Value.Uint64())
		case slog.KindFloat64:
			enc.number(TagFloat, a.Key, math.Float64bits(a.Value.Float64()))
		case slog.KindDuration:
			enc.number(TagDuration, a.Key, uint64(a.Value.Duration()))
		case slog.KindTime:
			enc.time(a.Key, a.Value.Time())
		case slog.KindString:
			enc.text(TagString, a.Key, a.Value.String())
		case slog.KindGroup:
			enc.group(a.Key, a.Value.Group(), depth+1)
		default:
			enc.other(a)
		}
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
	if enc.field(TagGroup, key, 0) == nil {
		return
	}
	value := enc.n
	enc.attrs(attrs, depth)
	if uint64(enc.n-value) > MaxPayload {
		enc.failed = true
		return
	}
	binary.LittleEndian.PutUint32(enc.dst[header+4:], uint32(enc.n-value))
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
