package format

import (
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

// textOf returns the text formatter of a layout, with times in UTC.
func textOf(t testing.TB, layout string) *Text {
	t.Helper()
	f, err := newText(Options{Layout: layout, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// python is a record as Python's client writes it.
func python(attrs ...slog.Attr) record.Entry {
	return record.Entry{
		Logger: "trades", Message: "order filled", Attrs: attrs, Process: "Main", Thread: "T-1",
		Source: record.Source[string]{File: "/src/optimise.py", Line: 17, Function: "run"},
	}
}

// What is wanted here was printed by logging.Formatter of Python 3.11.
func TestLayoutsShowWhatPythonShows(t *testing.T) {
	t.Parallel()
	small, large := slog.Float64("loss", 0.000123456789), slog.Float64("loss", 123456789.5)
	cases := []struct {
		layout string
		attr   slog.Attr
		want   string
	}{
		{`%(asctime)s - %(name)s - %(levelname)s - %(message)s`, slog.Attr{}, `2026-11-23 18:47:01,123 - trades - INFO - order filled`},
		{`%(levelname)-8s|%(message)s`, slog.Attr{}, `INFO    |order filled`},
		{`x%(levelname)8s|`, slog.Attr{}, `x    INFO|`},
		{`%(levelname).1s %(message)s`, slog.Attr{}, `I order filled`},
		{`%(asctime)s.%(msecs)03d`, slog.Attr{}, `2026-11-23 18:47:01,123.123`},
		{`%(msecs)s|%(msecs)d|%(msecs)f|%(msecs)5.1f|%(msecs)06.1f|%(msecs)+d`, slog.Attr{}, `123.0|123|123.000000|123.0|0123.0|+123`},
		{`%(created)s|%(created)f|%(created).3f|%(created)d|%(created)e|%(created)g`, slog.Attr{}, `1795459621.1234567|1795459621.123457|1795459621.123|1795459621|1.795460e+09|1.79546e+09`},
		{`%(levelno)s|%(levelno)03d|%(levelno)-5d|%(levelno)+d|%(levelno)5s|%(levelno)05s|%(levelno).1s`, slog.Attr{}, `20|020|20   |+20|   20|   20|2`},
		{`|%(lineno)4d|%(lineno)-4d|%(lineno)04d|%(lineno).4d|%(lineno)6.4d|%(lineno)06.3d|%(lineno)i|%(lineno)f|%(lineno)g`, slog.Attr{}, `|  17|17  |0017|0017|  0017|000017|17|17.000000|17`},
		{`%(pathname)s %(filename)s %(module)s %(funcName)s`, slog.Attr{}, `/src/optimise.py optimise.py optimise run`},
		{`%(process)d|%(process)s|%(process)08d|%(processName)s|%(threadName)s`, slog.Attr{}, `4711|4711|00004711|Main|T-1`},
		{`100%% %(message)s`, slog.Attr{}, `100% order filled`},
		{`%(message).5s|%(message)20s|%(message)-20s|%(message)20.5s|%(message).80s`, slog.Attr{}, `order|        order filled|order filled        |               order|order filled`},
		{`%(asctime).10s|%(asctime)30s`, slog.Attr{}, `2026-11-23|       2026-11-23 18:47:01,123`},
		{`%(name)s:%(levelname)s:%(message)s`, slog.Attr{}, `trades:INFO:order filled`},
		{`|%(message)05s|%(message)+s`, slog.Attr{}, `|order filled|order filled`},
		{`|%(trial)d|%(trial)05d|%(trial)s|%(trial)+d|%(trial)5d|%(trial)-5d|%(trial)f|%(trial).2f|%(trial)e|%(trial)g|%(trial).6d`, slog.Int("trial", -42), `|-42|-0042|-42|-42|  -42|-42  |-42.000000|-42.00|-4.200000e+01|-42|-000042`},
		{`|%(loss)f|%(loss).2f|%(loss)10.3f|%(loss)010.3f|%(loss)-10.3f|%(loss)e|%(loss).3e|%(loss)g|%(loss).3g|%(loss)d|%(loss)+.1f|%(loss)s`, small, `|0.000123|0.00|     0.000|000000.000|0.000     |1.234568e-04|1.235e-04|0.000123457|0.000123|0|+0.0|0.000123456789`},
		{`%(loss)f|%(loss).0f|%(loss)e|%(loss)g|%(loss).3g|%(loss)d|%(loss)+.1f`, large, `123456789.500000|123456790|1.234568e+08|1.23457e+08|1.23e+08|123456789|+123456789.5`},
		{`%(loss)g|%(loss)d|%(loss)010.2f|%(loss)+010.2f`, slog.Float64("loss", -0.5), `-0.5|0|-000000.50|-000000.50`},
		{`%(loss)g|%(loss).10g`, slog.Float64("loss", 100000), `100000|100000`},
		{`%(loss)g|%(loss)e`, slog.Float64("loss", 1e-300), `1e-300|1.000000e-300`},
		{`%(loss)g|%(loss)d`, slog.Float64("loss", 1e22), `1e+22|10000000000000000000000`},
	}
	for _, c := range cases {
		var attrs []slog.Attr
		if c.attr.Key != "" {
			attrs = append(attrs, c.attr)
		}
		if got := string(textOf(t, c.layout).Append(nil, lineOf(t, python(attrs...)))); got != c.want+"\n" {
			t.Errorf("%s:\ngot  %qwant %q", c.layout, got, c.want)
		}
	}
}

func TestLayoutsShowWhatPythonDoesNotHave(t *testing.T) {
	t.Parallel()
	attrs := func(attrs ...slog.Attr) record.Entry { return record.Entry{Message: "m", Attrs: attrs} }
	groups := attrs(slog.Group("g", slog.Int("k", 1)), slog.Int("k", 2), slog.Int("k", 3))
	deep := attrs(slog.Group("deep", slog.Int("in", 1)))
	unnamed := "\x00\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x01\x00\x01\x00\x00\x00k\x01"
	cases := map[string]struct {
		layout string
		line   *Line
		want   string
	}{
		"where from":                  {`%(worker)s %(pid)d %(seq)04d %(id)s`, lineOf(t, python()), `worker-3 4711 0007 ab000000000000000000000000000001-2-4096`},
		"attributes":                  {`%(message)s [%(attrs)s]`, lineOf(t, attrs(slog.Int("a", 1), slog.String("b", "x y"))), `m [a=1 b="x y"]`},
		"attributes behind a space":   {`%(message)s %(attrs)s.`, lineOf(t, attrs(slog.Int("a", 1), slog.Int("b", 2))), `m a=1 b=2.`},
		"no attributes":               {`%(message)s %(attrs)s.`, lineOf(t, attrs()), `m.`},
		"no attributes behind more":   {`%(message)s | %(attrs)s`, lineOf(t, attrs()), `m |`},
		"attributes first":            {`%(attrs)s %(message)s`, lineOf(t, attrs(slog.Int("a", 1))), `a=1 m`},
		"attributes cut":              {`%(attrs).5s|`, lineOf(t, attrs(slog.String("é", "ééééé"))), `é=ééé|`},
		"attributes in a column":      {`%(message)s %(attrs)-6s|`, lineOf(t, attrs(slog.Int("a", 1))), `m a=1   |`},
		"attributes not asked for":    {`%(message)s`, lineOf(t, attrs(slog.Int("a", 1))), `m`},
		"an attribute":                {`%(study)s/%(trial)04d %(message)s`, lineOf(t, attrs(slog.String("study", "wf"), slog.Int("trial", 17))), `wf/0017 m`},
		"none":                        {`[%(study)s/%(trial)04d]`, lineOf(t, attrs()), `[/    ]`},
		"the first outside of groups": {`%(k)s`, lineOf(t, groups), `2`},
		"a group":                     {`[%(g)s]`, lineOf(t, groups), `[]`},
		"a group of the same name":    {`[%(g)s]`, lineOf(t, attrs(slog.Group("g", slog.Int("k", 1)), slog.Int("g", 5))), `[5]`},
		"in a group":                  {`[%(in)s%(deep.in)s]`, lineOf(t, deep), `[]`},
		"in a group without a name":   {`%(k)s`, lineOfPayload(t, []byte(unnamed)), `true`},
		"odd keys":                    {`%(a b)s %(http.status)d`, lineOf(t, attrs(slog.Int("a b", 1), slog.Int("http.status", 200))), `1 200`},
		"not a number":                {`%(s)05d|%(b)d|%(t)5.1f|%(d)d`, lineOf(t, attrs(slog.String("s", "long text"), slog.Bool("b", true), slog.Time("t", time.Unix(0, 0).UTC()), slog.Duration("d", time.Second))), `long text|true|1970-01-01T00:00:00Z|1s`},
		"not finite":                  {`|%(n)05d|%(p)+.1f|%(m)06.1f|%(n)+g`, lineOf(t, attrs(slog.Float64("n", math.NaN()), slog.Float64("p", math.Inf(1)), slog.Float64("m", math.Inf(-1)))), `|  NaN|+Inf|  -Inf|+NaN`},
		"large numbers":               {`%(u)d %(i)d %(f)d`, lineOf(t, attrs(slog.Uint64("u", math.MaxUint64), slog.Int64("i", math.MinInt64), slog.Float64("f", -1e15))), `18446744073709551615 -9223372036854775808 -1000000000000000`},
		"bytes and text":              {`%(b)s %(s)s %(s).3s`, lineOf(t, attrs(slog.Any("b", []byte("a\x00\xff")), slog.String("s", "a\nbc\x1b"))), `a\x00\xff a\nbc\x1b a` + `\nb`},
		"runes":                       {`%(message)-6s|%(message)6s|%(message).2s|`, lineOf(t, record.Entry{Message: "né☃😀"}), `né☃😀  |  né☃😀|né|`},
		"bytes that are no runes":     {`%(message).2s|%(message)9s`, lineOf(t, record.Entry{Message: "\xff\xfea"}), `\xff\xfe|\xff\xfea`},
		"root logger":                 {`%(name)s %(name).2s %(name)6s`, lineOf(t, attrs()), `root ro   root`},
		"unknown source":              {`[%(pathname)s%(filename)s%(module)s%(funcName)s%(lineno)d%(processName)s%(threadName)s]`, lineOf(t, attrs()), `[0]`},
		"odd files":                   {`%(filename)s %(module)s`, lineOf(t, record.Entry{Source: record.Source[string]{File: "/a.b/.rc"}}), `.rc .rc`},
		"raw":                         {`%(name)s %(levelname)s %(message)s %(attrs)s %(trial)s.`, newLine(record.Raw([]byte("hello"))), `root INFO hello .`},
	}
	for name, c := range cases {
		if got := string(textOf(t, c.layout).Append(nil, c.line)); got != c.want+"\n" {
			t.Errorf("%s:\ngot  %qwant %q", name, got, c.want)
		}
	}
}

func TestLayoutsEscapeWhatARecordBrings(t *testing.T) {
	t.Parallel()
	const evil, harmless = "a\n" + stamp + "\r\x1b\u2028\xff", `a\n` + stamp + `\r\x1b\u2028\xff`
	l := lineOf(t, record.Entry{
		Logger: evil, Process: evil, Thread: evil, Level: record.CustomLevel[string]{Scale: record.ScalePython, Name: evil},
		Source: record.Source[string]{File: evil, Function: evil}, Attrs: []slog.Attr{slog.String("k", evil), slog.Any("err", errors.New(evil))},
	})
	l.Origin.Worker, l.Event = evil, evil
	for _, name := range []string{"name", "levelname", "pathname", "filename", "module", "funcName", "processName", "threadName", "worker", "event", "k", "err"} {
		if got := string(textOf(t, "%("+name+")s|").Append(nil, l)); got != harmless+"|\n" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestLayoutsShowLevelsAsPythonNumbersThem(t *testing.T) {
	t.Parallel()
	f := textOf(t, `%(levelname)s %(levelno)d`)
	for _, c := range []struct {
		level record.Level
		own   record.CustomLevel[string]
		want  string
	}{
		{level: record.LevelDebug, want: "DEBUG 10"},
		{level: record.LevelInfo, want: "INFO 20"},
		{level: record.LevelWarning, want: "WARNING 30"},
		{level: record.LevelError, want: "ERROR 40"},
		{level: record.LevelCritical, want: "CRITICAL 50"},
		{level: 2, want: "Level 21 21"},
		{level: 5, want: "INFO+1 22"}, // 22.5
		{level: -5, want: "DEBUG+3 17"},
		{own: record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "NOTICE"}, want: "NOTICE 25"},
		{own: record.CustomLevel[string]{Scale: record.ScalePython, Number: -7}, want: "Level -7 -7"},
		{own: record.CustomLevel[string]{Scale: record.ScaleSlog, Number: 10012}, want: "CRITICAL+10000 25050"},
	} {
		l := lineOf(t, record.Entry{Level: c.own})
		l.Level = c.level
		if got := string(f.Append(nil, l)); got != c.want+"\n" {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestDefaultLayoutIsWhatItSays(t *testing.T) {
	t.Parallel()
	spelled := NewText(time.UTC)
	var err error
	if spelled.steps, err = parseLayout(DefaultLayout, defaultTimeFormat); err != nil {
		t.Fatal(err)
	}
	if textOf(t, DefaultLayout).steps != nil {
		t.Error("not written in the fast way")
	}
	lines := benchLines(t)
	lines["several"] = lineOf(t, record.Entry{Message: "a\nb\n", Stack: "s\nt", Attrs: []slog.Attr{slog.Int("n", 1)}})
	lines["posing"] = lineOf(t, record.Entry{Logger: OwnLogger})
	for name, l := range lines {
		if got, want := string(spelled.Append(nil, l)), text(l); got != want {
			t.Errorf("%s:\ngot  %qwant %q", name, got, want)
		}
	}
}

func TestLayoutsKeepTheFurtherLinesOfARecordApart(t *testing.T) {
	t.Parallel()
	e := record.Entry{Message: "a\nb\n", Traceback: "Traceback:\n  File\n", Stack: "S"}
	got := string(textOf(t, `%(levelname)s:%(message)s:`).Append(nil, lineOf(t, e)))
	if want := "INFO:a\n    b:\n    Traceback:\n      File\n    S\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A line that begins with a space would pass for one of the record above.
func TestNoRecordCanMakeALineStartWithASpace(t *testing.T) {
	t.Parallel()
	for layout, want := range map[string]string{
		`%(message)s`:           `\x20   forged`,
		`%(study)s %(message)s`: `\x20    forged`,
		`%(message)-9s|`:        `\x20   forged|`,
		`%(attrs)s`:             ``,
	} {
		got := string(textOf(t, layout).Append([]byte("before\n"), lineOf(t, record.Entry{Message: "    forged"})))
		if got != "before\n"+want+"\n" {
			t.Errorf("%s: got %q", layout, got)
		}
	}
}

func TestNobodyPassesForRinglogItself(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ layout, logger, want string }{
		{`%(name)s`, "ringlog", `\x72inglog`},
		{`%(name)s`, "ringlog ", `\x72inglog `},
		{`[%(name)9s]`, " ringlog", `[ \x72inglog]`},
		{`[%(name)s]`, "\t\u200bringlog", "[\t\u200b\\x72inglog]"},
		{`%(name)s|%(levelname)s`, "ringlog|WARNING|lost 5 records", `\x72inglog|WARNING|lost 5 records|INFO`},
		{`%(name)s`, "ringlog\u00a0", "\\x72inglog\u00a0"},
		{`%(name).7s`, "ringlogistics", `\x72inglog`},
		{`%(name).4s`, "ringer", `\x72ing`},
		{`%(name)-9.4s|`, "ring", `\x72ing  |`},
		{`[%(name).0s]`, "ringlog", `[]`},
		{`%(name)s`, "ringlog.reader", `ringlog.reader`},
		{`%(name)s`, "ringlogistics", `ringlogistics`},
		{`%(name)s`, "ringlogé", `ringlogé`},
		{`%(name)s`, "my.ringlog", `my.ringlog`},
		{`%(name)s`, "ringlo", `ringlo`},
	} {
		l := lineOf(t, record.Entry{Logger: c.logger})
		if got := string(textOf(t, c.layout).Append(nil, l)); got != c.want+"\n" {
			t.Errorf("%s of %q: got %q, want %q", c.layout, c.logger, got, c.want)
		}
	}
	own := lineOf(t, record.Entry{Logger: OwnLogger, Message: "lost"})
	own.Event = "lost"
	if got := string(textOf(t, `%(name)s %(event)s`).Append(nil, own)); got != "ringlog lost\n" {
		t.Errorf("own: %q", got)
	}
	taken := lineOf(t, record.Entry{Attrs: []slog.Attr{slog.String("event", "lost")}})
	if got := string(textOf(t, `[%(event)s]`).Append(nil, taken)); got != "[]\n" {
		t.Errorf("an attribute passes for what ringlog reports: %q", got)
	}
	if got := text(lineOf(t, record.Entry{Logger: "ringlog - WARNING - lost 5 records"})); !strings.Contains(got, ` - \x72inglog - WARNING - lost`) {
		t.Errorf("in the default layout: %q", got)
	}
}

func TestLayoutsThatCannotBeHadAreRefused(t *testing.T) {
	t.Parallel()
	const letters = `want s, d, f, e or g behind it`
	for layout, want := range map[string]string{
		`no fields`:                        `has no field, such as %(message)s`,
		`100%%`:                            `has no field, such as %(message)s`,
		`{asctime} {message}`:              `has no field: the styles { and $ are not known here, write %(message)s`,
		`${message}`:                       `has no field: the styles { and $ are not known here, write %(message)s`,
		`%(message)s %`:                    `has a % that begins no field at its byte 13: want %(name)s, or %% for a percent sign`,
		`%s`:                               `has a % that begins no field at its byte 1: want %(name)s, or %% for a percent sign`,
		`%()s`:                             `has a % that begins no field at its byte 1: want %(name)s, or %% for a percent sign`,
		`50% %(message)s`:                  `has a % that begins no field at its byte 3: want %(name)s, or %% for a percent sign`,
		`%(message`:                        `has a % that begins no field at its byte 1: want %(name)s, or %% for a percent sign`,
		`%(message)`:                       `ends within the field %(message)s: ` + letters,
		`%(message)-10`:                    `ends within the field %(message)s: ` + letters,
		`%(message)x`:                      `has 'x' behind the field %(message): want s, d, f, e or g, and before it no more than flags (-, 0, +), a width, and a point and a precision`,
		`%(message)#s`:                     `has '#' behind the field %(message): want s, d, f, e or g, and before it no more than flags (-, 0, +), a width, and a point and a precision`,
		`%(message)*s`:                     `has '*' behind the field %(message): want s, d, f, e or g, and before it no more than flags (-, 0, +), a width, and a point and a precision`,
		`%(message).s`:                     `has no number behind the point in the field %(message)s`,
		`%(message)1001s`:                  `has a width over 1000 in the field %(message)s`,
		`%(message).99999999999999999999s`: `has a precision over 1000 in the field %(message)s`,
		`%(message)d`:                      `shows message as a number: it is text, want %(message)s`,
		`%(attrs)f`:                        `shows attrs as a number: it is text, want %(attrs)s`,
		"%(message)s\n":                    `has characters that cannot be shown, such as a newline or a tab`,
		"%(a\tb)s":                         `has characters that cannot be shown, such as a newline or a tab`,
		"\u2028%(message)s":                `has characters that cannot be shown, such as a newline or a tab`,
		"%(message)s\xff":                  `has characters that cannot be shown, such as a newline or a tab`,
		` %(message)s`:                     `would begin lines with spaces, which tell the further lines of a record: begin with something else, or put the first field to the left, as in %(levelname)-8s`,
		`%(levelname)8s`:                   `would begin lines with spaces, which tell the further lines of a record: begin with something else, or put the first field to the left, as in %(levelname)-8s`,
		`%(levelname)08s`:                  `would begin lines with spaces, which tell the further lines of a record: begin with something else, or put the first field to the left, as in %(levelname)-8s`,
		`%(relativeCreated)d`:              `has the field %(relativeCreated)s, which records do not have: it counts from when logging was imported into the process: use %(created)f, the time in seconds since 1970`,
		`%(thread)d`:                       `has the field %(thread)s, which records do not have: use %(threadName)s`,
		`%(taskName)s`:                     `has the field %(taskName)s, which records do not have: log it as an attribute of another name`,
		`%(msg)s`:                          `has the field %(msg)s, which records do not have: use %(message)s, in which its arguments are`,
		`%(exc_text)s`:                     `has the field %(exc_text)s, which records do not have: tracebacks and stacks follow on lines of their own, whatever the layout`,
	} {
		_, err := New(Options{Layout: layout})
		if err == nil {
			t.Errorf("%q is accepted", layout)
			continue
		}
		quoted, _ := strings.CutPrefix(err.Error(), "format: layout ")
		if !strings.HasSuffix(quoted, `" `+want) {
			t.Errorf("%q:\ngot  %s\nwant … %s", layout, quoted, want)
		}
	}
	if _, err := New(Options{TimeFormat: "%e %B"}); err == nil || !strings.Contains(err.Error(), "begin lines with spaces") {
		t.Errorf("a time that may begin with a space: %v", err)
	}
	for _, layout := range []string{`{"m":"%(message)s"}`, `$%(price)d`, `%(lineno)04d`, `%(levelname)-8s`} {
		if _, err := New(Options{Layout: layout}); err != nil {
			t.Errorf("%s: %v", layout, err)
		}
	}
}
