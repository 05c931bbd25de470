package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/overlay"
)

// tiny is a module with one function, one test of it, and a test that waits for
// what never comes if the function says so.
var tiny = map[string]string{
	"go.mod": "module tiny\n\ngo 1.26\n",
	"a.go":   "package tiny\n\n// Two is more than one.\nfunc Two() int { return 2 }\n",
	"a_test.go": `package tiny

import "testing"

func TestTwo(t *testing.T) {
	if Two() == 0 {
		select {}
	}
	if Two() != 2 {
		t.Error(Two())
	}
}

func TestThatFails(t *testing.T) {
	if testing.Short() {
		t.Skip()
	}
	t.Error("always")
}
`,
}

func newLaboratory(t *testing.T, timeout time.Duration) (*laboratory, *bytes.Buffer) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a module")
	}
	root, out := t.TempDir(), &bytes.Buffer{}
	for name, text := range tiny {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return &laboratory{root: root, timeout: timeout, out: out}, out
}

func change(name, before, after string, tests ...suite) mutant {
	return mutant{name: name, rule: "-", edits: edits(in("a.go", before, after)), tests: tests}
}

func TestEachMutantIsReportedAsWhatItIs(t *testing.T) {
	t.Parallel()
	l, out := newLaboratory(t, time.Minute)
	tests := suite{pkg: "."}
	results, err := l.examine(t.Context(), []mutant{
		change("outdated", "return 3", "return 4", tests),
		change("broken", "return 2", "return two", tests),
		change("harmless", "more than one", "the first even prime", tests),
		change("wrong", "return 2", "return 3", tests),
		change("fatal", "return 2", `panic("three")`, suite{pkg: ".", confined: true}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(results[0].err, overlay.ErrOutdated) {
		t.Errorf("outdated: %v", results[0].err)
	}
	if err := results[1].err; err == nil || !strings.Contains(err.Error(), "undefined: two") {
		t.Errorf("broken: %v", err)
	}
	if !results[2].survived() {
		t.Errorf("harmless: %s", &results[2])
	}
	for _, r := range results[3:] {
		if r.err != nil || r.caught.finding != failed || r.catcher() != "TestTwo" {
			t.Errorf("%s: want it caught by TestTwo", &r)
		}
	}
	if err := verdict(results); err == nil || !strings.Contains(err.Error(), "1 survived") || !strings.Contains(err.Error(), "2 are no mutants") {
		t.Errorf("the verdict is %v", err)
	}
	if err := verdict(results[3:]); err != nil {
		t.Errorf("the verdict over mutants that are caught is %v", err)
	}
	var table bytes.Buffer
	if err := printTable(&table, results); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`outdated +- +a.go +ERROR`, `harmless +- +a.go +SURVIVED`, `wrong +- +a.go +TestTwo +\d`} {
		if !regexp.MustCompile(want).MatchString(table.String()) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if !strings.Contains(out.String(), "harmless: SURVIVED") {
		t.Errorf("progress: %s", out)
	}
	if got, _ := os.ReadFile(filepath.Join(l.root, "a.go")); string(got) != tiny["a.go"] {
		t.Errorf("the tree was changed: %s", got)
	}
}

func TestTestsThatHangCatchOnlyWhatIsExpectedToHang(t *testing.T) {
	t.Parallel()
	l, _ := newLaboratory(t, 3*time.Second)
	tests := suite{pkg: "."}
	unexpected := change("unexpected", "return 2", "return 0", tests)
	expected := unexpected
	expected.hangs = true
	results, err := l.examine(t.Context(), []mutant{unexpected, expected})
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].survived() {
		t.Error(&results[0])
	}
	if results[1].survived() || results[1].caught.finding != hung {
		t.Error(&results[1])
	}
}

func TestSuitesThatFailAnyhowCatchNothing(t *testing.T) {
	t.Parallel()
	l, _ := newLaboratory(t, time.Minute)
	for _, s := range []suite{{pkg: ".", full: true}, {pkg: ".", run: "NoSuchTest"}} {
		if _, err := l.examine(t.Context(), []mutant{change("wrong", "return 2", "return 3", s)}); err == nil {
			t.Errorf("%s: no error", s)
		}
	}
}

func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range catalogue() {
		if names[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		names[m.name] = true
		if _, err := overlay.Write(root, t.TempDir(), m.edits); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestProcessesThatTestsLeaveBehindAreEnded(t *testing.T) {
	t.Parallel()
	if err := adoptOrphans(); err != nil {
		t.Fatal(err)
	}
	variable := "MUTANTS_ORPHAN=" + t.TempDir()
	// The shell ends and leaves a process in a session of its own, as long as a
	// minute if nobody ends it.
	c := exec.Command("setsid", "sh", "-c", "sleep 60 & echo $!")
	c.Env = append(os.Environ(), variable)
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	var pid int
	if _, err := fmt.Fscan(pipe, &pid); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := endOrphans(variable); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v, want it to be gone", pid, err)
	}
}

func TestBadFlagsAreErrors(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--only", "("}, {"--only", "no such mutant"}, {"--timeout", "soon"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q are accepted", args)
		}
	}
}
