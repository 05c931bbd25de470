package format

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

// readBack is what a JSON line of any set says, as far as all have it.
type readBack struct {
	Time      time.Time
	Logger    string
	Msg       string
	MsgBase64 *string `json:"msg_base64"`
	Attrs     json.RawMessage
	Traceback string
	Thread    string
}

func FuzzJSONReadsBack(f *testing.F) {
	seeds(f)
	plain, own := NewJSON(), jsonOfFields(f, Fields{Names: map[string]string{
		"time": "msg", "msg": "time", "logger": "%s", "attrs": "a", "msg_base64": "b", "traceback": "c", "thread": "d", "level": "", "id": "",
	}})
	f.Fuzz(func(t *testing.T, payload []byte, raw bool, ns int64, level int16) {
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time, l.Level = ns, record.Level(level)
		var got readBack
		readJSON(t, plain, l, &got)
		checkReadBack(t, l, &got)
		var renamed struct {
			Time      time.Time       `json:"msg"`
			Logger    string          `json:"%s"`
			Msg       string          `json:"time"`
			MsgBase64 *string         `json:"b"`
			Attrs     json.RawMessage `json:"a"`
			Traceback string          `json:"c"`
			Thread    string          `json:"d"`
		}
		readJSON(t, own, l, &renamed)
		got = readBack(renamed)
		checkReadBack(t, l, &got)
	})
}

// readJSON formats l and reads the line into got.
func readJSON(t *testing.T, f Formatter, l *Line, got any) {
	t.Helper()
	out := f.Append(nil, l)
	if bytes.Count(out, []byte("\n")) != 1 || !bytes.HasSuffix(out, []byte("\n")) {
		t.Fatalf("not one line: %q", out)
	}
	mustBeHarmless(t, out)
	if err := json.Unmarshal(out, got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// inUTF8 is b with U+FFFD for each byte that is no rune.
func inUTF8(b []byte) string { return string([]rune(string(b))) }

func checkReadBack(t *testing.T, l *Line, got *readBack) {
	t.Helper()
	r := &l.Record
	for _, c := range []struct {
		what, got string
		want      []byte
	}{
		{"logger", got.Logger, r.Logger()}, {"msg", got.Msg, r.Message()}, {"traceback", got.Traceback, r.Traceback()}, {"thread", got.Thread, r.Thread()},
	} {
		if c.got != inUTF8(c.want) {
			t.Fatalf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
	if got.Time.UnixNano() != l.time() {
		t.Fatalf("time %v, want %d", got.Time, l.time())
	}
	if (got.MsgBase64 == nil) != utf8.Valid(r.Message()) {
		t.Fatal("msg_base64 where none belongs, or missing")
	}
	if got.MsgBase64 != nil && *got.MsgBase64 != base64.StdEncoding.EncodeToString(r.Message()) {
		t.Fatalf("msg_base64 %s", *got.MsgBase64)
	}
	if r.Attrs().Empty() != (got.Attrs == nil) {
		t.Fatalf("attrs %s", got.Attrs)
	}
	if got.Attrs != nil {
		d := json.NewDecoder(bytes.NewReader(got.Attrs))
		d.UseNumber()
		expect(t, d, json.Delim('{'))
		checkObject(t, d, r.Attrs())
		expect(t, d, json.Delim('}'))
	}
}

func FuzzSetsReadBack(f *testing.F) {
	seeds(f)
	ecs, otel := NewECS(), NewOTel()
	f.Fuzz(func(t *testing.T, payload []byte, raw bool, ns int64, level int16) {
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time, l.Level = ns, record.Level(level)
		var e struct {
			Time    time.Time `json:"@timestamp"`
			Level   string    `json:"log.level"`
			Message string
			Logger  string         `json:"log.logger"`
			Seq     uint64         `json:"event.sequence"`
			Labels  map[string]any // flat, so of scalars
			Stack   string         `json:"error.stack_trace"`
		}
		readJSON(t, ecs, l, &e)
		logger := cmp.Or(inUTF8(r.Logger()), "root")
		if e.Time.UnixNano() != l.time() || e.Message != inUTF8(r.Message()) || e.Logger != logger || e.Seq != l.Seq ||
			!strings.HasPrefix(e.Stack, inUTF8(r.Traceback())) || !strings.HasSuffix(e.Stack, inUTF8(r.Stack())) {
			t.Fatalf("ECS: %+v", e)
		}
		if (e.Labels == nil) != r.Attrs().Empty() {
			t.Fatalf("labels %v", e.Labels)
		}
		for name, value := range e.Labels {
			if _, nested := value.(map[string]any); nested || strings.ContainsAny(name, `.*\`) {
				t.Fatalf("label %q: %v", name, value)
			}
		}
		var o struct {
			Timestamp            string
			SeverityText         string
			SeverityNumber       int
			Body                 string
			InstrumentationScope struct{ Name string }
			Attributes           json.RawMessage
		}
		readJSON(t, otel, l, &o)
		if o.Timestamp != strconv.FormatInt(l.time(), 10) || o.Body != e.Message || o.InstrumentationScope.Name != logger ||
			o.SeverityText != e.Level || o.SeverityNumber < 1 || o.SeverityNumber > 24 {
			t.Fatalf("OpenTelemetry: %+v", o)
		}
		ours := map[string]int{}
		d := json.NewDecoder(bytes.NewReader(o.Attributes))
		expect(t, d, json.Delim('{'))
		for d.More() {
			name, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			if text := name.(string); ourOTelName([]byte(text)) {
				ours[text]++
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
		}
		for name, n := range ours {
			if n > 1 {
				t.Fatalf("%s stands there %d times", name, n)
			}
		}
	})
}

func expect(t *testing.T, d *json.Decoder, want json.Token) {
	t.Helper()
	if got, err := d.Token(); err != nil || got != want {
		t.Fatalf("got %#v, %v, want %#v", got, err, want)
	}
}

// checkObject reads the members of an object and compares them, in order, with the
// attributes that they are to show.
func checkObject(t *testing.T, d *json.Decoder, attrs record.Attrs) {
	t.Helper()
	for a := range attrs.All() {
		v := a.Value
		if v.Tag() == record.TagGroup && len(a.Key) == 0 {
			checkObject(t, d, v.Group())
			continue
		}
		expect(t, d, string([]rune(string(a.Key))))
		switch text := v.Bytes(); v.Tag() {
		case record.TagGroup:
			expect(t, d, json.Delim('{'))
			checkObject(t, d, v.Group())
			expect(t, d, json.Delim('}'))
		case record.TagBytes:
			expect(t, d, base64.StdEncoding.EncodeToString(text))
		case record.TagString, record.TagError:
			if utf8.Valid(text) {
				expect(t, d, string(text))
				continue
			}
			expect(t, d, json.Delim('{'))
			expect(t, d, "base64")
			expect(t, d, base64.StdEncoding.EncodeToString(text))
			expect(t, d, json.Delim('}'))
		case record.TagBool:
			expect(t, d, v.Bool())
		case record.TagInt:
			expect(t, d, json.Number(string(appendJSONValue(nil, v))))
		default: // numbers and times, whose text the tables prove
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
