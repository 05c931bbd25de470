package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

const (
	jsonHead = `{"time":"2026-11-23T18:47:01.123456789Z","level":"INFO","logger":"trades","msg":"m"`
	jsonID   = `,"worker":"worker-3","pid":4711,"seq":7,"id":"ab000000000000000000000000000001-2-4096"`
)

func TestJSONShowsAllOfARecord(t *testing.T) {
	t.Parallel()
	entry := func(attrs ...slog.Attr) record.Entry {
		return record.Entry{Logger: "trades", Message: "m", Attrs: attrs}
	}
	with := func(change func(e *record.Entry)) record.Entry {
		e := entry()
		change(&e)
		return e
	}
	cases := map[string]struct {
		entry record.Entry
		want  string // after the head and the id
	}{
		"message":    {entry(), `}`},
		"numbers":    {entry(slog.Int64("i", math.MinInt64), slog.Uint64("u", math.MaxUint64), slog.Bool("b", false)), `,"attrs":{"i":-9223372036854775808,"u":18446744073709551615,"b":false}}`},
		"floats":     {entry(slog.Float64("f", 1.5), slog.Float64("z", math.Copysign(0, -1)), slog.Float64("s", 1e-9), slog.Float64("l", 1e21), slog.Float64("d", 1e-300)), `,"attrs":{"f":1.5,"z":-0,"s":1e-9,"l":1e+21,"d":1e-300}}`},
		"not finite": {entry(slog.Float64("n", math.NaN()), slog.Float64("p", math.Inf(1)), slog.Float64("m", math.Inf(-1))), `,"attrs":{"n":"NaN","p":"+Inf","m":"-Inf"}}`},
		"times":      {entry(slog.Time("u", time.Unix(0, 5).UTC()), slog.Time("z", time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 19800)))), `,"attrs":{"u":"1970-01-01T00:00:00.000000005Z","z":"2026-01-02T03:04:05+05:30"}}`},
		"duration":   {entry(slog.Duration("d", 1500*time.Millisecond)), `,"attrs":{"d":1500000000}}`},
		"bytes":      {entry(slog.Any("b", []byte{0, 255}), slog.Any("none", []byte{})), `,"attrs":{"b":"AP8=","none":""}}`},
		"error":      {entry(slog.Any("err", errors.New("disk full"))), `,"attrs":{"err":"disk full"}}`},
		"groups":     {entry(slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2)), slog.Int("c", 3))), `,"attrs":{"g":{"a":1,"h":{"b":2},"c":3}}}`},
		"same key":   {entry(slog.Int("k", 1), slog.Int("k", 2)), `,"attrs":{"k":1,"k":2}}`},
		"escapes":    {entry(slog.String("a\"\\\n\t\r", "\x00\x1f\x7f\u0085\u009b\u2028\u2029\u202e<>&é")), `,"attrs":{"a\"\\\n\t\r":"\u0000\u001f\u007f\u0085\u009b\u2028\u2029\u202e\u003c\u003e\u0026é"}}`},
		"bad text":   {entry(slog.String("s", "a\xff"), slog.Any("e", errors.New("\xff")), slog.Int("k\xff", 1)), `,"attrs":{"s":{"base64":"Yf8="},"e":{"base64":"/w=="},"k\ufffd":1}}`},
		"source":     {with(func(e *record.Entry) { e.Source = record.Source[string]{File: "f.go", Line: 7, Function: "main"} }), `,"source":{"file":"f.go","line":7,"function":"main"}}`},
		"texts": {
			with(func(e *record.Entry) { e.Traceback, e.Stack, e.Process, e.Thread = "t\n", "s", "p\xff", "th" }),
			`,"traceback":"t\n","stack":"s","process":"p\ufffd","thread":"th"}`,
		},
		"all": {rich(), ``},
	}
	for name, c := range cases {
		got := string(NewJSON().Append(nil, lineOf(t, c.entry)))
		if !json.Valid([]byte(got)) {
			t.Errorf("%s: not JSON: %s", name, got)
		}
		if want := jsonHead + jsonID + c.want + "\n"; c.want != "" && got != want {
			t.Errorf("%s:\ngot  %swant %s", name, got, want)
		}
	}
}

