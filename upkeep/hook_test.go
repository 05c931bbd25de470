//go:build linux

package upkeep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

const (
	hookOutput  = "/logs/app.log"
	hookRotated = "/logs/app.log.20261123T184701.123456789Z.gz"
)

func TestAHookHasNoRingNoInputAndAGroupOfItsOwn(t *testing.T) { // not parallel: it sets a variable
	t.Setenv("RINGLOG_RING", "/dev/shm/ring")
	t.Setenv("RINGLOG_ROTATED", "another")
	t.Setenv("OF_THE_READER", "kept")
	out := filepath.Join(t.TempDir(), "out")
	h := shell(`{ echo "[$RINGLOG_RING] $RINGLOG_ROTATED $RINGLOG_OUTPUT $OF_THE_READER"; cat; echo $$ $(cut -d " " -f 5 /proc/$$/stat); } >%s`, out)
	if err := h.run(t.Context(), killAfter, hookOutput, hookRotated); err != nil {
		t.Fatal(err)
	}
	got := lines(t, out)
	if strings.Join(got[:len(got)-2], " ") != "[] "+hookRotated+" "+hookOutput+" kept" {
		t.Errorf("it saw %q", got)
	}
	if pid, group := got[len(got)-2], got[len(got)-1]; pid != group {
		t.Errorf("process %s is of the group %s", pid, group)
	}
}

func TestAHookInheritsNoDescriptorAndNoLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, out, gate := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out"), gate(t)
	f, err := logfile.Open(path)
	check(t, err)
	h := shell(`ls -l /proc/$$/fd >%s; read x <%s`, out, gate)
	ended := make(chan error)
	go func() { ended <- h.run(t.Context(), killAfter, path, hookRotated) }()
	opened, err := os.OpenFile(gate, os.O_WRONLY, 0)
	check(t, err)
	check(t, f.Close())
	again, err := logfile.Open(path) // as the hook runs
	check(t, err)
	check(t, again.Close())
	check(t, opened.Close())
	<-ended // read found nothing, and that is an error
	text, err := os.ReadFile(out)
	check(t, err)
	for line := range strings.Lines(string(text)) {
		_, target, ok := strings.Cut(line, " -> ")
		if target = strings.TrimSpace(target); ok && target != "/dev/null" && target != out && !strings.HasPrefix(target, "pipe:") {
			t.Errorf("it has %s", target)
		}
	}
	if !strings.Contains(string(text), "0 -> /dev/null") {
		t.Errorf("its standard input is another: %s", text)
	}
}

