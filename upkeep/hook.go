//go:build linux

package upkeep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

const (
	defaultTimeout = 30 * time.Second
	// killAfter is how long a process group has to end after SIGTERM.
	killAfter = 2 * time.Second
	// outputDelay is how long the end of a hook's output is waited for when the hook has
	// ended, and a process that it left behind still has it open. Reading what the hook itself
	// has said takes a while, too, on a busy machine.
	outputDelay = time.Second
	// groupEvery is how often is looked whether a process group still is there.
	groupEvery = 20 * time.Millisecond
)

// run runs the hook for one rotated file of an output, and returns when it has ended: by
// itself; or because it took too long, or ctx has ended, by SIGTERM to its process group,
// and by SIGKILL after grace.
func (h *Hook) run(ctx context.Context, grace time.Duration, path, rotated string) error {
	said := new(tail)
	cmd := exec.Command(h.Command[0], h.Command[1:]...)
	cmd.Env = append(withoutRing(os.Environ()), "RINGLOG_ROTATED="+rotated, "RINGLOG_OUTPUT="+path)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = outputDelay
	err := failpoint.Err(failpoint.HookStart)
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("hook of %s: start %s: %w", rotated, h.Command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	limit := time.NewTimer(h.timeout())
	defer limit.Stop()
	select {
	case err = <-ended:
		if errors.Is(err, exec.ErrWaitDelay) {
			err = nil // it succeeded; who still has its output is no matter
		}
	case <-limit.C:
		err = fmt.Errorf("it took more than %v, and %s", h.timeout(), end(cmd.Process.Pid, ended, grace))
	case <-ctx.Done():
		err = fmt.Errorf("%w, and it %s", ctx.Err(), end(cmd.Process.Pid, ended, grace))
	}
	if err != nil {
		return fmt.Errorf("hook of %s: %s: %w%s", rotated, h.Command[0], err, said.lastLines())
	}
	return nil
}

func (h *Hook) timeout() time.Duration {
	if h.Timeout <= 0 {
		return defaultTimeout
	}
	return h.Timeout
}

// withoutRing keeps a hook that logs from logging into the ring whose files it is given.
func withoutRing(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "RINGLOG_RING=") })
}

// end ends a hook, and whatever else is in its process group, and says how that went.
func end(pid int, ended <-chan error, grace time.Duration) string {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
		if groupEnds(pid, patience.C) {
			return "was told to end"
		}
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		return "was told to end; what it had started was killed"
	case <-patience.C:
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	// One that hangs in a system call, of a dead network disk, must not hold up others.
	patience.Reset(killAfter)
	select {
	case <-ended:
		return "was killed"
	case <-patience.C:
		return "cannot be killed"
	}
}

// groupEnds waits until no process of the group runs. Nobody tells of that.
func groupEnds(group int, patience <-chan time.Time) bool {
	look := time.NewTicker(groupEvery)
	defer look.Stop()
	for !errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) && !onlyZombies(group) {
		select {
		case <-look.C:
		case <-patience:
			return false
		}
	}
	return true
}

// onlyZombies says that what is left of a group has ended. What a dead hook had started is for
// the first process of the system to reap, which may take seconds, and in a container whose
// first process is no init for ever.
func onlyZombies(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	seen := false
	for _, path := range stats {
		stat, _ := os.ReadFile(path) // who is gone by now is none of them
		var state string
		var parent, of int
		behind := stat[bytes.LastIndexByte(stat, ')')+1:] // of the name, in which anything may be
		if n, _ := fmt.Sscan(string(behind), &state, &parent, &of); n < 3 || of != group {
			continue
		}
		if state != "Z" && state != "X" {
			return false
		}
		seen = true
	}
	return seen
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const (
	tailSize  = 1000 // bytes
	tailLines = 3
)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[max(0, len(p)-tailSize):]...)
	t.kept = append(t.kept[:0], t.kept[max(0, len(t.kept)-tailSize):]...)
	return len(p), nil
}

// lastLines is what is to follow a message; empty if nothing was written.
func (t *tail) lastLines() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimRight(string(t.kept), "\n"), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	return fmt.Sprintf("; it said %q", strings.Join(lines, "\n"))
}
