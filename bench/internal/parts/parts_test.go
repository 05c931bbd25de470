package parts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/internal/overlay"
)

// TestMain lets the test's own binary be the worker processes.
func TestMain(m *testing.M) {
	role.Main(Roles()...)
	os.Exit(m.Run())
}

// moment measures a part as --smoke does.
func moment(t *testing.T, p rounds.Part) *result.Report {
	t.Helper()
	r := &result.Report{}
	plan := rounds.Plan{
		Rounds: 1, Time: time.Millisecond, Memory: t.TempDir(), Disk: t.TempDir(),
		Progress: func(string, int, int, string) {}, Between: func() {},
	}
	if err := p.Run(t.Context(), plan, r); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{plan.Memory, plan.Disk} {
		if left, _ := filepath.Glob(filepath.Join(dir, "[^b]*")); len(left) > 0 { // but for what was built
			t.Errorf("%v is left", left)
		}
	}
	return r
}

func TestAMomentMeasuresEveryLineOfEveryPart(t *testing.T) {
	t.Parallel()
	corpus := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(corpus, []byte("one\r\ntwo two\n\nthree"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{
		{Rate: 100_000, Sizes: []int{16, 8192}, Smoke: true},
		{Rate: 100_000, Sizes: []int{16}, Smoke: true, Corpus: corpus},
	} {
		for _, p := range All(o) {
			if p.Name == Intent && testing.Short() || o.Corpus != "" && p.Name != Workers && p.Name != Sizes {
				continue // builds this program, or has been measured already
			}
			t.Run(p.Name+o.Corpus, func(t *testing.T) {
				r := moment(t, p)
				for _, l := range p.Lines {
					if l.Never == "" && !measured(r, l) {
						t.Errorf("%q [%v] is not measured", l.Name, l.X)
					}
				}
			})
		}
	}
}

func measured(r *result.Report, l rounds.Line) bool {
	for _, s := range r.Series {
		if s.Line == l.Name && (l.X == 0 || s.X == l.X) && len(s.Samples) == 1 && s.Samples[0] > 0 {
			return true
		}
	}
	return false
}

func TestNoTwoLinesOfAPartAreTheSame(t *testing.T) {
	t.Parallel()
	for _, p := range All(Options{Rate: 1, Sizes: []int{1, 2}}) {
		seen := map[string]bool{}
		for _, l := range p.Lines {
			key := (&result.Series{Line: l.Name, X: l.X}).Key()
			if seen[key] {
				t.Errorf("%s has %q twice", p.Name, l.Name)
			}
			seen[key] = true
		}
	}
}

func TestWhatTakesTheIntentOutFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := overlay.Write(root, t.TempDir(), noIntent); err != nil {
		t.Error(err)
	}
}

func TestTheClockOfARingIsOneOfTheFloors(t *testing.T) {
	t.Parallel()
	clock, err := Clock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range floors() {
		if l.Name == clock {
			return
		}
	}
	t.Errorf("%q is no floor", clock)
}

func TestWhatMustNotBeRunSaysWhy(t *testing.T) {
	t.Parallel()
	for _, l := range workers(Options{}) {
		if l.Each == nil && !strings.HasPrefix(l.Never, "not run: ") {
			t.Errorf("%+v", l)
		}
	}
}
