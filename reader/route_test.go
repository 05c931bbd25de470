//go:build linux

package reader

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

func TestEachRecordGoesToEveryOutputThatWantsItsLogger(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	p := attach(t, path, "w")
	for _, logger := range []string{"trades", "trades.fx", "tradesx", "trade", "app", ""} {
		logTo(t, p, logger, "of "+logger)
	}
	say(t, p, "raw")
	all, trades, fx := filepath.Join(dir, "all.log"), filepath.Join(dir, "trades.log"), filepath.Join(dir, "fx.log")
	st, _ := drain(t, path, Options{Outputs: []Output{
		{Path: all, Format: format.Options{Name: "json"}},
		{Path: trades, Loggers: []string{"trades"}, Format: format.Options{Name: "raw"}},
		{Path: fx, Loggers: []string{"trades.fx"}, Format: format.Options{Name: "raw"}},
	}})
	if st.Records != 7 || st.Unrouted != 0 {
		t.Errorf("%d records, %d taken by no output", st.Records, st.Unrouted)
	}
	if got := short(t, readFile(t, all)); got != "of trades\nof trades.fx\nof tradesx\nof trade\nof app\nof \nraw\n" {
		t.Errorf("all: %q", got)
	}
	if got := readFile(t, trades); got != "of trades\nof trades.fx\n" {
		t.Errorf("trades: %q", got)
	}
	if got := readFile(t, fx); got != "of trades.fx\n" {
		t.Errorf("trades.fx: %q", got)
	}
}

func TestRecordsThatNoOutputWantsAreCounted(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p := attach(t, path, "w")
	for _, logger := range []string{"trades", "trades", "app", ""} {
		logTo(t, p, logger, "of "+logger)
	}
	out := filepath.Join(t.TempDir(), "x.log")
	st, _ := drain(t, path, Options{Outputs: []Output{{Path: out, Loggers: []string{"app"}}, {Path: out + "2", Loggers: []string{"app"}}}})
	if st.Records != 4 || st.Unrouted != 3 {
		t.Errorf("%d records, %d taken by no output; want 4 and 3", st.Records, st.Unrouted)
	}
}

func TestOutputsHaveTheirOwnFormats(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	logTo(t, attach(t, path, "w1"), "app", "hello")
	file := func(name string) string { return filepath.Join(dir, name) }
	drain(t, path, Options{
		Outputs:  []Output{{Path: file("text")}, {Path: file("json"), Format: format.Options{Name: "json"}}, {Path: file("raw"), Format: format.Options{Name: "raw"}}},
		Location: time.UTC,
	})
	if got := readFile(t, file("text")); !strings.HasSuffix(got, " - app - INFO - hello\n") {
		t.Errorf("text: %q", got)
	}
	if e := parse(t, readFile(t, file("json"))); len(e) != 1 || e[0].Msg != "hello" || e[0].Worker != "w1" {
		t.Errorf("json: %+v", e)
	}
	if got := readFile(t, file("raw")); got != "hello\n" {
		t.Errorf("raw: %q", got)
	}
}

func TestMarkersGoToOutputsForAllLoggersAndNeverToRawOnes(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	p := attach(t, path, "w")
	say(t, p, "hello")
	operate(t, path).kill(p)
	file := func(name string) string { return filepath.Join(dir, name) }
	_, said := drain(t, path, Options{Outputs: []Output{
		{Path: file("raw"), Format: format.Options{Name: "raw"}},
		{Path: file("trades"), Loggers: []string{"trades"}, Format: format.Options{Name: "json"}},
		{Path: file("json"), Format: format.Options{Name: "json"}},
	}})
	for name, want := range map[string]string{"raw": "hello\n", "trades": ""} {
		if got := readFile(t, file(name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := short(t, readFile(t, file("json"))); got != "hello\n[vanished]\n" {
		t.Errorf("json: %q", got)
	}
	if said.count("vanished") != 0 {
		t.Error("a marker that is in an output was said too")
	}
}

func TestMarkersAreSaidWhenNoOutputTakesThem(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p := attach(t, path, "w")
	say(t, p, "hello")
	operate(t, path).kill(p)
	_, said := drain(t, path, Options{Outputs: []Output{{Path: filepath.Join(t.TempDir(), "raw"), Format: format.Options{Name: "raw"}}}})
	if said.count("vanished") != 1 {
		t.Errorf("said %q", said.String())
	}
}

func TestOutputGetsTheRecordsThatHaveItsAttributes(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	p := attach(t, path, "w")
	for n := range 4 {
		for _, logger := range []string{"orders", "trades"} {
			e := record.Entry{Logger: logger, Message: fmt.Sprint(logger, n), Attrs: []slog.Attr{slog.String("study", "wf"), slog.Int("trial", n%2)}}
			n, err := e.Size()
			if err != nil {
				t.Fatal(err)
			}
			payload := make([]byte, n)
			if err := e.Encode(payload); err != nil {
				t.Fatal(err)
			}
			if err := p.Append(payload, int16(record.LevelInfo), ring.KindLog); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(t, p, "raw")
	operate(t, path).kill(p)
	file := func(name string) string { return filepath.Join(dir, name) }
	drain(t, path, Options{Outputs: []Output{
		{Path: file("all"), Format: format.Options{Name: "raw"}},
		{Path: file("trial"), Format: format.Options{Name: "raw"}, Attrs: []AttrMatch{{Key: "trial", Value: "1"}}},
		{Path: file("both"), Format: format.Options{Name: "raw"}, Loggers: []string{"orders"}, Attrs: []AttrMatch{{Key: "study", Value: "wf"}, {Key: "trial", Value: "0"}}},
		{Path: file("none"), Format: format.Options{Name: "json"}, Attrs: []AttrMatch{{Key: "study", Value: "other"}}},
	}})
	for name, want := range map[string]string{
		"all":   "orders0\ntrades0\norders1\ntrades1\norders2\ntrades2\norders3\ntrades3\nraw\n",
		"trial": "orders1\ntrades1\norders3\ntrades3\n",
		"both":  "orders0\norders2\n",
		"none":  "", // not even that the worker vanished
	} {
		if got := readFile(t, file(name)); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
