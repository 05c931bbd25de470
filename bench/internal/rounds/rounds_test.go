package rounds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/peer"
)

// script is a measurement that measures what it is told to.
type script struct {
	samples []float64
	err     error
	closed  *int
}

func (s *script) Run(_ context.Context, _ time.Duration, to *Sink) error {
	v := s.samples[0]
	s.samples = s.samples[1:]
	to.Add("call", 0, result.Nanoseconds, v)
	return s.err
}

func (s *script) Close() error { *s.closed++; return nil }

func (s *script) line(name string) Line {
	return Line{Name: name, Keep: func(context.Context, string) (Measurement, error) { return s, nil }}
}

func plan(t *testing.T, rounds int) Plan {
	t.Helper()
	return Plan{Rounds: rounds, Memory: t.TempDir(), Disk: t.TempDir(), Progress: func(string, int, int, string) {}, Between: func() {}}
}

func TestRunLeavesTheFirstRoundOutWhereThatWarmsUp(t *testing.T) {
	t.Parallel()
	closed, r := 0, &result.Report{}
	a := &script{samples: []float64{9999, 1, 3, 2}, closed: &closed}
	b := &script{samples: []float64{9999, 10, 10, 10}, closed: &closed}
	if err := (Part{Name: "p", Share: 1, Warm: true, Lines: []Line{a.line("a"), b.line("b")}}).Run(t.Context(), plan(t, 3), r); err != nil {
		t.Fatal(err)
	}
	if got := r.Find("p", "a", "call", 0); got == nil || !slices.Equal(got.Samples, []float64{1, 3, 2}) {
		t.Errorf("%+v", r.Series)
	}
	if closed != 2 {
		t.Errorf("%d closed", closed)
	}
}

func TestRunInterleavesTheLines(t *testing.T) {
	t.Parallel()
	var order []string
	line := func(name string) Line {
		return Line{Name: name, Each: func(context.Context, peer.Dirs, time.Duration, *Sink) error { order = append(order, name); return nil }}
	}
	if err := (Part{Share: 0.5, Lines: []Line{line("a"), line("b")}}).Run(t.Context(), plan(t, 4), &result.Report{}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"a", "b", "a", "b"}) {
		t.Errorf("%v", order)
	}
}

func TestALineThatFailsIsNamedAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	closed, broken, r := 0, errors.New("broken"), &result.Report{}
	a := &script{samples: []float64{1}, err: broken, closed: &closed}
	b := &script{samples: []float64{1, 2}, closed: &closed}
	err := Part{Name: "p", Share: 1, Lines: []Line{a.line("first"), b.line("b")}}.Run(t.Context(), plan(t, 2), r)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "p, first") || closed != 2 {
		t.Errorf("%v, %d closed", err, closed)
	}
	if got := r.Find("p", "b", "call", 0); got == nil || len(got.Samples) != 2 {
		t.Errorf("%+v", r.Series)
	}
}

func TestWhatIsNotInstalledIsSkippedWithTheCommandThatInstallsIt(t *testing.T) {
	t.Parallel()
	missing := &peer.Missing{What: "x", Install: "apt-get install x"}
	kept := func(context.Context, string) (Measurement, error) { return nil, missing }
	each := func(context.Context, peer.Dirs, time.Duration, *Sink) error { return fmt.Errorf("open: %w", missing) }
	r := &result.Report{}
	lines := []Line{{Name: "kept", Keep: kept}, {Name: "each", Each: each}, {Name: "never", Never: "unsafe"}}
	if err := (Part{Name: "p", Share: 1, Lines: lines}).Run(t.Context(), plan(t, 3), r); err != nil {
		t.Fatal(err)
	}
	if len(r.Skipped) != 3 || len(r.Series) != 0 {
		t.Fatalf("%+v", r)
	}
	for _, s := range r.Skipped {
		if s.Line != "never" && !strings.Contains(s.Why, "apt-get install x") || s.Line == "never" && s.Why != "unsafe" {
			t.Errorf("%+v", s)
		}
	}
}

func TestAnInterruptedRunClosesEverythingAndLeavesNoFolder(t *testing.T) {
	t.Parallel()
	closed := 0
	ctx, cancel := context.WithCancel(t.Context())
	a := &script{samples: []float64{1, 1, 1}, closed: &closed}
	each := func(ctx context.Context, dirs peer.Dirs, _ time.Duration, _ *Sink) error {
		cancel()
		return errors.Join(os.WriteFile(dirs.Logs+"/a", nil, 0o600), os.WriteFile(dirs.Work+"/a", nil, 0o600), ctx.Err())
	}
	p := plan(t, 3)
	err := Part{Share: 1, Lines: []Line{a.line("a"), {Name: "b", Each: each, Disk: true}}}.Run(ctx, p, &result.Report{})
	if !errors.Is(err, context.Canceled) || closed != 1 {
		t.Errorf("%v, %d closed", err, closed)
	}
	if left, _ := os.ReadDir(p.Disk); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestALinesFilesLieOnDiskWhereItSaysSo(t *testing.T) {
	t.Parallel()
	p := plan(t, 1)
	var where []string
	each := func(_ context.Context, dirs peer.Dirs, _ time.Duration, _ *Sink) error {
		where = append(where, dirs.Logs)
		return nil
	}
	if err := (Part{Share: 1, Lines: []Line{{Name: "a", Each: each}, {Name: "b", Each: each, Disk: true}}}).Run(t.Context(), p, &result.Report{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(where[0], p.Memory) || !strings.HasPrefix(where[1], p.Disk) {
		t.Errorf("%q", where)
	}
}

func TestDistributionsOfAllRoundsAreOne(t *testing.T) {
	t.Parallel()
	r := &result.Report{}
	each := func(_ context.Context, _ peer.Dirs, _ time.Duration, to *Sink) error {
		for _, rate := range []float64{0, 1000} {
			h := peer.NewHistogram()
			if err := h.RecordValue(5); err != nil {
				return err
			}
			to.Spread(rate, h)
		}
		return nil
	}
	if err := (Part{Share: 1, Lines: []Line{{Name: "a", Each: each}}}).Run(t.Context(), plan(t, 3), r); err != nil {
		t.Fatal(err)
	}
	if len(r.Spreads) != 2 || r.Spreads[1].Rate != 1000 || !slices.Equal(r.Spreads[1].Values, [][2]int64{{5, 3}}) {
		t.Errorf("%+v", r.Spreads)
	}
}
