package format

import (
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

const stamp = "2026-11-23 18:47:01,123"

func TestTextShowsRecordsAsPythonDoes(t *testing.T) {
	t.Parallel()
	head := stamp + " - trades - INFO - "
	entry := func(message string, attrs ...slog.Attr) record.Entry {
		return record.Entry{Logger: "trades", Message: message, Attrs: attrs}
	}
	source := entry("m", slog.Int("n", 1))
	source.Source = record.Source[string]{File: "optimise.py", Line: 17, Function: "f"}
	cases := map[string]struct {
		entry record.Entry
		want  string
	}{
		"message":              {entry("message"), head + "message\n"},
		"attribute":            {entry("message", slog.String("key", "value")), head + "message key=value\n"},
		"empty message":        {entry("", slog.Int("n", 1)), head + " n=1\n"},
		"root logger":          {record.Entry{Message: "m"}, stamp + " - root - INFO - m\n"},
		"numbers":              {entry("m", slog.Int("i", -1), slog.Uint64("u", math.MaxUint64), slog.Bool("b", true)), head + "m i=-1 u=18446744073709551615 b=true\n"},
		"floats":               {entry("m", slog.Float64("f", 1.5), slog.Float64("e", 1e-9), slog.Float64("n", math.NaN()), slog.Float64("p", math.Inf(1))), head + "m f=1.5 e=1e-09 n=NaN p=+Inf\n"},
		"duration":             {entry("m", slog.Duration("d", 1500*time.Millisecond)), head + "m d=1.5s\n"},
		"UTC time":             {entry("m", slog.Time("t", time.Unix(at/1e9, 5e8).UTC())), head + "m t=2026-11-23T18:47:01.5Z\n"},
		"time in a zone":       {entry("m", slog.Time("t", time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", -(3*3600+1800))))), head + "m t=2026-01-02T03:04:05.000000006-03:30\n"},
		"zone with seconds":    {entry("m", slog.Time("t", time.Date(1890, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3208)))), head + "m t=1890-01-02T03:04:05+00:53\n"},
		"error":                {entry("m", slog.Any("err", errors.New("disk full"))), head + "m err=\"disk full\"\n"},
		"bytes":                {entry("m", slog.Any("b", []byte("a\x00\xff"))), head + `m b="a\x00\xff"` + "\n"},
		"groups":               {entry("m", slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2))), slog.Int("c", 3)), head + "m g.a=1 g.h.b=2 c=3\n"},
		"quoted value":         {entry("m", slog.String("k", "a b"), slog.String("k", ""), slog.String("k", "a=b"), slog.String("k", `a"b\`), slog.String("k", `c:\d`)), head + `m k="a b" k="" k="a=b" k="a\"b\\" k=c:\d` + "\n"},
		"quoted key":           {entry("m", slog.Int("a b", 1), slog.Int("", 2), slog.Group("g h", slog.Int("x", 3))), head + `m "a b"=1 ""=2 "g h.x"=3` + "\n"},
		"value with controls":  {entry("m", slog.String("k", "a\n\t\r\x1b\x7f\u009b\u2028\u202e\U000e0001\xff")), head + `m k="a\n\t\r\x1b\x7f\u009b\u2028\u202e\U000e0001\xff"` + "\n"},
		"printable Unicode":    {entry("naïve ☃ 😀", slog.String("ключ", "значение")), head + "naïve ☃ 😀 ключ=значение\n"},
		"lines":                {entry("a\nb\n\nc", slog.Int("n", 1)), head + "a\n    b\n    \n    c n=1\n"},
		"newline at the end":   {entry("a\n", slog.Int("n", 1)), head + "a n=1\n"},
		"newlines at the end":  {entry("a\n\n\n"), head + "a\n"},
		"nothing but newlines": {entry("\n\n"), head + "\n"},
		"forged line":          {entry("a\n" + stamp + " - app - INFO - forged"), head + "a\n    " + stamp + " - app - INFO - forged\n"},
		"controls":             {entry("a\rb\x00c\x1b[2Jd\te\x7ff\u0085g\u009bh\u2028i\u2029j\u202ek\u2066l"), head + `a\rb\x00c\x1b[2Jd` + "\t" + `e\x7ff\u0085g\u009bh\u2028i\u2029j\u202ek\u2066l` + "\n"},
		"invalid UTF-8":        {entry("a\xffb\xc3"), head + `a\xffb\xc3` + "\n"},
		"replacement rune":     {entry("\ufffd"), head + "\ufffd\n"},
		"forging logger":       {record.Entry{Logger: "a\nb\x1b", Message: "m"}, stamp + ` - a\nb\x1b - INFO - m` + "\n"},
		"source":               {source, head + "m n=1\n"},
		"traceback and stack": {
			record.Entry{Logger: "trades", Message: "m", Attrs: []slog.Attr{slog.Int("n", 1)}, Traceback: "Traceback:\n  File\x1b\n", Stack: "Stack:\n  f"},
			head + "m n=1\n    Traceback:\n      File\\x1b\n    Stack:\n      f\n",
		},
	}
	for name, c := range cases {
		if got := text(lineOf(t, c.entry)); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
		}
	}
}

func TestTextShowsTheRecordsOwnLevelAndTime(t *testing.T) {
	t.Parallel()
	custom := func(c record.CustomLevel[string]) record.Entry { return record.Entry{Message: "m", Level: c} }
	cases := map[string]struct {
		entry record.Entry
		level record.Level
		want  string
	}{
		"stored":          {record.Entry{Message: "m"}, record.LevelCritical, stamp + " - root - CRITICAL - m\n"},
		"between":         {record.Entry{Message: "m"}, 10, stamp + " - root - INFO+2 - m\n"},
		"Python's":        {record.Entry{Message: "m"}, 2, stamp + " - root - Level 21 - m\n"},
		"named":           {custom(record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "NOTICE"}), 10, stamp + " - root - NOTICE - m\n"},
		"forging name":    {custom(record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "N\n\x1b"}), 10, stamp + ` - root - N\n\x1b - m` + "\n"},
		"clamped":         {custom(record.CustomLevel[string]{Scale: record.ScalePython, Number: 99999}), 32766, stamp + " - root - Level 99999 - m\n"},
		"clamped slog":    {custom(record.CustomLevel[string]{Scale: record.ScaleSlog, Number: 10012}), 32766, stamp + " - root - CRITICAL+10000 - m\n"},
		"its own time":    {record.Entry{Message: "m", Time: 1}, 0, "1970-01-01 00:00:00,000 - root - INFO - m\n"},
		"before 1970":     {record.Entry{Message: "m", Time: -1}, 0, "1969-12-31 23:59:59,999 - root - INFO - m\n"},
		"the first time":  {record.Entry{Message: "m", Time: math.MinInt64}, 0, "1677-09-21 00:12:43,145 - root - INFO - m\n"},
		"the last moment": {record.Entry{Message: "m", Time: math.MaxInt64}, 0, "2262-04-11 23:47:16,854 - root - INFO - m\n"},
	}
	for name, c := range cases {
		l := lineOf(t, c.entry)
		l.Level = c.level
		if got := text(l); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestTextShowsTheRightHourWhenTheClocksChange(t *testing.T) {
	t.Parallel()
	// Summer time ends at 2026-10-25 01:00 UTC. The zone is made here, since a
	// machine may have no zone database.
	loc, err := time.LoadLocationFromTZData("Test", zoneFile(1792890000, 7200, 3600))
	if err != nil {
		t.Fatal(err)
	}
	f := NewText(loc)
	change := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{-time.Hour, "2026-10-25 02:00:00,000"},
		{-time.Millisecond, "2026-10-25 02:59:59,999"},
		{0, "2026-10-25 02:00:00,000"},
		{time.Millisecond, "2026-10-25 02:00:00,001"},
		{time.Hour, "2026-10-25 03:00:00,000"},
		{-time.Hour, "2026-10-25 02:00:00,000"}, // and back
	} {
		l := newLine(record.Raw(nil))
		l.Time = change.Add(c.after).UnixNano()
		if got := string(f.Append(nil, l)); got != c.want+" - root - INFO - \n" {
			t.Errorf("%v after the change: got %q, want %s", c.after, got, c.want)
		}
	}
}

// zoneFile returns a TZif file of a zone that goes from one offset to another at the
// given Unix time.
func zoneFile(change int64, before, after int32) []byte {
	be := func(n int32) string { return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) }
	return []byte("TZif" + strings.Repeat("\x00", 16) +
		be(0) + be(0) + be(0) + be(1) + be(2) + be(8) + // counts: one transition, two types
		be(int32(change)) + "\x01" +
		be(before) + "\x01\x00" + be(after) + "\x00\x04" +
		"SUM\x00WIN\x00")
}

func TestTextTimesAreLocalByDefault(t *testing.T) {
	t.Parallel()
	l := newLine(record.Raw(nil))
	want := time.Unix(0, at).Format("2006-01-02 15:04:05") + ",123 - root - INFO - \n"
	if got := string(NewText(nil).Append(nil, l)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextOfALongGroupNameStaysSmall(t *testing.T) {
	t.Parallel()
	var attrs []slog.Attr
	for range 1000 {
		attrs = append(attrs, slog.Bool("", true))
	}
	deep := slog.Attr{Key: "é" + strings.Repeat("é", 30000), Value: slog.GroupValue(attrs...)}
	for range 10 {
		deep = slog.Group("outer", deep, slog.Int("n", 1))
	}
	got := text(lineOf(t, record.Entry{Message: "m", Attrs: []slog.Attr{deep, slog.Int("last", 1)}}))
	if limit := 1000*(maxGroup+len(`... =true`)) + 4096; len(got) > limit {
		t.Errorf("%d bytes, limit %d", len(got), limit)
	}
	if !strings.Contains(got, "é...=true ") || !strings.Contains(got, " outer.outer.n=1 outer.n=1 last=1\n") {
		t.Errorf("start %.300q, end %q", got, got[len(got)-100:])
	}
}

func TestTextOfGroupsInsideALongOneKeepsTheOuterPrefixes(t *testing.T) {
	t.Parallel()
	for n := maxGroup - 12; n < maxGroup+4; n++ {
		outer := strings.Repeat("g", n)
		e := record.Entry{Message: "m", Attrs: []slog.Attr{
			slog.Group(outer, slog.Int("a", 1), slog.Group("inner", slog.Int("b", 2), slog.Group("x", slog.Int("c", 3))), slog.Int("a", 1)),
		}}
		words := strings.Fields(text(lineOf(t, e))[len(stamp+" - root - INFO - "):])
		if len(words) != 5 || words[1] != words[4] {
			t.Errorf("%d: %q", n, words)
		}
	}
}

func TestRawWritesTheMessageAlone(t *testing.T) {
	t.Parallel()
	e := typical()
	if got := string(Raw{}.Append([]byte("before "), lineOf(t, e))); got != "before order filled at the limit\n" {
		t.Errorf("got %q", got)
	}
	if got := string(Raw{}.Append(nil, newLine(record.Raw([]byte("a\x00\xff"))))); got != "a\x00\xff\n" {
		t.Errorf("got %q", got)
	}
}

// Text keeps how lines begin: of lines of other times, loggers, levels, and of ringlog's own
// none may begin like the one before.
func TestALineBeginsAsItsOwnRecordSaysWhateverCameBefore(t *testing.T) {
	t.Parallel()
	var lines []*Line
	for _, ns := range []int64{0, -1, 1, 999_999, 1_000_000, at, at + 999_999, at + 1e6, at + 1e9, -at} {
		for _, logger := range []string{"", "a", "b", "ringlog", "app", "appa", "a.p", "\n", "x\xff"} {
			for _, level := range []record.Level{record.LevelDebug, record.LevelInfo, record.LevelInfo + 16, 3, -32768} {
				plain := lineOf(t, record.Entry{Logger: logger, Message: "m"})
				plain.Time, plain.Level = ns, level
				event := *plain
				event.Event = "lost"
				own := lineOf(t, record.Entry{Logger: logger, Time: ns + 1e6, Level: record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "N"}})
				own.Time, own.Level = ns, level
				lines = append(lines, plain, &event, own)
			}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	f := NewText(time.UTC)
	for range 5_000 {
		l := lines[rnd.IntN(len(lines))]
		if got, want := string(f.Append(nil, l)), string(NewText(time.UTC).Append(nil, l)); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}
