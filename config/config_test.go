package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for zones where the system has none

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/schedule"
	"github.com/ringlog/ringlog/upkeep"
)

// parse parses text that has no mistake.
func parse(t *testing.T, text string, o Overrides) *Config {
	t.Helper()
	c, err := Parse("f", []byte(text), o)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return c
}

func parseSchedule(t *testing.T, text string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryKeyFillsItsPlace(t *testing.T) {
	t.Parallel()
	c := parse(t, `
timezone: Europe/Berlin
sync: interval
sync_every: 2s
grace: 5ms
max_open_files: 7
metrics: localhost:9464
log_format: json
outputs:
  - path: logs/{study}.log
    loggers: [orders, trades]
    attrs: {study: wf, trial: 017}
    level: info+2
    format: text
    layout: "%(message)s"
    time_format: "%H"
    rotate: {size: 1GiB, clock: daily 03:30}
    keep: {count: 14, age: 30d, size: 10GiB}
    compress: zstd
    hook: {command: [ship, --fast, ""], timeout: 1m}
  - path: b
    format: json
    json_fields: {time: ts, event: ""}
`, Overrides{})
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Options: reader.Options{
			Outputs: []reader.Output{{
				Path:     "logs/{study}.log",
				Level:    record.LevelInfo + 10,
				Loggers:  []string{"orders", "trades"},
				Attrs:    []reader.AttrMatch{{Key: "study", Value: "wf"}, {Key: "trial", Value: "017"}},
				Format:   format.Options{Name: "text", Layout: "%(message)s", TimeFormat: "%H"},
				Rotation: reader.Rotation{Size: 1 << 30, Clock: parseSchedule(t, "daily 03:30")},
				Rotated: upkeep.Settings{
					Keep:        logfile.Retention{Count: 14, Age: 30 * 24 * time.Hour, Size: 10 << 30},
					Compression: logfile.Zstd,
					Hook:        upkeep.Hook{Command: []string{"ship", "--fast", ""}, Timeout: time.Minute},
				},
			}, {
				Path:     "b",
				Format:   format.Options{Name: "json", Fields: format.Fields{Names: map[string]string{"time": "ts", "event": ""}}},
				Rotation: reader.Rotation{Size: DefaultMaxSize},
			}},
			MaxOpenFiles: 7,
			Location:     berlin,
			Grace:        5 * time.Millisecond,
			Sync:         reader.SyncInterval,
			SyncEvery:    2 * time.Second,
		},
		Metrics:   "localhost:9464",
		LogFormat: "json",
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v\nwant\n%+v", c, want)
	}
}

func TestDefaultsHoldWhereAnOutputSaysNothing(t *testing.T) {
	t.Parallel()
	c := parse(t, `
defaults:
  level: warning
  format: logfmt
  rotate: {size: 1MiB, clock: hourly}
  keep: {count: 14}
  compress: gzip
  hook: {command: [ship]}
outputs:
  - path: a
  - {path: b, level: debug, format: json, rotate: {clock: daily}, keep: {age: 1d}, compress: none, hook: {command: [mail], timeout: 1s}}
  - {path: c, rotate: never, keep: all, hook: none}
`, Overrides{})
	own := upkeep.Hook{Command: []string{"mail"}, Timeout: time.Second}
	ship := upkeep.Hook{Command: []string{"ship"}}
	for i, want := range []reader.Output{{
		Path: "a", Level: record.LevelWarning, Format: format.Options{Name: "logfmt"},
		Rotation: reader.Rotation{Size: 1 << 20, Clock: parseSchedule(t, "hourly")},
		Rotated:  upkeep.Settings{Keep: logfile.Retention{Count: 14}, Compression: logfile.Gzip, Hook: ship},
	}, {
		// Of rotate and keep nothing of the defaults is left.
		Path: "b", Level: record.LevelDebug, Format: format.Options{Name: "json"},
		Rotation: reader.Rotation{Clock: parseSchedule(t, "daily")},
		Rotated:  upkeep.Settings{Keep: logfile.Retention{Age: 24 * time.Hour}, Hook: own},
	}, {
		Path: "c", Level: record.LevelWarning, Format: format.Options{Name: "logfmt"},
		Rotated: upkeep.Settings{Compression: logfile.Gzip},
	}} {
		if got := c.Outputs[i]; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	}
}

