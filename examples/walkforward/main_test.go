package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the processes that the tests start be the test binary itself: as
// those of the program, and as workers that log nothing: one that never answers, one
// that answers at once, one that fails.
func TestMain(m *testing.M) {
	task, ok := role(os.Args)
	if !ok {
		switch os.Args[len(os.Args)-1] {
		case "mute":
			task = func() error { return answer(false) }
		case "quick":
			task = func() error { return answer(true) }
		case "failing":
			os.Exit(1)
		default:
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

// short is the first prices of the generated series, as a CSV file.
func short(t *testing.T, prices int) string {
	t.Helper()
	s := generate(3)
	var b bytes.Buffer
	b.WriteString("Close,Date\n")
	for i := range prices {
		fmt.Fprintf(&b, "%v,%s\n", s.Prices[i], s.Dates[i])
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
	if n := strings.Count(out.String(), "the log says: vanished"); n != 4 {
		t.Errorf("%d workers vanished: want one in the first run and three in the second", n)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequences where there is no terminal")
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
	for _, args := range [][]string{
		{"--workers", "1"},
		{"--workers", "65"},
		{"extra"},
		{"--what"},
		{"--study", ""},
		{"--study", "a b"},
		{"--prices", filepath.Join(t.TempDir(), "none.csv")},
		{"--dir", "/dev/null/x"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestHelpShowsExamples(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	run(t.Context(), []string{"--help"}, &out)
	for _, want := range []string{"walkforward --prices", "-workers", "-seed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("--help does not have %q:\n%s", want, &out)
		}
	}
}
