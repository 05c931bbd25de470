package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own binary be the worker processes.
func TestMain(m *testing.M) {
	if path := os.Getenv(workerVariable); path != "" {
		exit(serve(path, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func TestSmokeMeasuresEveryLineAndSavesWhatItPrints(t *testing.T) {
	t.Parallel()
	saved := filepath.Join(t.TempDir(), "result.json")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--smoke", "--json", saved}, &out); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	all := everything
	if len(r.Results) != len(all) {
		t.Fatalf("%d results, want %d", len(r.Results), len(all))
	}
	for i, c := range r.Results {
		if c.Name != all[i].name || len(c.Samples) != 1 || c.Samples[0] <= 0 {
			t.Errorf("%+v", c)
		}
		if !strings.Contains(out.String(), c.Name) {
			t.Errorf("%q is not printed", c.Name)
		}
	}
}

func TestTheMessageHas100Bytes(t *testing.T) {
	t.Parallel()
	if len(message) != 100 {
		t.Errorf("%d", len(message))
	}
}

func TestOnlyChoosesByName(t *testing.T) {
	t.Parallel()
	for _, c := range choose(everything, regexp.MustCompile("^time")) {
		if !strings.HasPrefix(c.name, "time.") {
			t.Errorf("chose %q", c.name)
		}
	}
}

func TestBadFlagsAreErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--only", "("}, {"--only", "no such line"}, {"--rounds", "0"}, {"--time", "-1s"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
}

// script is a measurement that returns what it is told to.
type script struct {
	took   []time.Duration
	err    error
	closed *int
}

func (s *script) run(time.Duration) (int, time.Duration, error) {
	took := s.took[0]
	s.took = s.took[1:]
	return 10, took, s.err
}

func (s *script) Close() error { *s.closed++; return nil }

func (s *script) candidate(name string) candidate {
	return candidate{name, 1, func(string) (measurement, error) { return s, nil }}
}

func TestMeasureLeavesTheFirstRoundOut(t *testing.T) {
	t.Parallel()
	closed := 0
	a := &script{took: []time.Duration{9999, 10, 30, 20}, closed: &closed}
	b := &script{took: []time.Duration{9999, 100, 100, 100}, closed: &closed}
	results, err := measure(t.Context(), []candidate{a.candidate("a"), b.candidate("b")}, "", 3, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(results[0].Samples, []float64{1, 3, 2}) || results[1].Summary.Median != 10 {
		t.Errorf("%+v", results)
	}
	if closed != 2 {
		t.Errorf("%d closed", closed)
	}
}

func TestMeasureClosesEverythingWhenOneFails(t *testing.T) {
	t.Parallel()
	closed, broken := 0, errors.New("broken")
	a := &script{took: []time.Duration{1}, err: broken, closed: &closed}
	b := &script{closed: &closed}
	if _, err := measure(t.Context(), []candidate{a.candidate("a"), b.candidate("b")}, "", 1, 0); !errors.Is(err, broken) || closed != 2 {
		t.Errorf("%v, %d closed", err, closed)
	}
}

func TestTheTableShowsRatiosRatesAndNoise(t *testing.T) {
	t.Parallel()
	r := report{Rounds: 4, Round: time.Second, Host: host{CPU: "Z80", CPUs: 2}}
	for _, c := range []result{
		{Name: "append", Processes: 1, Samples: []float64{50, 50, 50, 50}},
		{Name: "pair", Processes: 2, Samples: []float64{100, 100, 100, 100}},
		{Name: "shaky", Processes: 1, Samples: []float64{100, 200, 300, 400}},
	} {
		c.Summary = summarize(c.Samples)
		r.Results = append(r.Results, c)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`Z80, 2 CPUs`,
		`append +50\.0 +50\.0 +50\.0 +1\.00 +0\.00 +20\.00\n`,
		`pair +100\.0 +100\.0 +100\.0 +2\.00 +0\.00 +20\.00\n`,
		`NOISY: .* for: shaky\.`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
