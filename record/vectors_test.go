package record

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// vector is a file of testdata/vectors/record; its README says what the keys mean.
type vector struct {
	header  map[string]string // all but fields
	fields  []string
	payload []byte
}

func readVector(t *testing.T, path string) vector {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, dump, ok := strings.Cut(string(file), "\n\n")
	if !ok {
		head, dump = strings.TrimSuffix(head, "\n"), ""
	}
	v := vector{header: map[string]string{}}
	for line := range strings.Lines(head) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok || v.header[key] != "" {
			t.Fatalf("header line %q", line)
		}
		if key == "field" {
			v.fields = append(v.fields, value)
		} else {
			v.header[key] = value
		}
	}
	v.payload, err = hex.DecodeString(strings.Join(strings.Fields(dump), ""))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectorsAreReadAndWrittenAsTheirHeadersSay(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../testdata/vectors/record/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			v := readVector(t, path)
			if v.header["name"]+".txt" != filepath.Base(path) {
				t.Errorf("name %q", v.header["name"])
			}
			r, err := Decode(v.payload)
			if v.header["error"] == "malformed" {
				if err == nil {
					t.Error("malformed payload was accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			delete(v.header, "name")
			delete(v.header, "about")
			exact := v.header["encode"] == "exact"
			delete(v.header, "encode")
			if got, want := describe(t, &r), v.describe(t); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if e := v.entry(t); exact {
				if got := encode(t, &e); !bytes.Equal(got, v.payload) {
					t.Errorf("encoded as\n%x, want\n%x", got, v.payload)
				}
			}
		})
	}
}

// canonical returns the value a header line has as JSON without accidents of layout.
func canonical(t *testing.T, text string) string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return marshal(t, v)
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// describe returns the header that v is expected to give: fields in order, then the
// rest, sorted.
func (v *vector) describe(t *testing.T) []string {
	var fields, rest []string
	for _, f := range v.fields {
		fields = append(fields, "field: "+canonical(t, f))
	}
	for key, value := range v.header {
		rest = append(rest, key+": "+canonical(t, value))
	}
	slices.Sort(rest)
	return append(fields, rest...)
}

// describe returns r in the words of a vector's header.
func describe(t *testing.T, r *Record) []string {
	var fields, rest []string
	for _, f := range fieldsOf(r.Attrs()) {
		fields = append(fields, "field: "+marshal(t, f))
	}
	add := func(key string, v any) { rest = append(rest, key+": "+marshal(t, v)) }
	add("logger", textOf(r.Logger()))
	add("message", textOf(r.Message()))
	if ns, ok := r.Time(); ok {
		add("time", ns)
	}
	if l, ok := r.Level(); ok {
		add("level", []any{map[Scale]string{ScaleSlog: "slog", ScalePython: "python"}[l.Scale], l.Number, textOf(l.Name)})
	}
	if s, ok := r.Source(); ok {
		add("source", []any{textOf(s.File), s.Line, textOf(s.Function)})
	}
	for key, text := range map[string][]byte{
		"traceback": r.Traceback(), "stack": r.Stack(), "process": r.Process(), "thread": r.Thread(),
	} {
		if text != nil {
			add(key, textOf(text))
		}
	}
	if n := r.Unknown(); n > 0 {
		add("unknown", n)
	}
	slices.Sort(rest)
	return append(fields, rest...)
}

func textOf(b []byte) any {
	if s := string(b); s == strings.ToValidUTF8(s, "?") {
		return s
	}
	return map[string]string{"hex": hex.EncodeToString(b)}
}

func fieldsOf(attrs Attrs) []any {
	fields := []any{}
	for a := range attrs.All() {
		v := a.Value
		var name string
		var value any
		switch v.Tag() {
		case TagBool:
			name, value = "bool", v.Bool()
		case TagInt:
			name, value = "int", v.Int64()
		case TagUint:
			name, value = "uint", v.Uint64()
		case TagFloat:
			name, value = "float", fmt.Sprintf("%016x", math.Float64bits(v.Float64()))
		case TagString:
			name, value = "string", textOf(v.Bytes())
		case TagBytes:
			name, value = "bytes", hex.EncodeToString(v.Bytes())
		case TagTime:
			at, offset := v.Time()
			name, value = "time", []any{at.Unix(), at.Nanosecond(), offset}
		case TagDuration:
			name, value = "duration", int64(v.Duration())
		case TagGroup:
			name, value = "group", fieldsOf(v.Group())
		case TagError:
			name, value = "error", textOf(v.Bytes())
		}
		fields = append(fields, []any{name, textOf(a.Key), value})
	}
	return fields
}

