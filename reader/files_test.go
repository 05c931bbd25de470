//go:build linux

package reader

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

var raw = format.Options{Name: "raw"}

// trial logs message as trial n of a study.
func trial(t testing.TB, p *ring.Producer, n int, message string) {
	t.Helper()
	logTo(t, p, "app", message, slog.String("study", "wf"), slog.Int("trial", n))
}

func TestAPathWithFieldsIsAFileForEachOfTheirValuesHoweverFewMayBeOpen(t *testing.T) {
	t.Parallel()
	const trials, each = 150, 20
	for _, open := range []int{1, 3, 64, 200} {
		path, dir := newRing(t, 2), t.TempDir()
		o := Options{
			MaxOpenFiles: open, Grace: time.Nanosecond,
			Outputs: []Output{{Path: filepath.Join(dir, "{study}/{trial}.log"), Format: raw}, {Path: filepath.Join(dir, "all.log"), Format: raw}},
		}
		r, said := openReader(t, path, o)
		p := attach(t, path, "w")
		random := rand.New(rand.NewPCG(1, uint64(open)))
		next := make([]int, trials)
		for n := range trials * each {
			i := random.IntN(trials)
			for ; next[i] == each; i = (i + 1) % trials {
			}
			trial(t, p, i, fmt.Sprintf("%d of %d", next[i], i))
			if next[i]++; n%97 == 0 {
				for look(t, r, time.Now()) {
				}
			}
		}
		for look(t, r, time.Now()) {
		}
		for i := range trials {
			var want strings.Builder
			for n := range each {
				fmt.Fprintf(&want, "%d of %d\n", n, i)
			}
			if got := readFile(t, filepath.Join(dir, "wf", fmt.Sprint(i)+".log")); got != want.String() {
				t.Fatalf("%d open, trial %d: %q", open, i, got)
			}
		}
		if got := r.OutputStats(); got[0].Records != trials*each || got[1].Records != trials*each || got[0].Open > open || got[1].Open != 1 {
			t.Errorf("%d open: %+v", open, got)
		}
		if lines := strings.Count(readFile(t, filepath.Join(dir, "all.log")), "\n"); lines != trials*each || said.String() != "" {
			t.Errorf("%d open: %d lines in all, %s", open, lines, said)
		}
	}
}

func TestRecordsWithoutTheFieldsOfAPathDoNotGoThere(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	p := attach(t, path, "w")
	trial(t, p, 1, "of a trial")
	logTo(t, p, "app", "of none")
	say(t, p, "raw")
	st, _ := drain(t, path, Options{Outputs: []Output{{Path: filepath.Join(dir, "{trial}.log"), Format: raw}}})
	if st.Records != 3 || st.Unrouted != 2 {
		t.Errorf("%+v", st)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 || readFile(t, filepath.Join(dir, "1.log")) != "of a trial\n" {
		t.Errorf("files %q", names)
	}
}

func TestSeveralOutputsMayLeadToOneFileByTheirFieldsOrByALink(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	if err := os.Symlink("7.log", filepath.Join(dir, "seven.log")); err != nil {
		t.Fatal(err)
	}
	p := attach(t, path, "w")
	for n := range 3 {
		logTo(t, p, "app", fmt.Sprint(n), slog.Int("trial", 7), slog.String("name", "seven"))
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	drain(t, path, Options{MaxOpenFiles: 3, Outputs: []Output{
		{Path: file("7.log"), Format: raw, Loggers: []string{"app"}},
		{Path: file("{trial}.log"), Format: raw},
		{Path: file("{name}.log"), Format: raw},
		{Path: file("{logger}.log"), Format: raw},
	}})
	if got, want := readFile(t, file("7.log")), "0\n1\n2\n"; got != want { // each record once
		t.Errorf("%q, want %q", got, want)
	}
	if got := readFile(t, file("app.log")); got != "0\n1\n2\n" {
		t.Errorf("%q", got)
	}
}

func TestAFileThatCannotBeOpenedIsWaitedForAndCostsNothing(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	r, said := openReader(t, path, Options{Outputs: []Output{{Path: filepath.Join(dir, "{trial}.log"), Format: raw}}})
	obstacle, _ := openReader(t, newRing(t, 1), Options{Outputs: []Output{{Path: filepath.Join(dir, "2.log")}}})
	p := attach(t, path, "w")
	for n := range 9 {
		trial(t, p, 2-n%3, fmt.Sprint(n)) // the first one waits, and so all of them: there may be several batches
	}
	finish := start(t, r)
	until(t, "trouble", func() bool { return said.count("output trouble") == 1 })
	until(t, "the count of it", func() bool { return r.Stats().Waiting > 0 })
	if st := r.Stats(); st.Records != 0 {
		t.Errorf("%+v", st)
	}
	if err := obstacle.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the records", func() bool { return r.Stats().Records == 9 })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if got, want := readFile(t, filepath.Join(dir, fmt.Sprint(n)+".log")), fmt.Sprintf("%d\n%d\n%d\n", 2-n, 5-n, 8-n); got != want {
			t.Errorf("trial %d: %q, want %q", n, got, want)
		}
	}
	if st := r.Stats(); st.Waiting != 0 || said.count("trouble is over") != 1 {
		t.Errorf("%+v, %s", st, said)
	}
	if out := r.OutputStats(); out[0].Failures == 0 {
		t.Errorf("%+v", out)
	}
}