func TestAHookThatFailsSaysWhyAndWhatItSaidLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	notExecutable := filepath.Join(dir, "text")
	check(t, os.WriteFile(notExecutable, []byte("text"), 0o600))
	for name, c := range map[string]struct {
		hook Hook
		want string // behind the file's path
	}{
		"exit code":       {shell("exit 3"), ": /bin/sh: exit status 3"},
		"signal":          {shell("kill -9 $$"), ": /bin/sh: signal: killed"},
		"what it said":    {shell("echo to; echo both >&2; false"), `: /bin/sh: exit status 1; it said "to\nboth"`},
		"the last lines":  {shell("seq 100000; exit 1"), `: /bin/sh: exit status 1; it said "99998\n99999\n100000"`},
		"a long line":     {shell("printf '%%5000d' 7; exit 1"), fmt.Sprintf(": /bin/sh: exit status 1; it said %q", strings.Repeat(" ", 999)+"7")},
		"control":         {shell(`printf 'a\033[31mb\0\377'; exit 1`), `: /bin/sh: exit status 1; it said "a\x1b[31mb\x00\xff"`},
		"blank lines":     {shell(`printf 'a\n\n\n'; exit 1`), `: /bin/sh: exit status 1; it said "a"`},
		"not found":       {Hook{Command: []string{"no-such-hook"}}, `: start no-such-hook: exec: "no-such-hook": executable file not found in $PATH`},
		"not executable":  {Hook{Command: []string{notExecutable}}, ": start " + notExecutable + ": fork/exec " + notExecutable + ": permission denied"},
		"a directory":     {Hook{Command: []string{dir}}, ": start " + dir + ": fork/exec " + dir + ": permission denied"},
		"an empty string": {Hook{Command: []string{""}}, ": start : exec: no command"},
		"too long": {
			Hook{Command: []string{"/bin/sh", "-c", "echo begun; sleep 1000"}, Timeout: 3 * time.Second},
			`: /bin/sh: it took more than 3s, and was told to end; it said "begun"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.hook.run(t.Context(), killAfter, hookOutput, hookRotated)
			if err == nil || strings.TrimPrefix(err.Error(), "hook of "+hookRotated) != c.want {
				t.Errorf("got  %v\nwant hook of %s%s", err, hookRotated, c.want)
			}
		})
	}
}

func TestAHookThatSucceedsMaySayAnythingAndLeaveSomethingBehind(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	h := shell("seq 100000; seq 100000 >&2; sleep 1000 & echo $! >%s", pid)
	if err := h.run(t.Context(), killAfter, hookOutput, hookRotated); err != nil {
		t.Fatal(err)
	}
	left, err := strconv.Atoi(lines(t, pid)[0])
	check(t, err)
	if err := syscall.Kill(left, syscall.SIGKILL); err != nil {
		t.Errorf("what it left behind is gone: %v", err)
	}
}

func TestLittleIsKeptOfWhatAHookSays(t *testing.T) {
	t.Parallel()
	said := new(tail)
	for range 5 * tailSize {
		_, err := said.Write([]byte("x"))
		check(t, err)
	}
	if len(said.kept) != tailSize || cap(said.kept) > 4*tailSize {
		t.Errorf("%d bytes are kept, in %d", len(said.kept), cap(said.kept))
	}
}

// gone says that a process has ended, if perhaps nobody has asked for its status.
func gone(t *testing.T, pid string) bool {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return true
	}
	check(t, err)
	return strings.Contains(string(stat), ") Z ")
}

func TestAHookThatIsToEndGetsSIGTERMAndThenSIGKILLWithItsWholeGroup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string // $1: gate, $2: file for pids
		grace  time.Duration
		want   string
	}{
		"it obeys": {`echo $$ >$2; read x <$1; sleep 1000`, time.Minute, "was told to end"},
		"its child obeys": {
			`sleep 1000 & echo $$ $! >$2; read x <$1; wait`, time.Minute, "was told to end",
		},
		"it does not obey": {
			`trap "" TERM; echo $$ >$2; read x <$1; sleep 1000; sleep 1000`, 50 * time.Millisecond, "was killed",
		},
		"its child does not obey": {
			`(trap "" TERM; read x <$1; exec sleep 1000) & echo $$ $! >$2; wait`, 5 * time.Second,
			"was told to end; what it had started was killed",
		},
		"it ends well, but too late": {
			`sleep 1000 & trap "exit 0" TERM; echo $$ $! >$2; read x <$1; wait`, time.Minute, "was told to end",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate, pids := gate(t), filepath.Join(t.TempDir(), "pids")
			h := Hook{Command: []string{"/bin/sh", "-c", c.script, "hook", gate, pids}}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- h.run(ctx, c.grace, hookOutput, hookRotated) }()
			pass(t, gate)
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "context canceled, and it "+c.want) {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			for _, pid := range lines(t, pids) {
				for !gone(t, pid) { // for ever, if it was left alone
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
}

// A child of this test that nobody asks for its status is one.
func TestZombiesDoNotKeepAGroupAlive(t *testing.T) {
	t.Parallel()
	dead := exec.Command("/bin/true")
	dead.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	check(t, dead.Start())
	group := dead.Process.Pid
	for !gone(t, strconv.Itoa(group)) {
		time.Sleep(time.Millisecond)
	}
	if !groupEnds(group, make(chan time.Time)) { // for ever, if it counted
		t.Error("a zombie counts")
	}
	alive := exec.Command("/bin/sleep", "1000")
	alive.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
	check(t, alive.Start())
	over := make(chan time.Time)
	close(over)
	if groupEnds(group, over) {
		t.Error("one that lives does not count")
	}
	check(t, alive.Process.Kill())
	_ = alive.Wait() // says that it was killed
	check(t, dead.Wait())
	if onlyZombies(group) {
		t.Error("there is no group")
	}
}

func TestTheTimeLimitIsHalfAMinuteUnlessOneIsSet(t *testing.T) {
	t.Parallel()
	for set, want := range map[time.Duration]time.Duration{0: 30 * time.Second, -1: 30 * time.Second, time.Hour: time.Hour} {
		if h := (Hook{Timeout: set}); h.timeout() != want {
			t.Errorf("%v is %v", set, h.timeout())
		}
	}
}

func TestHooksLeaveNoDescriptorAndNoChildBehind(t *testing.T) { // not parallel: it counts
	h := Hook{Command: []string{"/bin/true"}}
	check(t, h.run(t.Context(), killAfter, hookOutput, hookRotated)) // what is made once is made now
	before := descriptors(t)
	for range 20 {
		check(t, h.run(t.Context(), killAfter, hookOutput, hookRotated))
		_ = (&Hook{Command: []string{"/bin/false"}}).run(t.Context(), killAfter, hookOutput, hookRotated)
		_ = (&Hook{Command: []string{"/no/such"}}).run(t.Context(), killAfter, hookOutput, hookRotated)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if out, _ := exec.Command("ps", "-o", "pid=,comm=", "--ppid", strconv.Itoa(os.Getpid())).Output(); strings.Contains(string(out), "true") || strings.Contains(string(out), "false") {
		t.Errorf("left are %s", out)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	check(t, err)
	return len(entries)
}
