package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// drainUnder prepares `ringlog drain` to be started with a terminal or without, by a
// shell command line in which it is $DRAIN. What it says is in a file.
func drainUnder(t *testing.T, line string) *underRun {
	t.Helper()
	dir := t.TempDir()
	r := &underRun{dir: dir, ring: newRing(t, 2), log: filepath.Join(dir, "x.log")}
	r.process = process{Cmd: exec.Command("sh", "-c", line), ended: make(chan struct{})}
	r.Dir = dir
	r.Env = append(os.Environ(), fmt.Sprintf("DRAIN=%s drain --ring %s --out %s --format raw", build(t, "ringlog"), r.ring, r.log))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.said(t))
		}
	})
	return r
}

// logs appends a record, and waits until it is drained.
func (r *underRun) logs(t *testing.T, text string) {
	t.Helper()
	w, err := open(r.ring, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Append(record.LevelInfo, []byte(text)); err != nil {
		t.Fatal(err)
	}
	until(t, text+" to be in the log", func() bool {
		b, err := os.ReadFile(r.log)
		return err == nil && strings.HasSuffix(string(b), text+"\n")
	})
}

// reloads has the drain, which is process pid, reload, which it must say.
func (r *underRun) reloads(t *testing.T, pid int) {
	t.Helper()
	const says = "ringlog: reloaded: draining to 1 output\n"
	before := strings.Count(r.said(t), says)
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until(t, "the drain to reload", func() bool { return strings.Count(r.said(t), says) > before })
}

// drainsPID is the pid of the drain, which may be a child of r.
func (r *underRun) drainsPID(t *testing.T) int {
	t.Helper()
	in, err := ring.Inspect(r.ring)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	return in.Reader().PID
}

func TestASIGHUPReloadsAsLongAsTheDrainsTerminalIsThereAndEndsItWhenThatHangsUp(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"alone":         "exec $DRAIN 2>stderr",
		"under a shell": "$DRAIN 2>stderr; echo $? >code", // which gets the signal first, and dies of it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := drainUnder(t, line)
			r.withTerminal(t)
			r.logs(t, "one")
			drain := r.drainsPID(t)
			for range 3 {
				r.reloads(t, drain)
			}
			r.logs(t, "two")
			if err := r.stdin.(*os.File).Close(); err != nil {
				t.Fatal(err)
			}
			code := r.code(t)
			until(t, "the drain's end", func() bool { s := state(drain); return s == "" || s == "Z" })
			if lines, _ := r.logged(t); lines != "one two" || !strings.Contains(r.said(t), "ringlog: "+r.ring+": 2 records of ") {
				t.Errorf("logged %q", lines)
			}
			if name == "alone" && code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestASIGHUPReloadsADrainThatHasNoTerminal(t *testing.T) {
	t.Parallel()
	r := drainUnder(t, "exec $DRAIN 2>stderr")
	r.withPipe(t)
	r.logs(t, "one")
	for range 3 {
		r.reloads(t, r.Process.Pid)
	}
	r.logs(t, "two")
	r.signal(t, syscall.SIGTERM)
	if code := r.code(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if lines, _ := r.logged(t); lines != "one two" {
		t.Errorf("logged %q", lines)
	}
}
