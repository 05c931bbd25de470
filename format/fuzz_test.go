package format

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

var lineStart = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - `)

// seeds adds payloads of many kinds, and what tries to break out of a line.
func seeds(f *testing.F) {
	for _, e := range []record.Entry{
		{},
		typical(), rich(),
		{Logger: "a\n" + stamp + " - x", Message: "\n" + stamp + " - b - INFO - forged\r\n\u2028\u0085\x1b[31m\xff"},
		{Traceback: "a\r\n" + stamp + " - ", Stack: "\n\n"},
	} {
		l := lineOf(f, e)
		payload := append([]byte{}, l.Record.Message()...)
		f.Add(payload, true, at, int16(3))
		size, err := e.Size()
		if err != nil {
			f.Fatal(err)
		}
		payload = make([]byte, size)
		if err := e.Encode(payload); err != nil {
			f.Fatal(err)
		}
		f.Add(payload, false, int64(-1), int16(-35))
	}
}

// recordOf returns the record that a fuzzed payload is, or false.
func recordOf(payload []byte, raw bool) (record.Record, bool) {
	if raw {
		return record.Raw(payload), true
	}
	r, err := record.Decode(payload)
	return r, err == nil
}

func FuzzTextCannotBeForged(f *testing.F) {
	seeds(f)
	formatter := NewText(time.UTC)
	f.Fuzz(func(t *testing.T, payload []byte, raw bool, ns int64, level int16) {
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time, l.Level = ns, record.Level(level)
		out := formatter.Append(nil, l)
		if n := len(lineStart.FindAllIndex(out, -1)); n != 1 || lineStart.FindIndex(out)[0] != 0 {
			t.Fatalf("%d lines start in %q", n, out)
		}
		if !utf8.Valid(out) || !bytes.HasSuffix(out, []byte("\n")) {
			t.Fatalf("not lines of UTF-8: %q", out)
		}
		for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
			if i > 0 && !strings.HasPrefix(line, "    ") {
				t.Fatalf("line %d is not indented: %q", i, out)
			}
		}
		mustBeHarmless(t, out)
	})
}

// mustBeHarmless fails for control characters of every kind but newlines and tabs.
func mustBeHarmless(t *testing.T, out []byte) {
	t.Helper()
	for _, r := range string(out) {
		switch {
		case r == '\n' || r == '\t':
		case r < ' ', 0x7f <= r && r <= 0x9f, 0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
			t.Fatalf("control character %U in %q", r, out)
		}
	}
}

func FuzzJSONReadsBack(f *testing.F) {
	seeds(f)
	formatter := NewJSON()
	f.Fuzz(func(t *testing.T, payload []byte, raw bool, ns int64, level int16) {
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time, l.Level = ns, record.Level(level)
		out := formatter.Append(nil, l)
		if bytes.Count(out, []byte("\n")) != 1 || !bytes.HasSuffix(out, []byte("\n")) {
			t.Fatalf("not one line: %q", out)
		}
		mustBeHarmless(t, out)
		var got struct {
			Time      time.Time
			Logger    string
			Msg       string
			MsgBase64 *string `json:"msg_base64"`
			Attrs     json.RawMessage
			Traceback string
			Thread    string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		same := func(what, got string, want []byte) {
			if got != string([]rune(string(want))) { // each bad byte is U+FFFD
				t.Fatalf("%s: got %q, want %q", what, got, want)
			}
		}
		same("logger", got.Logger, r.Logger())
		same("msg", got.Msg, r.Message())
		same("traceback", got.Traceback, r.Traceback())
		same("thread", got.Thread, r.Thread())
		if got.Time.UnixNano() != l.time() {
			t.Fatalf("time %v, want %d", got.Time, l.time())
		}
		if (got.MsgBase64 == nil) != utf8.Valid(r.Message()) {
			t.Fatalf("msg_base64 where none belongs, or missing: %s", out)
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
