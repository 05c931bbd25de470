package e2e

import (
	"encoding/csv"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// lnav runs the log viewer without a terminal, in folders of the test's own.
type lnav struct{ dir string }

func newLnav(t *testing.T) *lnav {
	t.Helper()
	if _, err := exec.LookPath("lnav"); err != nil {
		t.Skip("not tested: lnav is missing, apt-get install lnav has it")
	}
	v := &lnav{t.TempDir()}
	// What users do once.
	v.run(t, "-i", filepath.Join("..", "docs", "lnav", "ringlog.json"))
	return v
}

func (v *lnav) run(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "lnav", args...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "HOME=" + v.dir, "XDG_CONFIG_HOME=" + v.dir, "TMPDIR=" + v.dir}
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil || strings.Contains(said.String(), "error") {
		t.Fatalf("lnav %q: %v: %s%s", args, err, said.String(), out)
	}
	return string(out)
}

// read returns what lnav makes of a file's messages: format, time, level and body.
func (v *lnav) read(t *testing.T, file string) [][]string {
	t.Helper()
	out := v.run(t, "-n", "-c", ";SELECT log_format, log_time, log_level, log_body FROM all_logs ORDER BY log_line", "-c", ":write-csv-to -", file)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return rows[1:]
}

// The names of loggers and the words of messages here are those of levels, which lnav
// takes for levels where it does not know the format.
func TestLnavKnowsTimesAndLevelsOfTextAndJSON(t *testing.T) {
	t.Parallel()
	v := newLnav(t)
	const traceback = "Traceback (most recent call last):\n  File \"x.py\", line 3, in f\nDEBUG: ValueError"
	start := time.Date(2026, 11, 23, 18, 47, 1, 123_456_789, time.UTC)
	var lines []*format.Line
	add := func(level record.Level, e record.Entry) {
		size, err := e.Size()
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, size)
		if err := e.Encode(payload); err != nil {
			t.Fatal(err)
		}
		r, err := record.Decode(payload)
		if err != nil {
			t.Fatal(err)
		}
		at := start.Add(time.Duration(len(lines)) * 1001 * time.Millisecond)
		lines = append(lines, &format.Line{
			Time: at.UnixNano(), Level: level, Record: r, Seq: uint64(len(lines) + 1), Position: 64 * uint64(len(lines)),
			Origin: &format.Origin{Worker: "w-1", PID: 4711},
		})
	}
	attrs := []slog.Attr{slog.Int("trial", 1742), slog.String("why", "no ERROR")}
	add(record.LevelDebug, record.Entry{Logger: "errors", Message: "a - CRITICAL - b", Attrs: attrs})
	add(record.LevelInfo, record.Entry{Message: "fatal"})
	add(record.LevelWarning, record.Entry{Logger: "trades.fx", Message: "first\nsecond: ERROR\n\nthird", Attrs: attrs})
	add(record.LevelError, record.Entry{Logger: "debug", Message: "failed", Attrs: attrs, Traceback: traceback})
	add(record.LevelCritical, record.Entry{Logger: "info errors", Message: "", Stack: "Stack:\n  f"})
	add(record.LevelInfo+5, record.Entry{Logger: "info", Message: "between"})
	add(record.LevelWarning, record.Entry{Logger: format.OwnLogger, Message: "lost 3 records (full)"})
	lines[len(lines)-1].Event = "lost"

	want := [][]string{ // time, level, body
		{"2026-11-23 18:47:01.123", "debug", "a - CRITICAL - b"},
		{"2026-11-23 18:47:02.124", "info", "fatal"},
		{"2026-11-23 18:47:03.125", "warning", "first\nsecond: ERROR\n\nthird"},
		{"2026-11-23 18:47:04.126", "error", "failed"},
		{"2026-11-23 18:47:05.127", "critical", ""},
		{"2026-11-23 18:47:06.128", "info", "between"},
		{"2026-11-23 18:47:07.129", "warning", "lost 3 records (full)"},
	}
	file := func(name string) string {
		f, err := format.New(format.Options{Name: name, Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		var text []byte
		for _, l := range lines {
			text = f.Append(text, l)
		}
		path := filepath.Join(t.TempDir(), "app.log")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}

	mustSee(t, v.read(t, file("json")), "ringlog_json", want)
	want[0][2] += ` trial=1742 why="no ERROR"`
	want[2][2] = strings.ReplaceAll(want[2][2], "\n", "\n    ") + ` trial=1742 why="no ERROR"`
	want[3][2] += ` trial=1742 why="no ERROR"` + "\n    " + strings.ReplaceAll(traceback, "\n", "\n    ")
	want[4][2] += "\n    Stack:\n      f"
	mustSee(t, v.read(t, file("text")), "ringlog_text", want)
}

// mustSee compares what lnav made of a file, row by row, with what it should.
func mustSee(t *testing.T, rows [][]string, form string, want [][]string) {
	t.Helper()
	for i, row := range rows {
		if i >= len(want) || !slices.Equal(row, append([]string{form}, want[i]...)) {
			t.Errorf("%s: message %d is %q, want %q", form, i, row, want[min(i, len(want)-1)])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%s: %d messages, want %d", form, len(rows), len(want))
	}
}
