//go:build failpoints && linux

package failpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// walkVariable makes the test binary a process that reaches points, and says so.
const walkVariable = "RINGLOG_FAILPOINT_TEST"

// TestMain walks through the points claim.time and file.write, five times each, where
// the variable is set.
func TestMain(m *testing.M) {
	if os.Getenv(walkVariable) == "" {
		os.Exit(m.Run())
	}
	for n := 1; n <= 5; n++ {
		Hit(ClaimTime)
		fmt.Println("time", n)
		err := Err(FileWrite)
		fmt.Println("write", n, err)
	}
}

// walker is such a process under the given rules.
type walker struct {
	cmd *exec.Cmd
	out strings.Builder
	err strings.Builder
	log string
}

func walk(t *testing.T, rules string) *walker {
	t.Helper()
	w := &walker{cmd: exec.Command(os.Args[0]), log: filepath.Join(t.TempDir(), "log")}
	w.cmd.Env = append(os.Environ(), walkVariable+"=1", "RINGLOG_FAILPOINTS="+rules, "RINGLOG_FAILPOINTS_LOG="+w.log)
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.err
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.cmd.ProcessState == nil {
			_ = w.cmd.Process.Kill()
			_ = w.cmd.Wait()
		}
	})
	return w
}

func (w *walker) wait() syscall.WaitStatus {
	_ = w.cmd.Wait() // the status says it all
	return w.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func (w *walker) logged(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(w.log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

func TestAKilledProcessEndsBeforeTheStepAtTheTimeThatWasNamed(t *testing.T) {
	t.Parallel()
	w := walk(t, "claim.time=kill@3")
	if s := w.wait(); !s.Signaled() || s.Signal() != syscall.SIGKILL {
		t.Errorf("ended with %v", s)
	}
	if got, want := w.out.String(), "time 1\nwrite 1 <nil>\ntime 2\nwrite 2 <nil>\n"; got != want {
		t.Errorf("got to %q, want %q", got, want)
	}
	if got := w.logged(t); got != "claim.time kill@3\n" {
		t.Errorf("logged %q", got)
	}
}

func TestAStoppedProcessWaitsBeforeTheStepUntilItIsContinued(t *testing.T) {
	t.Parallel()
	w := walk(t, "file.write=stop@2")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, w.cmd.Process.Pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
		if err == nil && info.Signo == int32(syscall.SIGCHLD) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not stop")
		}
	}
	if got := w.logged(t); got != "file.write stop@2\n" {
		t.Errorf("logged %q before it goes on", got)
	}
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if s := w.wait(); s.ExitStatus() != 0 {
		t.Errorf("ended with %v: %s", s, w.err.String())
	}
	if !strings.HasSuffix(w.out.String(), "write 5 <nil>\n") {
		t.Errorf("got to %q", w.out.String())
	}
}

func TestAnErrnoIsReturnedWhereItWasAskedForAndNowhereElse(t *testing.T) {
	t.Parallel()
	w := walk(t, "file.write=ENOSPC@2 file.*=EIO@4 claim.time=ENOSPC@1")
	if s := w.wait(); s.ExitStatus() != 0 {
		t.Fatalf("ended with %v: %s", s, w.err.String())
	}
	want := ""
	for n, err := range []error{nil, syscall.ENOSPC, nil, syscall.EIO, nil} {
		want += fmt.Sprintln("time", n+1) + fmt.Sprintln("write", n+1, err)
	}
	if got := w.out.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := w.logged(t), "claim.time ENOSPC@1\nfile.write ENOSPC@2\nfile.write EIO@4\n"; got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestADelayIsTakenEachTimeWithoutANumber(t *testing.T) {
	t.Parallel()
	w := walk(t, "claim.*=delay(1ms)")
	if s := w.wait(); s.ExitStatus() != 0 {
		t.Fatalf("ended with %v: %s", s, w.err.String())
	}
	if got, want := w.logged(t), strings.Repeat("claim.time delay(1ms)\n", 5); got != want {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestAShareIsTakenAlwaysNeverOrInBetween(t *testing.T) {
	t.Parallel()
	taken := func(share string) (n int) {
		r, err := parse("EIO%" + share)
		if err != nil {
			t.Fatal(err)
		}
		for range 10_000 {
			if err := r.take(FileWrite); errors.Is(err, syscall.EIO) {
				n++
			}
		}
		return n
	}
	if n := taken("100"); n != 10_000 {
		t.Errorf("of 100 %%: %d of 10000", n)
	}
	// One in ten million runs is further off than this.
	if n := taken("20"); n < 1_800 || n > 2_200 {
		t.Errorf("of 20 %%: %d of 10000", n)
	}
}

func TestADelayLetsTimePass(t *testing.T) {
	t.Parallel()
	r, err := parse("delay(3ms)")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := r.take(ClaimTime); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 3*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestAProcessWhoseFaultsCannotBeInjectedDoesNotRun(t *testing.T) {
	t.Parallel()
	for rules, want := range map[string]string{
		"no.such.point=kill":      "names no point",
		"claim.tim=kill":          "names no point",
		"claim.time":              "unknown action",
		"claim.time=die":          "unknown action",
		"claim.time=ENOSUCH":      "unknown action",
		"claim.time=kill@":        "invalid syntax",
		"claim.time=kill@-1":      "invalid syntax",
		"claim.time=EIO%many":     "invalid syntax",
		"claim.time=delay(long)":  "invalid duration",
		"[=kill":                  "syntax error",
		"claim.time=kill@3 x=EIO": "names no point",
	} {
		w := walk(t, rules)
		if s := w.wait(); s.ExitStatus() != 2 || w.out.Len() > 0 || !strings.Contains(w.err.String(), want) {
			t.Errorf("%q: ended with %v, did %q, said %q; want %q", rules, s, w.out.String(), w.err.String(), want)
		}
	}
}

func TestEveryPointHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]Point{}
	for _, p := range All() {
		area, step, ok := strings.Cut(p.String(), ".")
		if other, twice := seen[p.String()]; twice || !ok || area == "" || step == "" {
			t.Errorf("point %d is named %q, as point %d", p, p, other)
		}
		seen[p.String()] = p
	}
}
