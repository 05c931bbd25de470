package format

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ringlog/ringlog/record"
)

const (
	logfmtHead = `time=2026-11-23T18:47:01.123456789Z level=INFO logger=trades msg=m`
	logfmtID   = ` worker=worker-3 pid=4711 seq=7 id=ab000000000000000000000000000001-2-4096`
)

func logfmt(l *Line) string { return string(NewLogfmt().Append(nil, l)) }

func TestLogfmtShowsAllOfARecord(t *testing.T) {
	t.Parallel()
	entry := func(attrs ...slog.Attr) record.Entry {
		return record.Entry{Logger: "trades", Message: "m", Attrs: attrs}
	}
	with := func(change func(e *record.Entry)) record.Entry {
		e := entry(slog.Int("n", 1))
		change(&e)
		return e
	}
	cases := map[string]struct {
		entry record.Entry
		want  string // after the head and the id
	}{
		"message":        {entry(), ``},
		"numbers":        {entry(slog.Int("i", -1), slog.Float64("f", 1.5), slog.Bool("b", true), slog.Duration("d", 1500*time.Millisecond)), ` i=-1 f=1.5 b=true d=1.5s`},
		"times":          {entry(slog.Time("t", time.Unix(0, 5).UTC())), ` t=1970-01-01T00:00:00.000000005Z`},
		"quoted as slog": {entry(slog.String("k", "a b"), slog.String("k", ""), slog.String("k", "a=b"), slog.String("k", `a"b\`), slog.String("k", `c:\d`), slog.String("k", "<é>")), ` k="a b" k="" k="a=b" k="a\"b\\" k=c:\d k=<é>`},
		"escapes":        {entry(slog.String("k", "a\n\t\r\x00\x1b\x7f\u009b\u2028\u202e")), ` k="a\n\t\r\u0000\u001b\u007f\u009b\u2028\u202e"`},
		"not UTF-8":      {entry(slog.String("k", "a\xff"), slog.Any("b", []byte("a\xff"))), ` k="a\ufffd" b="Yf8="`},
		"beyond 16 bits": {entry(slog.String("k", "😀"), slog.String("k", "a\U000e0001")), " k=😀 k=\"a\U000e0001\""},
		"error":          {entry(slog.Any("err", errors.New("disk full"))), ` err="disk full"`},
		"groups":         {entry(slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2))), slog.Int("c", 3)), ` g.a=1 g.h.b=2 c=3`},
		"keys":           {entry(slog.Int("a b", 1), slog.Int("", 2), slog.Int("a=\"\n\xff\u2028é", 3), slog.Group("g h", slog.Int("x", 4))), ` a_b=1 _=2 a_____é=3 g_h.x=4`},
		"source":         {with(func(e *record.Entry) { e.Source = record.Source[string]{File: "/a b/f.go", Line: 7, Function: "main"} }), ` n=1 source="/a b/f.go:7"`},
		"texts":          {with(func(e *record.Entry) { e.Traceback, e.Stack, e.Process, e.Thread = "T:\n  l\n", "s", "p", "t h" }), ` n=1 traceback="T:\n  l\n" stack=s process=p thread="t h"`},
		"level by number": {with(func(e *record.Entry) {
			e.Level = record.CustomLevel[string]{Scale: record.ScaleSlog, Number: 3, Name: "INFO"}
		}), ` n=1 level_number=3 level_scale=slog`},
	}
	for name, c := range cases {
		got := logfmt(lineOf(t, c.entry))
		if want := logfmtHead + logfmtID + c.want + "\n"; got != want {
			t.Errorf("%s:\ngot  %swant %s", name, got, want)
		}
		readLogfmt(t, got)
	}
}

func TestLogfmtShowsOtherHeads(t *testing.T) {
	t.Parallel()
	own := lineOf(t, record.Entry{Time: -1, Level: record.CustomLevel[string]{Scale: record.ScalePython, Number: 21, Name: "A \"B\""}, Logger: "a b", Message: "one\ntwo"})
	own.Origin.Worker = "w 3"
	want := `time=1969-12-31T23:59:59.999999999Z level="A \"B\"" logger="a b" msg="one\ntwo" worker="w 3" pid=4711 seq=7 ` +
		`id=ab000000000000000000000000000001-2-4096 level_number=21 level_scale=python` + "\n"
	if got := logfmt(own); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	raw := logfmt(newLine(record.Raw([]byte("hello"))))
	if want := `time=2026-11-23T18:47:01.123456789Z level=INFO logger=root msg=hello` + logfmtID + "\n"; raw != want {
		t.Errorf("got  %swant %s", raw, want)
	}
}

// Whoever takes the first of several equal keys, or the last, must not take what an
// attribute says for what ringlog says.
func TestLogfmtAttributesNeverTakeOurKeys(t *testing.T) {
	t.Parallel()
	var attrs []slog.Attr
	for _, key := range ourKeys {
		attrs = append(attrs, slog.String(key, "forged"))
	}
	attrs = append(attrs, slog.String("level\x00number", "forged"), slog.Group("level", slog.String("number", "mine")), slog.String("", "x level=CRITICAL"))
	e := rich()
	e.Attrs, e.Process, e.Stack = attrs, "p", "s"
	got := readLogfmt(t, logfmt(lineOf(t, e)))
	count := map[string]int{}
	for _, pair := range got {
		if count[pair.key]++; pair.value == "forged" && !strings.HasPrefix(pair.key, "attrs.") {
			t.Errorf("%s says %s", pair.key, pair.value)
		}
	}
	for _, key := range ourKeys {
		want := 1
		if key == "event" {
			want = 0 // ringlog's own lines have it
		}
		if count[key] != want || count["attrs."+key] == 0 {
			t.Errorf("%s stands there %d times, attrs.%[1]s %d times", key, count[key], count["attrs."+key])
		}
	}
}

var ourKeys = []string{
	"time", "level", "logger", "msg", "worker", "pid", "seq", "id", "event",
	"source", "traceback", "stack", "process", "thread", "level_number", "level_scale",
}

func TestLogfmtOfRinglogsOwnLinesSaysThingsOnce(t *testing.T) {
	t.Parallel()
	l := lineOf(t, record.Entry{Logger: OwnLogger, Message: "lost", Attrs: []slog.Attr{
		slog.String("event", "lost"), slog.String("worker", "worker-3"), slog.Int("pid", 4711), slog.Int("lane", 2),
	}})
	l.Event = "lost"
	want := `time=2026-11-23T18:47:01.123456789Z level=INFO logger=ringlog msg=lost` + logfmtID + " event=lost lane=2\n"
	if got := logfmt(l); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

type pair struct{ key, value string }

// readLogfmt reads a line as strict parsers do: keys are never quoted, a value that is
// not quoted has no spaces, quotes and equals signs.
func readLogfmt(t *testing.T, line string) []pair {
	t.Helper()
	pairs, err := parseLogfmt(line)
	if err != nil {
		t.Fatalf("%v: %q", err, line)
	}
	return pairs
}

func parseLogfmt(line string) (pairs []pair, err error) {
	rest, ok := strings.CutSuffix(line, "\n")
	if !ok || strings.Contains(rest, "\n") || !utf8.ValidString(rest) {
		return nil, errors.New("not one line of UTF-8")
	}
	for rest != "" {
		key, behind, ok := strings.Cut(rest, "=")
		if !ok || key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == '"' || r == utf8.RuneError }) {
			return nil, fmt.Errorf("bad key %q", key)
		}
		value := behind
		if strings.HasPrefix(behind, `"`) {
			quoted, err := strconv.QuotedPrefix(behind)
			if err != nil {
				return nil, err
			}
			if value, err = strconv.Unquote(quoted); err != nil {
				return nil, err
			}
			rest = behind[len(quoted):]
		} else {
			value, _, _ = strings.Cut(behind, " ")
			if value == "" || strings.ContainsAny(value, `"=`) {
				return nil, fmt.Errorf("bad value %q", value)
			}
			rest = behind[len(value):]
		}
		pairs = append(pairs, pair{key, value})
		if rest, ok = strings.CutPrefix(rest, " "); !ok && rest != "" {
			return nil, fmt.Errorf("%q behind a value", rest)
		}
	}
	return pairs, nil
}
