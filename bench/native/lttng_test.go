package native

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/bench/peer"
)

// These tests are not parallel, since all LTTng of this machine shares a file in
// /dev/shm, which the last session is to remove.

func TestWhatSeveralProcessesTellLTTngArrivesWhole(t *testing.T) {
	for _, what := range []peer.Payload{peer.Message, peer.Fields} {
		t.Run(string(what), func(t *testing.T) {
			dirs := testDirs(t)
			s := open(t, t.Context(), find(t, "LTTng-UST"), dirs, 2, what)
			bursts(t, s, 5, 10_000, 3000)
			settled, err := s.Settle(t.Context())
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			if settled.Arrived != 26_010 || settled.Bytes == 0 || settled.At.IsZero() {
				t.Errorf("%+v, want 26010 records", settled)
			}
			nothingIsLeft(t, s)
			checkWithBabeltrace(t, filepath.Join(dirs.Logs, "trace"), settled.Arrived)
		})
	}
}

// checkWithBabeltrace has another program count.
func checkWithBabeltrace(t *testing.T, trace string, want uint64) {
	t.Helper()
	if _, err := exec.LookPath("babeltrace2"); err != nil {
		t.Log("no babeltrace2 to count")
		return
	}
	out, err := exec.Command("babeltrace2", trace, "--component=sink.utils.counter", "--params=step=+0").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if m := regexp.MustCompile(`(\d+) Event messages`).FindSubmatch(out); m == nil || string(m[1]) != strconv.FormatUint(want, 10) {
		t.Errorf("babeltrace2 counts otherwise than %d:\n%s", want, out)
	}
}

// The consumer daemon is stopped, and the worker stays on one CPU, so that its buffers get
// full.
func TestWhatLTTngDiscardsHasNotArrived(t *testing.T) {
	const calls = 500_000 // more than these buffers hold
	s := open(t, t.Context(), find(t, "LTTng-UST"), testDirs(t), 1, peer.Message)
	d := s.(*lttngSession).daemon
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var consumers []int
	for _, path := range children {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			consumers = append(consumers, pid)
		}
	}
	for _, pid := range consumers {
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	var allowed, one unix.CPUSet
	worker := s.Crew()[0].Pid()
	if err := unix.SchedGetaffinity(worker, &allowed); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !allowed.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(worker, &one); err != nil {
		t.Fatal(err)
	}
	bursts(t, s, calls)
	for _, pid := range consumers {
		if err := unix.Kill(pid, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	settled, err := s.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("lttng", "--no-sessiond", "list", "bench")
	d.admit(list)
	listed, err := list.Output()
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`Discarded events: (\d+)`).FindSubmatch(listed)
	if m == nil || settled.Arrived >= calls || string(m[1]) != strconv.FormatUint(calls-settled.Arrived, 10) {
		t.Errorf("%d of %d arrived, and LTTng says:\n%s", settled.Arrived, calls, listed)
	}
}

func TestASessionOfLTTngEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := open(t, ctx, find(t, "LTTng-UST"), testDirs(t), 1, peer.Message)
	cancel()
	daemon, worker := s.(*lttngSession).daemon.process.Process.Pid, s.Crew()[0].Pid()
	_ = s.Close() // the worker was killed, which is said
	for _, pid := range []int{daemon, worker} {
		if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
			t.Errorf("process %d is there: %v", pid, err)
		}
	}
	nothingIsLeft(t, s)
}

func TestAHomeTooLongForSocketsIsRefused(t *testing.T) {
	_, err := startDaemon(t.Context(), filepath.Join(testDirs(t).Work, strings.Repeat("x", 100)))
	skipMissing(t, err)
	if err == nil || !strings.Contains(err.Error(), "too long for LTTng's sockets") {
		t.Errorf("got %v", err)
	}
}

// nothingIsLeft looks for what a session leaves beside its folders, and for sockets. Of
// the files in /dev/shm it looks at those that other users of LTTng do not make.
func nothingIsLeft(t *testing.T, s peer.Session) {
	t.Helper()
	d := s.(*lttngSession).daemon
	names := []string{filepath.Join(d.home, ".lttng")}
	for _, name := range d.shared {
		if strings.HasSuffix(name, strconv.Itoa(d.uid)) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}
}
