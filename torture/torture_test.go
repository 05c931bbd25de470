package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// build makes torture and ringlog with the given flags.
func build(t *testing.T, flags ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	args := append(append([]string{"build"}, flags...), "-o", dir, ".", "../cmd/ringlog")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// torment runs torture in a folder of its own and returns what it said. The folder has
// to be empty at the end, if all was well.
func torment(t *testing.T, bin string, signal os.Signal, args ...string) (out, errs string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(filepath.Join(bin, "torture"), append(args, "--dir", dir)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if signal != nil {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if found, _ := filepath.Glob(filepath.Join(dir, "*", "torture.ring")); len(found) > 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Error("it does not begin")
				break
			}
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Error(err)
		}
	}
	hangs := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	hangs.Stop()
	if left, _ := os.ReadDir(dir); err == nil && len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	return stdout.String(), stderr.String(), err == nil
}

func TestAShortTortureLosesDoublesAndTearsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds two programs and takes ten seconds")
	}
	t.Parallel()
	out, errs, ok := torment(t, build(t, "-tags", "failpoints"), nil, "--seconds", "8", "--workers", "4")
	if !ok {
		t.Fatalf("%s\n%s", errs, out)
	}
	for _, want := range []string{
		`(?m)^records +[1-9]`, `(?m)^worker kills +[1-9]`, `(?m)^reader kills +[1-9]`,
		`lost 0, doubled 0, torn 0, out of order 0, foreign 0, wrong markers 0`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	t.Logf("%s\n%s", errs, out)
}

func TestAnInterruptedTortureIsJudgedAndLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds two programs")
	}
	t.Parallel()
	out, errs, ok := torment(t, build(t, "-tags", "failpoints"), os.Interrupt, "--seconds", "600", "--workers", "2")
	if !ok || !strings.Contains(out, "judged") || !strings.Contains(errs, "ending in order") {
		t.Errorf("%s\n%s", errs, out)
	}
}

func TestProgramsWithoutFailpointsAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds two programs")
	}
	t.Parallel()
	_, errs, ok := torment(t, build(t), nil, "--seconds", "1")
	if ok || !strings.Contains(errs, "built without -tags failpoints") {
		t.Error(errs)
	}
}
