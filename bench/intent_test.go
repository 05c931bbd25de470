package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/overlay"
)

func TestWhatTakesTheIntentOutFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := overlay.Write(root, t.TempDir(), noIntent); err != nil {
		t.Error(err)
	}
}

func TestALineThatCannotBeMeasuredIsSkippedAndTheOthersAreNot(t *testing.T) {
	t.Parallel()
	closed := 0
	skipped := candidate{"no source", 1, func(string) (measurement, error) { return nil, fmt.Errorf("%w: no source", errSkipped) }}
	other := &script{took: make([]time.Duration, 3), closed: &closed}
	other.took[1], other.took[2] = 10, 10
	results, err := measure(t.Context(), []candidate{skipped, other.candidate("other")}, "", 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := (&report{Results: results}).print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no source: skipped: no source\n", "other  "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestTheCostOfTheIntentIsThatOfTheLineBesideIt(t *testing.T) {
	t.Parallel()
	name := intents[0].name
	r := report{Results: []result{
		{Name: name, Samples: []float64{103, 206}, Processor: []float64{52, 53}},
		{Name: without(name), Samples: []float64{100, 200}, Processor: []float64{50, 50}},
	}}
	var out bytes.Buffer
	if err := r.printIntent(&out); err != nil {
		t.Fatal(err)
	}
	want := name + ": +3.0 % time, +5.0 % of the reader's processor time (52 ns for a record, 50 without)\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
