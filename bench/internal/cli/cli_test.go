package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/internal/rounds"
)

// TestMain lets the test's own binary be the worker processes.
func TestMain(m *testing.M) {
	role.Main(parts.Roles()...)
	os.Exit(m.Run())
}

// bench runs a command line; errOut is what it says of how it goes.
func bench(ctx context.Context, args ...string) (code int, out, errOut string) {
	var o, e bytes.Buffer
	code = execute(ctx, args, &o, &e)
	return code, o.String(), e.String()
}

func TestBadCommandLinesSayWhatIsWrongAndEndWithTwo(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"--only":                {"--only", "("},
		"matches no line":       {"--only", "no such line"},
		"no such part":          {"--parts", "costs,cost"},
		"--rounds 0":            {"--rounds", "0"},
		"--time -1s":            {"--time", "-1s"},
		"--rate 0":              {"--rate", "0"},
		"--docs with --smoke":   {"--smoke", "--docs"},
		"--sizes [0 16]":        {"--sizes", "16,0"},
		"/no/such.log":          {"--corpus", "/no/such.log"},
		"unknown flag: --round": {"--round", "1"},
		"unknown command":       {"run"},
		"accepts 2 arg":         {"compare", "one.json"},
	} {
		if code, _, said := bench(t.Context(), args...); code != exitUsage || !strings.Contains(said, want) || !strings.Contains(said, "--help") {
			t.Errorf("%v: %d, %q", args, code, said)
		}
	}
}

func TestHelpNamesEveryPartAndEveryExitCode(t *testing.T) {
	t.Parallel()
	code, out, _ := bench(t.Context(), "--help")
	if code != 0 {
		t.Fatal(code)
	}
	for _, p := range parts.All(parts.Options{}) {
		if !strings.Contains(out, "\n  "+p.Name+" ") {
			t.Errorf("no part %s", p.Name)
		}
	}
	for _, want := range []string{"\n  0    ", "\n  1    ", "\n  2    ", "\n  130  ", "--corpus FILE", "compare"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestARunIsPrintedAndSavedAsItIsPrinted(t *testing.T) {
	t.Parallel()
	saved := filepath.Join(t.TempDir(), "result.json")
	code, out, said := bench(t.Context(), "--smoke", "--parts", "costs", "--only", "^time|atomic", "--disk", t.TempDir(), "--json", saved)
	if code != 0 {
		t.Fatal(said)
	}
	r, err := result.Load(saved)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Series) != 3 {
		t.Errorf("%+v", r.Series)
	}
	for _, s := range r.Series {
		if !strings.Contains(out, s.Line) || len(s.Samples) != 1 {
			t.Errorf("%+v\n%s", s, out)
		}
	}
	if strings.Contains(out, "Targets") || !strings.Contains(out, "measuring costs") && !strings.Contains(said, "measuring costs") {
		t.Errorf("%s\n%s", out, said)
	}
}

func TestAnInterruptedRunEndsWith130AndLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	disk := t.TempDir()
	if code, _, said := bench(ctx, "--parts", "drain", "--time", "1ms", "--disk", disk); code != exitInterrupted || !strings.Contains(said, "interrupted") {
		t.Errorf("%d, %s", code, said)
	}
	if left, _ := os.ReadDir(disk); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestADiskThatIsTooSmallIsSaidBeforeAnythingIsMeasured(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	code, out, said := bench(t.Context(), "--parts", "drain", "--time", "100000h", "--disk", disk)
	if code != exitFailed || !strings.Contains(said, "MiB free") || !strings.Contains(said, "--disk") || out != "" {
		t.Errorf("%d, %s, %s", code, said, out)
	}
	if left, _ := os.ReadDir(disk); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestOnlyChoosesByNameAndPartsByPart(t *testing.T) {
	t.Parallel()
	all := func() []rounds.Part { return parts.All(parts.Options{Rate: 1, Sizes: []int{16}}) }
	o := options{only: "^time"}
	chosen, python, err := o.choose(all())
	if err != nil || python || len(chosen) != 1 || len(chosen[0].Lines) != 2 {
		t.Errorf("%+v, %v, %v", chosen, python, err)
	}
	o = options{parts: []string{"lanes", "python"}}
	chosen, python, err = o.choose(all())
	if err != nil || !python || len(chosen) != 1 || chosen[0].Name != "lanes" {
		t.Errorf("%+v, %v, %v", chosen, python, err)
	}
	if _, python, _ = (&options{}).choose(all()); !python {
		t.Error("a whole run is without Python")
	}
}

func save(t *testing.T, samples map[string][]float64) string {
	t.Helper()
	r := &result.Report{}
	for line, all := range samples {
		unit := result.Nanoseconds
		if line == "rate" {
			unit = result.PerSecond
		}
		for _, v := range all {
			r.Add(result.Series{Part: "p", Line: line, Metric: "call", Unit: unit}, v)
		}
	}
	path := filepath.Join(t.TempDir(), "r.json")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompareShowsDifferencesAndTheirDirection(t *testing.T) {
	t.Parallel()
	base := []float64{100, 101, 99, 102, 98, 100, 101, 99}
	more := []float64{110, 111, 109, 112, 108, 110, 111, 109}
	older := save(t, map[string][]float64{"same": base, "slower": base, "faster": more, "rate": base, "gone": base})
	newer := save(t, map[string][]float64{"same": slices.Clone(base), "slower": more, "faster": base, "rate": more, "new": base})
	code, out, said := bench(t.Context(), "compare", older, newer)
	if code != 0 {
		t.Fatal(said)
	}
	for line, want := range map[string]string{"same": "~", "slower": "+10.0 % (worse)", "faster": "-9.1 % (better)", "rate": "+10.0 % (better)"} {
		found := false
		for l := range strings.Lines(out) {
			found = found || strings.HasPrefix(strings.TrimSpace(l), line) && strings.Contains(l, want)
		}
		if !found {
			t.Errorf("no %s with %q in\n%s", line, want, out)
		}
	}
	if !strings.Contains(out, "2 figures are in one of the runs alone") {
		t.Error(out)
	}
}

func TestCompareOfAFileThatIsNotThereSaysHowToMakeOne(t *testing.T) {
	t.Parallel()
	if code, _, said := bench(t.Context(), "compare", "/no/old.json", "/no/new.json"); code != exitFailed || !strings.Contains(said, "--json") {
		t.Errorf("%d, %s", code, said)
	}
}
