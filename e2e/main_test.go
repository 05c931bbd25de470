// Package e2e drives ringlog with real processes that are killed and stopped at
// any moment, and judges by the output files alone.
//
// The processes are this test's own binary, started again in a role (roles).
package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/unignore"
	"github.com/ringlog/ringlog/ring"
)

// roleVariable is what makes the test binary a worker or a reader.
const roleVariable = "RINGLOG_E2E_ROLE"

// roles are what a process can be told to do, with its arguments.
var roles = map[string]func(args []string) error{
	"replay":  replay,
	"count":   count,
	"drain":   drain,
	"stop":    stopInMidAppend,
	"parent":  parent,
	"orphan":  orphan,
	"listen":  listen,
	"crowd":   crowd,
	"levels":  levels,
	"trials":  trials,
	"follow":  follow,
	"hostile": hostile,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		unignore.Signals()
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		os.Exit(1)
	}
}

// process is a running role.
type process struct {
	*exec.Cmd
	out    *bufio.Reader // its standard output
	errors strings.Builder
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// spawn starts a role; it is killed with the test if it still runs then.
func spawn(t testing.TB, role string, args ...string) *process {
	t.Helper()
	p := command(role, args...)
	p.start(t)
	return p
}

func command(role string, args ...string) *process {
	p := &process{Cmd: exec.Command(os.Args[0], args...), ended: make(chan struct{})}
	p.Env = append(os.Environ(), roleVariable+"="+role)
	p.Stderr = &p.errors
	return p
}

func (p *process) start(t testing.TB) {
	t.Helper()
	// A pipe of our own: Wait would close that of StdoutPipe.
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout, p.out = w, bufio.NewReader(pipe)
	err = p.Cmd.Start()
	w.Close()
	if err != nil {
		pipe.Close()
		t.Fatal(err)
	}
	go func() {
		p.err = p.Cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		pipe.Close()
	})
}

// spawnGroup is spawn for a role that starts processes of its own: they are killed
// with the test too.
func spawnGroup(t testing.TB, role string, args ...string) *process {
	t.Helper()
	p := command(role, args...)
	p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.start(t)
	t.Cleanup(func() { _ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL) })
	return p
}

// kill kills p and waits for its end.
func (p *process) kill() {
	_ = p.Process.Kill() // it may have ended by itself
	<-p.ended
}

// alive says whether p has not ended yet.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// finish waits until p ends by itself, without an error.
func (p *process) finish(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(3 * time.Minute):
		t.Fatalf("%v does not end", p.Args[1:])
	}
	if p.err != nil {
		t.Fatalf("%v: %v: %s", p.Args[1:], p.err, p.errors.String())
	}
}

// signal sends a signal to p.
func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// line reads a line of p's standard output.
func (p *process) line(t testing.TB) string {
	t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v: %s", p.Args[1:], err, p.errors.String())
	}
	return strings.TrimSpace(s)
}

// until runs f again and again until it says true; it fails the test after a time
// that only a hang can take.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// newRing makes a ring with the smallest lanes.
func newRing(t testing.TB, lanes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "e2e.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

// rounds is n, or fewer in a short run.
func rounds(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}