// Whoever logs may choose names, and must not keep others from being drained.
func TestWhatStandsWhereAFileOrAFolderIsToBeIsSidestepped(t *testing.T) {
	t.Parallel()
	path, other, dir := newRing(t, 4), newRing(t, 1), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Symlink(other, file("ring")); err != nil {
		t.Fatal(err)
	}
	before := readFile(t, other)
	p := attach(t, path, "w")
	for _, logger := range []string{"app.log", "ring", "good", "deep"} {
		logTo(t, p, logger, logger)
	}
	logTo(t, p, "app.log", "again")
	st, said := drain(t, path, Options{MaxOpenFiles: 2, Outputs: []Output{
		{Path: file("app.log"), Format: raw}, {Path: file("{logger}/{worker}"), Format: raw}, {Path: file("{logger}"), Format: raw},
	}})
	if st.Records != 5 || st.Unrouted != 0 || said.count("cannot be a file") == 0 {
		t.Errorf("%+v, %s", st, said)
	}
	for name, want := range map[string]string{
		"app.log":    "app.log\nring\ngood\ndeep\nagain\n",
		"app.log%/w": "app.log\nagain\n",
		"ring%/w":    "ring\n", "ring%%": "ring\n",
		"good/w": "good\n", "good%": "good\n", "deep/w": "deep\n", "deep%": "deep\n",
	} {
		if got := readFile(t, file(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if readFile(t, other) != before {
		t.Error("a ring was written to")
	}
}

// Two drains that have paths with fields in common, each waiting for a file of the other.
func TestDrainsThatWantEachOthersFilesGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var readers [2]*Reader
	var workers [2]*ring.Producer
	for i := range readers {
		path := newRing(t, 1)
		readers[i], _ = openReader(t, path, Options{Outputs: []Output{{Path: filepath.Join(dir, "{trial}"), Format: raw}}})
		workers[i] = attach(t, path, "w")
		trial(t, workers[i], i, "first")
		for look(t, readers[i], time.Now()) {
		}
	}
	for i, p := range workers {
		for n := range 2 {
			trial(t, p, (1-i+n)%2, "second")
		}
		start(t, readers[i])
	}
	until(t, "all records", func() bool { return readers[0].Stats().Records+readers[1].Stats().Records == 6 })
	for n := range 2 {
		if got := readFile(t, filepath.Join(dir, fmt.Sprint(n))); got != "first\nsecond\nsecond\n" {
			t.Errorf("%d: %q", n, got)
		}
	}
}

// A path with fields that comes first, by another name, to what a fixed path is to open again.
func TestAFixedPathGetsItsFileBackFromAPathWithFields(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 1), t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "logs")); err != nil {
		t.Fatal(err)
	}
	fixed := filepath.Join(dir, "logs", "app.log")
	r, said := openReader(t, path, Options{Outputs: []Output{
		{Path: fixed, Format: raw, Level: slog.LevelError}, {Path: filepath.Join(dir, "logs", "{logger}.log"), Format: raw},
	}})
	p := attach(t, path, "w")
	if err := os.Rename(fixed, fixed+".1"); err != nil {
		t.Fatal(err)
	}
	logTo(t, p, "app", "info")
	for look(t, r, time.Now()) {
	}
	logAt(t, p, record.LevelError, "app", "error 1")
	logAt(t, p, record.LevelError, "app", "error 2")
	start(t, r)
	until(t, "the errors", func() bool { return r.Stats().Records == 3 })
	logAt(t, p, record.LevelError, "app", "error 3")
	until(t, "the last", func() bool { return r.Stats().Records == 4 })
	if got := readFile(t, fixed); !strings.HasSuffix(got, "error 3\n") || said.count("trouble") != 0 {
		t.Errorf("%q, %s", got, said)
	}
}

