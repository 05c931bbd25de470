package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/internal/unignore"
)

// TestMain lets the processes that the tests start be the test binary itself: as
// the program and those that it starts, and as workers that log nothing: one that
// never answers, one that answers at once, one that fails.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "program" {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		main()
	}
	task, ok := role(os.Args)
	if !ok {
		switch os.Args[len(os.Args)-1] {
		case "mute":
			task = func() error { return answer(false) }
		case "quick":
			task = func() error { return answer(true) }
		case "failing":
			json.NewDecoder(os.Stdin).Decode(new(job)) // or telling it would fail first
			os.Exit(1)
		default:
			unignore.Signals()
			os.Exit(m.Run())
		}
	}
	if err := task(); err != nil {
		fmt.Fprintln(os.Stderr, "walkforward:", err)
		os.Exit(1)
	}
}

// answer reads a job and trials, and answers or does not.
func answer(atOnce bool) error {
	tasks, results := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	if err := tasks.Decode(new(job)); err != nil {
		return err
	}
	for {
		var t trial
		if err := tasks.Decode(&t); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if atOnce {
			if err := results.Encode(result{Trial: t.Number}); err != nil {
				return err
			}
		}
	}
}

func generatedFirst(prices int) *series {
	s := generate(3)
	s.Dates, s.Prices = s.Dates[:prices], s.Prices[:prices]
	return s
}

// short is the first prices of the generated series, as a CSV file.
func short(t *testing.T, prices int) string {
	t.Helper()
	s := generatedFirst(prices)
	var b bytes.Buffer
	b.WriteString("Close,Date\n")
	for i, price := range s.Prices {
		fmt.Fprintf(&b, "%v,%s\n", price, s.Dates[i])
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The one test that runs the program as a whole: a process drains one ring at a time.
func TestBothRunsAccountForEveryRecord(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	dir := t.TempDir()
	err := run(t.Context(), []string{"--prices", short(t, 400), "--dir", dir, "--workers", "3", "--study", "s-1"}, &out)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	p := newPlan(generatedFirst(400))
	trials := humanize.Comma(int64(len(p.trials())))
	for _, want := range []string{
		"  to do     " + trials + " trials in 3 worker processes, and then the one that walks forward\n",
		fmt.Sprintf(" trial %d, which walks forward ", len(p.trials())+1),
		"To remove it: rm -r " + quote(dir) + "\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not have %q", want)
		}
	}
	if n := strings.Count(out.String(), "the log says: vanished"); n != 4 {
		t.Errorf("%d workers vanished: want one in the first run and three in the second", n)
	}
	text, err := os.ReadFile(filepath.Join(dir, "forward.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, " study=s-1 trial=") {
			t.Errorf("%q is not of a trial of the study", line)
		}
	}
	if err := run(t.Context(), []string{"--dir", dir}, io.Discard); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v for the folder of another run: want one that names it", err)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code int
		args []string
	}{
		{2, []string{"--workers", "1"}},
		{2, []string{"--workers", "65"}},
		{2, []string{"--workers", "four"}},
		{2, []string{"extra"}},
		{2, []string{"--what"}},
		{2, []string{"--study", ""}},
		{2, []string{"--study", "a b"}},
		{1, []string{"--prices", filepath.Join(t.TempDir(), "none.csv")}},
		{1, []string{"--dir", "/dev/null/x"}},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), tt.args, &out); exitCode(err) != tt.code || out.Len() > 0 {
			t.Errorf("%q: %v, exit code %d, printed %q: want %d and nothing", tt.args, err, exitCode(err), &out, tt.code)
		}
	}
}

func TestAPathIsOneWordOfAShell(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/tmp/walk-1_2.d": "/tmp/walk-1_2.d",
		"/tmp/a b":        "'/tmp/a b'",
		"/tmp/it's $1":    `'/tmp/it'\''s $1'`,
		"/tmp/a*":         "'/tmp/a*'",
	} {
		if got := quote(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestHelpShowsExamplesAndTheNamesOfColumns(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	run(t.Context(), []string{"--help"}, &out)
	for _, want := range append(slices.Concat(dateColumns, priceColumns), "walkforward --prices", "-workers", "-seed") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("--help does not have %q:\n%s", want, &out)
		}
	}
}