func TestDefaultsThatDoNotFitAnOutputDoNotConcernIt(t *testing.T) {
	t.Parallel()
	c := parse(t, `
defaults:
  layout: "%(message)s"
  time_format: "%H"
  json_fields: ecs
  rotate: {clock: hourly}
  keep: {count: 1}
  compress: gzip
  hook: {command: [ship]}
outputs: [{path: a}, {path: b, format: json}, {path: c, format: raw}, {path: "-"}, {path: stderr, format: logfmt}]
`, Overrides{})
	for i, want := range []format.Options{
		{Name: "text", Layout: "%(message)s", TimeFormat: "%H"},
		{Name: "json", Fields: format.Fields{Set: "ecs"}},
		{Name: "raw"},
		{Name: "text", Layout: "%(message)s", TimeFormat: "%H"},
		{Name: "logfmt"},
	} {
		out := c.Outputs[i]
		if !reflect.DeepEqual(out.Format, want) {
			t.Errorf("%s: %+v, want %+v", out.Path, out.Format, want)
		}
		if files, rotated := i < 3, out.Rotation != (reader.Rotation{}) && out.Rotated.Keep.Count == 1; files != rotated {
			t.Errorf("%s: %+v, %+v", out.Path, out.Rotation, out.Rotated)
		}
	}
}

func TestAFileThatSaysNothingElseHasWhatTheFlagsHaveByDefault(t *testing.T) {
	t.Parallel()
	want := &Config{Options: reader.Options{Outputs: []reader.Output{{
		Path: "a", Format: format.Options{Name: "text"}, Rotation: reader.Rotation{Size: 100 << 20},
	}}}}
	if c := parse(t, one, Overrides{}); !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
}

func TestFlagsGoBeforeTheFileAndBehindWhatAnOutputSays(t *testing.T) {
	t.Parallel()
	const text = `
timezone: UTC
sync: batch
sync_every: 9s
metrics: :1
log_format: text
defaults: {format: logfmt, rotate: {size: 1, clock: hourly}, keep: {count: 1, age: 1d}}
outputs: [{path: a}, {path: b, format: raw, rotate: {size: 2}, keep: {size: 3}}]
`
	size, keep, sync, metrics := int64(5), 6, reader.SyncInterval, ""
	o := Overrides{
		Format: "json", MaxSize: &size, Keep: &keep,
		Location: time.Local, Sync: &sync, SyncEvery: time.Second, Metrics: &metrics, LogFormat: "json",
	}
	c := parse(t, text, o)
	if c.Location != time.Local || c.Sync != sync || c.SyncEvery != time.Second || c.Metrics != "" || c.LogFormat != "json" {
		t.Errorf("%+v", c)
	}
	defaults := reader.Output{
		Path: "a", Format: format.Options{Name: "json"},
		Rotation: reader.Rotation{Size: 5, Clock: parseSchedule(t, "hourly")},
		Rotated:  upkeep.Settings{Keep: logfile.Retention{Count: 6, Age: 24 * time.Hour}},
	}
	own := reader.Output{
		Path: "b", Format: format.Options{Name: "raw"},
		Rotation: reader.Rotation{Size: 2}, Rotated: upkeep.Settings{Keep: logfile.Retention{Size: 3}},
	}
	if want := []reader.Output{defaults, own}; !reflect.DeepEqual(c.Outputs, want) {
		t.Errorf("%+v\nwant\n%+v", c.Outputs, want)
	}

	// Those of the flags have the defaults, too, but what they say themselves.
	o.Outputs = []reader.Output{{Path: "c", Loggers: []string{"x"}, Level: slog.LevelWarn, Attrs: []reader.AttrMatch{{Key: "k", Value: "v"}}}}
	want := defaults
	want.Path, want.Loggers, want.Level, want.Attrs = "c", o.Outputs[0].Loggers, slog.LevelWarn, o.Outputs[0].Attrs
	for _, text := range []string{text, "defaults: {level: error, format: logfmt, rotate: {size: 1, clock: hourly}, keep: {count: 1, age: 1d}}"} {
		if c := parse(t, text, o); !reflect.DeepEqual(c.Outputs, []reader.Output{want}) {
			t.Errorf("%+v\nwant\n%+v", c.Outputs, want)
		}
	}
	// A flag of 0 is no bound, and no flag is none either.
	size, keep = 0, 0
	c = parse(t, one, Overrides{MaxSize: &size, Keep: &keep})
	if out := c.Outputs[0]; out.Rotation != (reader.Rotation{}) || out.Rotated.Keep != (logfile.Retention{}) {
		t.Errorf("%+v", out)
	}
	if _, err := Parse("f", []byte("outputs: [{path: a, layout: '%(message)s'}]"), o); err == nil ||
		err.Error() != `f:1:21: "layout" is for format text, and output 1 is json: leave it out, or say format: text` {
		t.Errorf("a layout of its own, and the flag's json: %v", err)
	}
	if _, err := Parse("f", []byte("outputs: [{path: a, formt: json}]"), o); err == nil {
		t.Error("outputs of flags hide the mistakes of the file")
	}
}

