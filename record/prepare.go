package record

import (
	"encoding"
	"fmt"
	"log/slog"
	"reflect"
)

// tooDeep stands for a group below MaxDepth groups.
const tooDeep = "!TOO DEEP"

// Prepared returns e's attributes as plain values, to be put in their place: Size and
// Encode take them without running user code. If all are plain already (bool, int,
// uint, float, string, time, duration, []byte, and groups of those) they are returned
// as they are, without an allocation. (To store them here would make every caller's
// attributes escape to the heap.)
//
// LogValuers are resolved. An error becomes its text, a named slice of bytes that
// has no text of its own bytes, an [encoding.TextMarshaler] its text, and all else
// what fmt's %+v makes of it. A panic in there becomes the value "!PANIC: …", a nil
// pointer "<nil>". A group inside more than MaxDepth others becomes "!TOO DEEP",
// which ends a LogValuer that contains itself.
func (e *Entry) Prepared() []slog.Attr { return prepared(e.Attrs, e.Scope.depth()) }

// prepared returns attrs, which lie inside depth groups, as plain values.
func prepared(attrs []slog.Attr, depth int) []slog.Attr {
	if plain(attrs, depth) {
		return attrs
	}
	return prepare(make([]slog.Attr, 0, len(attrs)), attrs, depth)
}

func plain(attrs []slog.Attr, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	for i := range attrs {
		a := &attrs[i]
		switch a.Value.Kind() {
		case slog.KindGroup:
			if !plain(a.Value.Group(), depth+1) {
				return false
			}
		case slog.KindLogValuer:
			return false
		case slog.KindAny:
			if !plainAny(a.Value.Any()) && !ignored(a) {
				return false
			}
		}
	}
	return true
}

func plainAny(v any) bool {
	switch v.(type) {
	case []byte, errorText:
		return true
	}
	return false
}

func prepare(dst, attrs []slog.Attr, depth int) []slog.Attr {
	for _, a := range attrs {
		a.Value = a.Value.Resolve()
		switch a.Value.Kind() {
		case slog.KindGroup:
			if depth == MaxDepth {
				a.Value = slog.StringValue(tooDeep)
			} else if inner := a.Value.Group(); !plain(inner, depth+1) {
				a.Value = slog.GroupValue(prepare(nil, inner, depth+1)...)
			}
		case slog.KindAny:
			if v := a.Value.Any(); !plainAny(v) && !ignored(&a) {
				a.Value = plainValue(v)
			}
		}
		dst = append(dst, a)
	}
	return dst
}

// plainValue asks v what it is, which runs user code.
func plainValue(v any) (plain slog.Value) {
	defer func() {
		if r := recover(); r != nil {
			plain = slog.StringValue(panicText(v, r))
		}
	}()
	switch v := v.(type) {
	case error:
		return slog.AnyValue(errorText(v.Error()))
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return slog.StringValue(fmt.Sprintf("!ERROR: %v", err))
		}
		return slog.StringValue(string(text))
	case fmt.Stringer, fmt.Formatter:
		// Before the test for bytes: net.IP is a slice of bytes that has a text.
	default:
		if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return slog.AnyValue(reflect.ValueOf(v).Bytes())
		}
	}
	return slog.StringValue(fmt.Sprintf("%+v", v))
}

func panicText(v, reason any) string {
	if p := reflect.ValueOf(v); p.Kind() == reflect.Pointer && p.IsNil() {
		return "<nil>" // a method that does not expect nil
	}
	return fmt.Sprintf("!PANIC: %v", reason)
}
