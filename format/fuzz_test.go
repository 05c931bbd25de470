package format

import (
	"bytes"
	"cmp"
	"fmt"
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
		mustBeOneRecord(t, out)
	})
}

// mustBeOneRecord fails where more than the first line could be a record's, or that
// could not.
func mustBeOneRecord(t *testing.T, out []byte) {
	t.Helper()
	if !utf8.Valid(out) || !bytes.HasSuffix(out, []byte("\n")) {
		t.Fatalf("not lines of UTF-8: %q", out)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		if i == 0 && strings.HasPrefix(line, " ") || i > 0 && !strings.HasPrefix(line, "    ") {
			t.Fatalf("line %d of %q", i, out)
		}
	}
	mustBeHarmless(t, out)
}

// Whatever the layout, a record is one line that does not start with a space, and
// indented ones; and nothing that a worker logs has the name of ringlog's own logger.
func FuzzLayoutsCannotBeForged(f *testing.F) {
	payloads := [][]byte{{}, []byte("  a\n b\n"), []byte(stamp + " - ringlog - WARNING - lost")}
	for _, e := range []record.Entry{typical(), rich(), {Logger: " ringlog ", Message: "\n   x"}, {Logger: "ringlog - WARNING - lost"}} {
		size, err := e.Size()
		if err != nil { // rich is not prepared
			e.Attrs = e.Prepared()
			size, _ = e.Size()
		}
		payload := make([]byte, size)
		if err := e.Encode(payload); err != nil {
			f.Fatal(err)
		}
		payloads = append(payloads, payload)
	}
	for _, layout := range []string{
		DefaultLayout, `%(message)s`, `%(study)s %(trial)05d|%(price)+9.3f%(symbol)-8.3s%(attrs)s`, `%(name)-12.7s`, `%(name)10s %%`,
		`[%(levelname)9s] %(created).3f %(msecs)03d %(levelno)g %(pathname)s %(lineno)4d %(processName)s %(id)s`, `%(k)e%(k)g%(k)d`,
	} {
		for i, payload := range payloads {
			f.Add(layout, `%d %b %Y %H:%M:%S.%N`, payload, i < 3, at)
			f.Add("|"+layout, ``, payload, i < 3, int64(-1))
		}
	}
	f.Fuzz(func(t *testing.T, layout, timeFormat string, payload []byte, raw bool, ns int64) {
		formatter, err := New(Options{Layout: layout, TimeFormat: timeFormat, Location: time.UTC})
		if err != nil {
			return
		}
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time = ns
		first := formatter.Append(nil, l)
		mustBeOneRecord(t, first)
		if again := formatter.Append(nil, l); !bytes.Equal(first, again) {
			t.Fatalf("%q, and then %q", first, again)
		}
	})
}

func FuzzNobodyPassesForRinglogItself(f *testing.F) {
	for _, name := range []string{"ringlog", " ringlog", "ringlog\t- x", "ringer", "ring", "\u200bringlog\xff", "rin\ngl"} {
		f.Add(name, 7, 0)
		f.Add(name, 4, 12)
	}
	f.Fuzz(func(t *testing.T, name string, prec, width int) {
		if name == "" || len(name) > record.MaxLogger || prec < 1 || prec > maxNumber || width < 0 || width > maxNumber {
			return
		}
		shown := func(name, event string) string {
			l := lineOf(t, record.Entry{Logger: name})
			l.Event = event
			line := textOf(t, fmt.Sprintf("[%%(name)%d.%ds]", width, prec)).Append(nil, l)
			return strings.Trim(string(line), "[] \n")
		}
		if got := shown(name, ""); got == shown(OwnLogger, "lost") {
			t.Fatalf("%q is shown as %q", name, got)
		}
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

func FuzzLogfmtReadsBack(f *testing.F) {
	seeds(f)
	formatter := NewLogfmt()
	f.Fuzz(func(t *testing.T, payload []byte, raw bool, ns int64, level int16) {
		r, ok := recordOf(payload, raw)
		if !ok {
			return
		}
		l := newLine(r)
		l.Time, l.Level = ns, record.Level(level)
		out := formatter.Append(nil, l)
		mustBeHarmless(t, out)
		count := map[string]int{}
		for i, pair := range readLogfmt(t, string(out)) {
			count[pair.key]++
			if i < len(ourKeys)-8 && pair.key != ourKeys[i] {
				t.Fatalf("key %d is %s: %q", i, pair.key, out)
			}
			want := ""
			switch pair.key {
			case "msg":
				want = inUTF8(r.Message())
			case "logger":
				want = cmp.Or(inUTF8(r.Logger()), "root")
			case "traceback":
				want = inUTF8(r.Traceback())
			case "thread":
				want = inUTF8(r.Thread())
			case "event":
				t.Fatalf("an event: %q", out)
			default:
				continue
			}
			if pair.value != want {
				t.Fatalf("%s is %q, want %q", pair.key, pair.value, want)
			}
		}
		for _, key := range ourKeys {
			if count[key] > 1 {
				t.Fatalf("%s stands there %d times: %q", key, count[key], out)
			}
		}
	})
}
