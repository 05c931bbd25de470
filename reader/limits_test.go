//go:build linux

package reader

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limited says that this is the child in which the process's limits may be changed.
const limited = "READER_TEST_LIMITED"

func TestTooManyOpenFilesAreATroubleThatEnds(t *testing.T) {
	t.Parallel()
	if os.Getenv(limited) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), limited+"=1")
		if said, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(said), "PASS") {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	rotating(&o, 300, 0)
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	sayNumbers(t, p, 0, 10)
	look(t, r, time.Now())
	// What is done in the background takes descriptors too, whenever it gets to run.
	if err := r.keeper.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	free, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = uint64(free.Fd())
	free.Close()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	// An output that is opened again takes the descriptors of the one that is closed for
	// it; a rotation needs more.
	for n := 10; n < 30; n += 10 {
		sayNumbers(t, p, n, n+10)
		look(t, r, time.Now())
	}
	if st, err := os.Stat(out); err != nil || st.Size() != int64(len(numbers(0, 30))) || r.Stats().Retries != 2 {
		t.Errorf("%d retries, %v, %v", r.Stats().Retries, st, err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	sayNumbers(t, p, 30, 31)
	look(t, r, time.Now())
	if got := readAll(t, out); got != numbers(0, 31) || r.Stats().Rotations != 1 {
		t.Errorf("%d rotations, %q", r.Stats().Rotations, got)
	}
	if began, ended := said.count("rotation trouble: "), said.count("trouble is over"); began != 1 || ended != 1 || said.count(unix.EMFILE.Error()) != 1 {
		t.Errorf("began %d times, ended %d times: %s", began, ended, said.String())
	}
}