func TestJSONKeepsTheExactBytesOfABrokenMessage(t *testing.T) {
	t.Parallel()
	e := record.Entry{Logger: "l\xff", Message: "a\xff\xfeb", Attrs: []slog.Attr{slog.Int("n", 1)}}
	l := lineOf(t, e)
	l.Origin.Worker = "w\xff"
	got := string(NewJSON().Append(nil, l))
	want := `"logger":"l\ufffd","msg":"a\ufffd\ufffdb","worker":"w\ufffd","pid":4711,"seq":7,` +
		`"id":"ab000000000000000000000000000001-2-4096","msg_base64":"Yf/+Yg==","attrs":{"n":1}}` + "\n"
	if !strings.HasSuffix(got, want) {
		t.Errorf("got  %swant … %s", got, want)
	}
}

func TestJSONShowsRawRecordsWithoutALogger(t *testing.T) {
	t.Parallel()
	got := string(NewJSON().Append(nil, newLine(record.Raw([]byte("hello")))))
	want := strings.Replace(strings.Replace(jsonHead, "trades", "", 1), `"m"`, `"hello"`, 1) + jsonID + "}\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestJSONShowsTheRecordsOwnLevelAndTime(t *testing.T) {
	t.Parallel()
	e := record.Entry{Time: -1, Level: record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "NO\n\"TICE"}}
	got := string(NewJSON().Append(nil, lineOf(t, e)))
	if !strings.HasPrefix(got, `{"time":"1969-12-31T23:59:59.999999999Z","level":"NO\n\"TICE",`) ||
		!strings.HasSuffix(got, `,"level_number":25,"level_scale":"python"}`+"\n") {
		t.Errorf("named: %s", got)
	}
	e = record.Entry{Level: record.CustomLevel[string]{Scale: record.ScaleSlog, Number: -10000}}
	got = string(NewJSON().Append(nil, lineOf(t, e)))
	if !strings.Contains(got, `"level":"DEBUG-9996"`) || !strings.HasSuffix(got, `,"level_number":-10000,"level_scale":"slog"}`+"\n") {
		t.Errorf("clamped: %s", got)
	}
}

func TestJSONInlinesGroupsWithoutAKeyAndKeepsEmptyOnes(t *testing.T) {
	t.Parallel()
	// No writer here makes these, another may.
	number := "\x01\x00\x01\x00\x01\x00\x00\x00k\x01"
	payload := "\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x09\x00\x00\x00\x0a\x00\x00\x00" + number + // without a key
		"\x09\x00\x01\x00\x00\x00\x00\x00e" + // empty
		"\x09\x00\x01\x00\x08\x00\x00\x00f" + "\x09\x00\x00\x00\x00\x00\x00\x00" + // both
		number
	got := string(NewJSON().Append(nil, lineOfPayload(t, []byte(payload))))
	if want := `,"attrs":{"k":true,"e":{},"f":{},"k":true}}` + "\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %swant … %s", got, want)
	}
}

func TestJSONNumbersAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	for exp := -320; exp <= 308; exp++ {
		for _, m := range []float64{1, -1.5, 9.999999999999999, 123456789} {
			f := m * math.Pow(10, float64(exp))
			if math.IsInf(f, 0) {
				continue
			}
			want, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			if got := appendJSONFloat(nil, f); !bytes.Equal(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

func TestLinesOfOneOriginShareItsPieces(t *testing.T) {
	t.Parallel()
	f, first := NewJSON(), newLine(record.Raw([]byte("a")))
	second := *first
	second.Seq, second.Position, second.Time = 8, 4200, at+1e9
	f.Append(nil, first)
	got := string(f.Append(nil, &second))
	if !strings.Contains(got, `:02.123456789Z"`) || !strings.Contains(got, `"pid":4711,"seq":8,"id":"ab000000000000000000000000000001-2-4200"`) {
		t.Errorf("got %s", got)
	}
}