func TestAFileThatWasRenamedIsMadeAnewWithItsNextRecord(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: filepath.Join(dir, "{trial}.log"), Format: raw}}})
	p := attach(t, path, "w")
	name := filepath.Join(dir, "1.log")
	for n := range 4 {
		trial(t, p, 1, fmt.Sprint(n))
		for look(t, r, time.Now()) {
		}
		if n == 1 {
			if err := os.Rename(name, name+".moved"); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The batch that finds out is whole in the file that it had begun in.
	if got := readFile(t, name+".moved") + readFile(t, name); got != "0\n1\n2\n3\n" || readFile(t, name) != "3\n" {
		t.Errorf("%q", got)
	}
}

func TestAnOutputGetsTheLevelsThatItAsksFor(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	p := attach(t, path, "w")
	python21, _ := record.FromPython(21)
	for _, l := range []record.Level{record.LevelDebug, record.LevelInfo, python21, record.LevelWarning, record.LevelError} {
		logAt(t, p, l, "app", fmt.Sprint(int(l)))
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	drain(t, path, Options{Outputs: []Output{
		{Path: file("all"), Format: raw}, {Path: file("warning"), Format: raw, Level: slog.LevelWarn}, {Path: file("21"), Format: raw, Level: python21},
	}})
	for name, want := range map[string]string{"all": "-20\n0\n2\n20\n40\n", "warning": "20\n40\n", "21": "2\n20\n40\n"} {
		if got := readFile(t, file(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOptionsThatCannotWorkAreRefusedWithTheOutputAndTheReason(t *testing.T) {
	t.Parallel()
	many := make([]Output, 3)
	for i := range many {
		many[i].Path = fmt.Sprint(i) + "{trial}"
	}
	for want, o := range map[string]Options{
		"0 outputs":                         {},
		"output 1 of 1 has no path":         {Outputs: []Output{{}}},
		"unknown format \"xml\"":            {Outputs: []Output{{Path: "a", Format: format.Options{Name: "xml"}}}},
		"3 outputs whose paths have fields": {Outputs: many, MaxOpenFiles: 2},
		"1025 open files":                   {Outputs: many, MaxOpenFiles: 1025},
		"only files are rotated":            {Outputs: []Output{{Path: "-", Rotation: Rotation{Size: 1}}}},
		"below zero":                        {Outputs: []Output{{Path: "a", Rotation: Rotation{Size: -1}}}},
		"output 2 of 2 (b{)":                {Outputs: []Output{{Path: "a"}, {Path: "b{"}}},
	} {
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
