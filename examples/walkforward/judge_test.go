package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// logged is what a worker's trials are in the files: of one with everything, and of
// one with the logger orders alone.
type logged struct {
	account
	all, orders []string // lines
}

// throughARing has a worker do some trials, whose records a reader writes to files.
func throughARing(t *testing.T) logged {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	w, err := writer.Open(path, writer.Options{Label: "worker-1"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	n, err := createNote(filepath.Join(dir, "note"))
	if err != nil {
		t.Fatal(err)
	}
	defer n.file.Close()
	s := generate(2)
	m, trials := newMarket(s), newPlan(s).trials()[40:43]
	for _, tr := range trials {
		if _, err := m.backtest(tr, loggers{
			numbered{w.Logger("app").Trial("s", tr.Number), 0, n},
			numbered{w.Logger("orders").Trial("s", tr.Number), 1, n},
			numbered{w.Logger("trades").Trial("s", tr.Number), 2, n},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all, orders := filepath.Join(dir, "all"), filepath.Join(dir, "orders")
	r, err := reader.Open(path, reader.Options{Until: reader.UntilEmpty, Outputs: []reader.Output{
		{Path: all, Format: format.Options{Name: "json"}}, {Path: orders, Loggers: []string{"orders"}, Format: format.Options{Name: "json"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Run(context.Background()), r.Close()); err != nil {
		t.Fatal(err)
	}
	x, err := expect(m, "s", trials)
	if err != nil {
		t.Fatal(err)
	}
	noted := readNote(filepath.Join(dir, "note"))
	return logged{account{"worker-1", noted.total(), false, x}, readLines(t, all), readLines(t, orders)}
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(b)))
}

func TestJudgeFindsEachBrokenPromise(t *testing.T) {
	t.Parallel()
	truth := throughARing(t)
	n, o := len(truth.all), len(truth.orders)
	if n < 50 || o < 20 || truth.accepted != n {
		t.Fatalf("%d lines, %d orders, %d accepted: nothing to judge", n, o, truth.accepted)
	}
	const vanished = `{"logger":"ringlog","msg":"m","worker":"worker-1","event":"vanished","attrs":{"event":"vanished"}}` + "\n"
	last := n - 1 // which is of app
	tests := map[string]struct {
		change func(l *logged)
		broken bool
	}{
		"all there":              {func(l *logged) {}, false},
		"killed and said":        {func(l *logged) { l.killed = true; l.all = append(l.all, vanished) }, false},
		"killed before the note": {func(l *logged) { l.killed = true; l.accepted--; l.all = append(l.all, vanished) }, false},
		"killed in a trial":      {func(l *logged) { l.killed = true; l.accepted--; l.all[last] = vanished }, false},
		"the last one lost":      {func(l *logged) { l.all = l.all[:last] }, true},
		"one lost":               {func(l *logged) { l.all = slices.Delete(l.all, 7, 8) }, true},
		"an order lost":          {func(l *logged) { l.orders = slices.Delete(l.orders, 7, 8) }, true},
		"doubled":                {func(l *logged) { l.all = slices.Insert(l.all, 7, l.all[7]) }, true},
		"an order doubled":       {func(l *logged) { l.orders = append(l.orders, l.orders[o-1]) }, true},
		"out of order":           {func(l *logged) { l.all[7], l.all[8] = l.all[8], l.all[7] }, true},
		"an order out of order":  {func(l *logged) { l.orders[7], l.orders[8] = l.orders[8], l.orders[7] }, true},
		"a message changed":      {func(l *logged) { l.all[last] = strings.Replace(l.all[last], "trading", "trading ", 1) }, true},
		"a value changed":        {func(l *logged) { l.all[last] = strings.Replace(l.all[last], `"trades":`, `"trades":1`, 1) }, true},
		"a trial changed":        {func(l *logged) { l.orders[3] = strings.Replace(l.orders[3], `"trial":4`, `"trial":5`, 1) }, true},
		"a logger changed":       {func(l *logged) { l.all[last] = strings.Replace(l.all[last], `"app"`, `"trades"`, 1) }, true},
		"a number changed":       {func(l *logged) { l.all[last] = strings.Replace(l.all[last], `"n":`, `"n":9`, 1) }, true},
		"in a wrong file":        {func(l *logged) { l.orders = append(l.orders, l.all[last]) }, true},
		"never accepted":         {func(l *logged) { l.accepted-- }, true},
		"accepted, never logged": {func(l *logged) { l.accepted++ }, true},
		"vanished unsaid":        {func(l *logged) { l.killed = true }, true},
		"vanished twice":         {func(l *logged) { l.killed = true; l.all = append(l.all, vanished, vanished) }, true},
		"vanished alive":         {func(l *logged) { l.all = append(l.all, vanished) }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := truth
			l.all, l.orders = slices.Clone(l.all), slices.Clone(l.orders)
			tt.change(&l)
			workers := []account{l.account}
			whole, orders := newTally("", byName(workers)), newTally("orders", byName(workers))
			if err := errors.Join(whole.add(strings.NewReader(strings.Join(l.all, ""))), orders.add(strings.NewReader(strings.Join(l.orders, "")))); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			s := show{out: &out}
			if err := s.judge(workers, whole, orders); errors.Is(err, errBroken) != tt.broken {
				t.Errorf("%v, want broken: %v\n%s", err, tt.broken, &out)
			}
		})
	}
}

func TestAnOutputWithAnotherNumberOfLinesIsFound(t *testing.T) {
	t.Parallel()
	truth := throughARing(t)
	app := filepath.Join(t.TempDir(), "app.log")
	outputs := []reader.Output{{Path: app, Loggers: []string{"app"}}}
	for lines, broken := range map[int]bool{5: true, 6: false, 7: true} { // three trials begin and end
		if err := os.WriteFile(app, []byte(strings.Repeat("a line\n", lines)), 0o600); err != nil {
			t.Fatal(err)
		}
		workers := []account{truth.account}
		tallies, err := count(outputs, workers)
		if err != nil {
			t.Fatal(err)
		}
		s := show{out: io.Discard}
		if err := s.compareOutputs(outputs, tallies, workers, 0); errors.Is(err, errBroken) != broken {
			t.Errorf("%d lines: %v, want broken: %v", lines, err, broken)
		}
	}
}

func TestHalfALineIsNoticed(t *testing.T) {
	t.Parallel()
	if err := newTally("", nil).add(strings.NewReader(`{"logger":"l","ms`)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestWhatTheDeadLeftIsComparedWithWhatWasAccepted(t *testing.T) {
	t.Parallel()
	truth := throughARing(t)
	workers := []account{truth.account}
	for name, tt := range map[string]struct {
		files, ring []string
		broken      bool
	}{
		"a half in each":       {truth.all[:30], truth.all[30:], false},
		"a batch half written": {truth.all[:30], truth.all[20:], false},
		"one in neither":       {truth.all[:30], truth.all[31:], true},
	} {
		files, rest := newTally("", byName(workers)), newTally("", byName(workers))
		if err := errors.Join(files.add(strings.NewReader(strings.Join(tt.files, ""))), rest.add(strings.NewReader(strings.Join(tt.ring, "")))); err != nil {
			t.Fatal(err)
		}
		s := show{out: io.Discard}
		if err := s.compare(workers, files, rest); errors.Is(err, errBroken) != tt.broken {
			t.Errorf("%s: %v, want broken: %v", name, err, tt.broken)
		}
	}
}
