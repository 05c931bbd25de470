package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
)

func newFormat(t *testing.T, name string) format.Formatter {
	t.Helper()
	f, err := format.New(format.Options{Name: name, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFormattedLogHasLevelMessageAndAttributes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"text":   `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ringlog - WARNING - output trouble: a; b k=1 g\.e="no room" g\.n=2\n$`,
		"json":   `^\{"time":"[^"]+","level":"WARNING","logger":"ringlog","msg":"output trouble: a; b","worker":"ringlog",.*"event":"message".*"attrs":\{"k":1,"g":\{"e":"no room","n":2\}\}.*\}\n$`,
		"logfmt": `^time=\S+ level=WARNING logger=ringlog msg="output trouble: a; b" .*event=message.* k=1 g\.e="no room" g\.n=2.*\n$`,
		"raw":    `^output trouble: a; b\n$`,
	} {
		var b bytes.Buffer
		NewFormattedLog(&b, newFormat(t, name)).With("k", 1).WithGroup("g").With("e", errors.New("no room")).
			Warn("reader: output trouble: a\nb", "n", 2)
		if !regexp.MustCompile(want).Match(b.Bytes()) {
			t.Errorf("%s: %q", name, b.String())
		}
	}
}

func TestFormattedLogMovesNoCursorAndMakesNoSecondLine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"text", "json", "logfmt", "raw"} {
		var b bytes.Buffer
		NewFormattedLog(&b, newFormat(t, name)).Error("a\x1b[2J\nb\r\u202e", "k\n\x1b", "v\n\x1b\u202e")
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.ContainsAny(line, "\n\r\x1b\u202e") || !strings.Contains(line, "; b") {
			t.Errorf("%s: %q", name, b.String())
		}
	}
}

// jsonLine is what is looked at of a line.
type jsonLine struct {
	Level, Logger, Event, Worker, ID, Msg string
	PID                                   int
	Seq                                   uint64
	Attrs                                 map[string]any
}

func decode(t *testing.T, text []byte) (list []jsonLine) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var l jsonLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, l)
	}
	return list
}

func TestFormattedLogNumbersItsLinesAndGivesThemIDs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	for range 2 {
		log := NewFormattedLog(&b, newFormat(t, "json"))
		log.Info("a")
		log.With("k", "v").Info("b")
	}
	ids := map[string]bool{}
	for i, l := range decode(t, b.Bytes()) {
		if l.Seq != uint64(i%2+1) || l.PID != os.Getpid() || l.Worker != "ringlog" || l.Event == "" || l.Level != "INFO" {
			t.Errorf("%+v", l)
		}
		ids[l.ID] = true
	}
	if len(ids) != 4 {
		t.Errorf("ids %v", ids)
	}
}

func TestFormattedLogShowsEveryLevelOfSlog(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := NewFormattedLog(&b, newFormat(t, "json"))
	want := []string{"DEBUG", "INFO+2", "CRITICAL", "CRITICAL+99992"}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo + 2, 12, 100004} {
		log.Log(t.Context(), level, "m")
	}
	for i, l := range decode(t, b.Bytes()) {
		if l.Level != want[i] {
			t.Errorf("%s, want %s", l.Level, want[i])
		}
	}
}

func TestFormattedLogKeepsTheMessageWhereAttributesCannotBeHad(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := NewFormattedLog(&b, newFormat(t, "json"))
	key := strings.Repeat("k", 1<<17)
	log.Info("kept", key, 1)
	log.With(key, 1).Info("kept", "k", 1)
	lines := decode(t, b.Bytes())
	if len(lines) != 2 {
		t.Fatalf("%+v", lines)
	}
	for _, l := range lines {
		if l.Msg != "kept" || l.Logger != "ringlog" || l.Event == "" || len(l.Attrs) > 0 {
			t.Errorf("%+v", l)
		}
	}
}

func TestFormattedLogOfManyGoroutinesHasWholeLines(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer // not for several goroutines at once by itself
	log := NewFormattedLog(&b, newFormat(t, "json"))
	var all sync.WaitGroup
	for i := range 8 {
		log := log.With("goroutine", i)
		all.Go(func() {
			for n := range 50 {
				log.Info(fmt.Sprint(i, "-", n))
			}
		})
	}
	all.Wait()
	lines := decode(t, b.Bytes())
	if len(lines) != 400 {
		t.Errorf("%d lines", len(lines))
	}
	for i, l := range lines {
		if l.Seq != uint64(i+1) || !strings.HasPrefix(l.Msg, fmt.Sprint(l.Attrs["goroutine"])) {
			t.Errorf("line %d: %+v", i, l)
		}
	}
}