// text is text as a vector's header gives it.
type text string

func (s *text) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	var wrapped struct{ Hex string }
	if err := json.Unmarshal(b, &wrapped); err != nil {
		return err
	}
	plain, err := hex.DecodeString(wrapped.Hex)
	*s = text(plain)
	return err
}

// into reads the value of a header line, or the elements of a list, into pointers.
func into(t *testing.T, value string, to ...any) {
	t.Helper()
	if value == "" {
		return // no such line
	}
	parts := []json.RawMessage{json.RawMessage(value)}
	if len(to) > 1 {
		if err := json.Unmarshal([]byte(value), &parts); err != nil || len(parts) != len(to) {
			t.Fatalf("%s: %d parts, %v", value, len(parts), err)
		}
	}
	for i, part := range parts {
		if err := json.Unmarshal(part, to[i]); err != nil {
			t.Fatalf("%s: %v", part, err)
		}
	}
}

// entry returns what the header says as an entry to be written.
func (v *vector) entry(t *testing.T) Entry {
	var e Entry
	var scale string
	into(t, v.header["logger"], (*text)(&e.Logger))
	into(t, v.header["message"], (*text)(&e.Message))
	into(t, v.header["time"], &e.Time)
	into(t, v.header["level"], &scale, &e.Level.Number, (*text)(&e.Level.Name))
	into(t, v.header["source"], (*text)(&e.Source.File), &e.Source.Line, (*text)(&e.Source.Function))
	into(t, v.header["traceback"], (*text)(&e.Traceback))
	into(t, v.header["stack"], (*text)(&e.Stack))
	into(t, v.header["process"], (*text)(&e.Process))
	into(t, v.header["thread"], (*text)(&e.Thread))
	e.Level.Scale = map[string]Scale{"slog": ScaleSlog, "python": ScalePython}[scale]
	for _, f := range v.fields {
		e.Attrs = append(e.Attrs, vectorAttr(t, f))
	}
	return e
}

func vectorAttr(t *testing.T, field string) slog.Attr {
	var name string
	var key, s text
	var value json.RawMessage
	into(t, field, &name, (*text)(&key), &value)
	attr := func(v slog.Value) slog.Attr { return slog.Attr{Key: string(key), Value: v} }
	raw := string(value)
	switch name {
	case "bool":
		return attr(slog.BoolValue(raw == "true"))
	case "int", "duration":
		var n int64
		into(t, raw, &n)
		if name == "duration" {
			return attr(slog.DurationValue(time.Duration(n)))
		}
		return attr(slog.Int64Value(n))
	case "uint":
		var n uint64
		into(t, raw, &n)
		return attr(slog.Uint64Value(n))
	case "float":
		bits, err := strconv.ParseUint(strings.Trim(raw, `"`), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		return attr(slog.Float64Value(math.Float64frombits(bits)))
	case "bytes":
		b, err := hex.DecodeString(strings.Trim(raw, `"`))
		if err != nil {
			t.Fatal(err)
		}
		return attr(slog.AnyValue(b))
	case "time":
		var seconds, nanoseconds int64
		var offset int
		into(t, raw, &seconds, &nanoseconds, &offset)
		return attr(slog.TimeValue(time.Unix(seconds, nanoseconds).In(time.FixedZone("", offset))))
	case "group":
		var fields []json.RawMessage
		into(t, raw, &fields)
		var inner []slog.Attr
		for _, f := range fields {
			inner = append(inner, vectorAttr(t, string(f)))
		}
		return attr(slog.GroupValue(inner...))
	}
	into(t, raw, &s)
	if name == "error" {
		return attr(slog.AnyValue(errorText(s)))
	}
	return attr(slog.StringValue(string(s)))
}