func TestTextIsTakenAsItIsWritten(t *testing.T) {
	t.Parallel()
	c := parse(t, `
outputs:
  - {path: 017, attrs: {a: 1.50, b: yes, c: 0x10, d: 1_000, e: true, f: .inf, 7: "", "null": 'null', g: 2026-01-01, "é": "é"}}
  - path: ./{{x}}.log
    layout: >-
      %(name)s
      %(message)s
  - path: &p x
    loggers: [*p]
`, Overrides{})
	var got strings.Builder
	for _, a := range c.Outputs[0].Attrs {
		got.WriteString(a.Key + "=" + a.Value + " ")
	}
	if want := "a=1.50 b=yes c=0x10 d=1_000 e=true f=.inf 7= null=null g=2026-01-01 é=é "; got.String() != want {
		t.Errorf("%s, want %s", got.String(), want)
	}
	if c.Outputs[0].Path != "017" || c.Outputs[1].Path != "./{{x}}.log" || c.Outputs[1].Format.Layout != "%(name)s %(message)s" || c.Outputs[2].Loggers[0] != "x" {
		t.Errorf("%+v", c.Outputs)
	}
}

func TestOtherFormsOfTheSameFileAreAccepted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"---\n" + one,
		"\ufeff" + one,
		one + "...\n",
		strings.ReplaceAll("sync: none\n"+one, "\n", "\r\n"),
		`{"outputs": [{"path": "a"}]}`,
		"outputs:\n- path:\ta\n",
		one + "# a\ttab\n",
		"outputs:\n  - path: a\n    keep: &k {count: 1}\n  - path: b\n    keep: *k\n",
		`outputs: [{path: a, format: json, json_fields: {time: msg, msg: time}}]`,
		`outputs: [{path: stderr}, {path: ./stderr}, {path: "-"}, {path: ./-}, {path: ./stdout}, {path: "{a}"}, {path: "{{a}}"}]`,
	} {
		parse(t, text, Overrides{})
	}
}

func TestTimesHaveDaysAndWeeks(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"30d": 30 * day, "2w": 14 * day, "1w2d3h": 9*day + 3*time.Hour, "1d12h30m": day + 12*time.Hour + 30*time.Minute,
		"500ms": 500 * time.Millisecond, "1.5h": 90 * time.Minute, "0d1s": time.Second, "106751d": 106751 * day,
	} {
		if got, err := duration(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "0d", "d", "-1d", "1d-1h", "1.5d", "1d2w", "3", "1y", "106752d", "15251w", "106751d24h", "1 d", "+1d", "1dd"} {
		if got, err := duration(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func TestLoadReadsFilesAndSaysWhichItCannot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "ringlog.yaml")
	for _, c := range []struct{ text, want string }{
		{one, ""},
		{"sync: often\n" + one, path + `:1:7: sync: unknown sync policy "often"; want none, interval or batch`},
		{strings.Repeat("#", maxBytes+1), path + ": it has more than 1 MiB: is this a configuration file?"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := Load(path, Overrides{}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	for path, want := range map[string]string{
		dir:                        "configuration: read " + dir + ": is a directory",
		filepath.Join(dir, "none"): "configuration: open " + filepath.Join(dir, "none") + ": no such file or directory",
		"/dev/zero":                "/dev/zero: it has more than 1 MiB: is this a configuration file?",
	} {
		if _, err := Load(path, Overrides{}); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
