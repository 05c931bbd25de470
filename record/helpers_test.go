package record

import (
	"log/slog"
	"testing"
	"time"
)

// encode returns e's payload, and fails the test if there is none.
func encode(t testing.TB, e *Entry) []byte {
	t.Helper()
	size, err := e.Size()
	if err != nil {
		t.Fatalf("Size: %v", err)
	}
	// Neighbours that Encode must leave alone.
	room := make([]byte, size+16)
	for i := range room {
		room[i] = 0xa5
	}
	if err := e.Encode(room[8 : 8+size : 8+size]); err != nil {
		t.Fatalf("Encode: %v", err)
	}
	for i := range 8 {
		if room[i] != 0xa5 || room[8+size+i] != 0xa5 {
			t.Fatal("Encode wrote outside its slice")
		}
	}
	return room[8 : 8+size]
}

func decode(t testing.TB, payload []byte) Record {
	t.Helper()
	r, err := Decode(payload)
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return r
}

// slogAttrs turns attributes that were read into ones that can be written.
func slogAttrs(read Attrs) []slog.Attr {
	var attrs []slog.Attr
	for a := range read.All() {
		attrs = append(attrs, slog.Attr{Key: string(a.Key), Value: slogValue(a.Value)})
	}
	return attrs
}

func slogValue(v Value) slog.Value {
	switch v.Tag() {
	case TagBool:
		return slog.BoolValue(v.Bool())
	case TagInt:
		return slog.Int64Value(v.Int64())
	case TagUint:
		return slog.Uint64Value(v.Uint64())
	case TagFloat:
		return slog.Float64Value(v.Float64())
	case TagString:
		return slog.StringValue(string(v.Bytes()))
	case TagBytes:
		return slog.AnyValue(v.Bytes())
	case TagTime:
		t, offset := v.Time()
		return slog.TimeValue(t.In(time.FixedZone("", offset)))
	case TagDuration:
		return slog.DurationValue(v.Duration())
	case TagGroup:
		return slog.GroupValue(slogAttrs(v.Group())...)
	default:
		return slog.AnyValue(errorText(v.Bytes()))
	}
}

// entryOf turns a record that was read into one that can be written.
func entryOf(r *Record) Entry {
	e := Entry{
		Logger:       string(r.Logger()),
		MessageBytes: append([]byte{}, r.Message()...),
		Attrs:        slogAttrs(r.Attrs()),
		Traceback:    string(r.Traceback()),
		Stack:        string(r.Stack()),
		Process:      string(r.Process()),
		Thread:       string(r.Thread()),
	}
	e.Time, _ = r.Time()
	if l, ok := r.Level(); ok {
		e.Level = CustomLevel[string]{l.Scale, l.Number, string(l.Name)}
	}
	if s, ok := r.Source(); ok {
		e.Source = Source[string]{string(s.File), s.Line, string(s.Function)}
	}
	return e
}

// nested returns an attribute inside depth groups.
func nested(depth int) slog.Attr {
	a := slog.Int("n", 1)
	for range depth {
		a = slog.Attr{Key: "g", Value: slog.GroupValue(a)}
	}
	return a
}

// typical is a record as an optimisation run logs it.
func typical() Entry {
	return Entry{
		Logger:  "trades",
		Message: "order filled at the limit",
		Attrs:   []slog.Attr{slog.Int("trial", 1742), slog.Float64("price", 101.25), slog.String("symbol", "SPX")},
	}
}
