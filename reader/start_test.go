//go:build linux

package reader

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// starting is what most tests start with: one raw file, small lanes in a folder of
// the test, and a Close that never gives up.
func starting(dir string) StartOptions {
	return StartOptions{
		Options: Options{Outputs: []Output{{Path: filepath.Join(dir, "out.log"), Format: format.Options{Name: "raw"}}}},
		Ring:    filepath.Join(dir, "start.ring"), Lanes: 4, LaneSize: ring.MinLaneSize, Linger: time.Hour,
	}
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v, want it gone", path, err)
	}
}

func TestStartDrainsAndCloseRemovesTheRingAndTheVariable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t)
	path := h.begin(t, starting(dir))
	h.want(t, "env", path)
	h.want(t, "log of the host", "ok")
	h.want(t, "closes 1", "ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "of the host\n" {
		t.Errorf("out.log: %q", got)
	}
	gone(t, path)
	h.want(t, "env", "")
	h.want(t, "log nobody drains this", "ok")
	until(t, "it is on standard error", func() bool { return h.errors.count("nobody drains this") == 1 })
	h.want(t, "done", "ok")
	if s := h.stats(t); s.Records != 1 || s.Workers != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestStartWithoutARingMakesOneInMemoryAndChildrenFindIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := starting(dir)
	o.Ring = ""
	h := startHost(t)
	path := h.begin(t, o)
	if filepath.Dir(path) != ring.DefaultDir() {
		t.Errorf("the ring is %s", path)
	}
	note := filepath.Join(dir, "w")
	h.want(t, "work "+note, "ok")
	until(t, "the worker works", func() bool { return noted(t, note) > 100 })
	h.want(t, "kill", "ok")
	h.want(t, "closes 1", "ok") // long before an hour, since nobody is attached any more
	checkNumbers(t, filepath.Join(dir, "out.log"), note)
	gone(t, path)
	if s := h.stats(t); s.Vanished != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestStartCalledAgainSharesTheDrainWhichTheLastCloseEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t)
	path := h.begin(t, starting(dir))
	o := starting(dir)
	o.Ring = ""
	for _, again := range []StartOptions{starting(dir), o} {
		h.want(t, "start "+encode(t, again), "started "+path)
	}
	until(t, "what becomes of the outputs is said", func() bool { return h.errors.count("this process drains "+path+" already") == 2 })
	o.Ring = filepath.Join(dir, "other.ring")
	if got := h.do(t, "start "+encode(t, o)); !strings.Contains(got, "this process drains "+path) {
		t.Errorf("another ring: %s", got)
	}
	h.want(t, "closes 4", "ok|ok|ok|ok") // of one of three Handles
	h.want(t, "log one", "ok")
	h.want(t, "closes 2", "ok|ok")
	h.want(t, "env", path)
	h.want(t, "log two", "ok")
	h.want(t, "closes 4", "ok|ok|ok|ok")
	h.want(t, "env", "")
	// All over again.
	h.begin(t, starting(dir))
	h.want(t, "log three", "ok")
	h.want(t, "closes 2", "ok|ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "one\ntwo\nthree\n" {
		t.Errorf("out.log: %q", got)
	}
}

// Whatever the loggers of this process have tried before, Start leads them to its
// ring, and Close away from it.
func TestLoggersOfThisProcessGoToTheRingOfStartAndLeaveItAtClose(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(t *testing.T, h *host, path string){
		"nothing before": func(*testing.T, *host, string) {},
		"the ring was not yet": func(t *testing.T, h *host, path string) {
			h.want(t, "setenv "+path, "ok")
			h.want(t, "log to standard error", "ok")
		},
		"another ring": func(t *testing.T, h *host, path string) {
			h.want(t, "setenv "+newRing(t, 2), "ok")
			h.want(t, "log to the other", "ok")
			h.want(t, "setenv "+path, "ok")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := startHost(t)
			o := starting(dir)
			o.Linger = -1 // the process's own lane must not keep the ring
			before(t, h, o.Ring)
			path := h.begin(t, o)
			h.want(t, "log in the ring", "ok")
			h.want(t, "closes 1", "ok")
			h.want(t, "log late", "ok")
			gone(t, path)
			if got := readFile(t, filepath.Join(dir, "out.log")); got != "in the ring\n" {
				t.Errorf("out.log: %q", got)
			}
		})
	}
}

func TestStartInAChildUsesTheRingOfTheParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parent := startHost(t)
	path := parent.begin(t, starting(dir))
	child := startHost(t, writer.RingVariable+"="+path)
	o := starting(dir) // the same program, and so the same options
	o.Ring = ""
	if got := child.begin(t, o); got != path {
		t.Errorf("the child uses %s", got)
	}
	child.want(t, "log of the child", "ok")
	child.want(t, "closes 2", "ok|ok")
	child.want(t, "env", path)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the child removed the ring: %v", err)
	}
	parent.want(t, "closes 1", "ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "of the child\n" {
		t.Errorf("out.log: %q", got)
	}
}

func TestStartDrainsWhatAnEarlierRunLeftInItsRing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := starting(dir)
	killed := startHost(t)
	path := killed.begin(t, o)
	p := attach(t, path, "w")
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-killed.ended
	say(t, p, "left over")
	closeLane(t, p)
	h := startHost(t)
	h.begin(t, o)
	h.want(t, "closes 1", "ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "left over\n" {
		t.Errorf("out.log: %q", got)
	}
	gone(t, path)
}

func TestStartReadsTheRingOfTheVariableIfNobodyDoesAndLeavesItInPlace(t *testing.T) {
	t.Parallel()
	dir, path := t.TempDir(), newRing(t, 2)
	say(t, attach(t, path, "w"), "waiting for a reader")
	o := starting(dir)
	o.Ring, o.Linger = "", -1
	h := startHost(t, writer.RingVariable+"="+path)
	if got := h.begin(t, o); got != path {
		t.Errorf("the host uses %s", got)
	}
	if got := h.do(t, "closes 1"); !strings.HasPrefix(got, ErrRingStays.Error()) {
		t.Errorf("Close: %s, with a worker attached", got)
	}
	h.want(t, "env", path)
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "waiting for a reader\n" {
		t.Errorf("out.log: %q", got)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the ring is gone: %v", err)
	}
}

func TestOneOfManyThatStartAtOnceReadsTheRingOfTheVariable(t *testing.T) {
	t.Parallel()
	dir, path := t.TempDir(), newRing(t, 8)
	o := starting(dir)
	o.Ring = ""
	var hosts []*host
	for range 4 {
		h := startHost(t, writer.RingVariable+"="+path)
		h.tell(t, "start "+encode(t, o))
		hosts = append(hosts, h)
	}
	for i, h := range hosts {
		if !h.out.Scan() || h.out.Text() != "started "+path {
			t.Fatalf("started: %s", h.out.Text())
		}
		h.want(t, fmt.Sprint("log ", i), "ok")
	}
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	slices.SortFunc(hosts, func(a, b *host) int { // the reader last: it waits for the others
		reads := func(h *host) int {
			if h.Process.Pid == in.Reader().PID {
				return 1
			}
			return 0
		}
		return cmp.Compare(reads(a), reads(b))
	})
	for _, h := range hosts {
		h.want(t, "closes 1", "ok")
	}
	if s := hosts[3].stats(t); s.Records != 4 || s.Vanished != 0 {
		t.Errorf("stats %+v", s)
	}
	lines := strings.Split(strings.TrimSpace(readFile(t, filepath.Join(dir, "out.log"))), "\n")
	slices.Sort(lines)
	if !slices.Equal(lines, []string{"0", "1", "2", "3"}) {
		t.Errorf("out.log: %q", lines)
	}
}

func TestLoggersOfThisProcessMoveToTheRingThatStartMakes(t *testing.T) {
	t.Parallel()
	dir, unread := t.TempDir(), newRing(t, 2)
	h := startHost(t, writer.RingVariable+"="+unread)
	h.want(t, "log into the unread ring", "ok")
	h.begin(t, starting(dir))
	h.want(t, "log into the new one", "ok")
	h.want(t, "closes 1", "ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "into the new one\n" {
		t.Errorf("out.log: %q", got)
	}
}

func TestStartMakesARingOfItsOwnWhereTheVariableNamesOneThatIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t, writer.RingVariable+"="+filepath.Join(dir, "gone.ring"))
	path := h.begin(t, starting(dir))
	h.want(t, "env", path)
	h.want(t, "closes 1", "ok")
}

func TestStartThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := starting(dir)
	first := startHost(t)
	first.begin(t, o)

	h := startHost(t)
	if got := h.do(t, "start "+encode(t, o)); !strings.Contains(got, "is drained by process") {
		t.Errorf("ring in use: %s", got)
	}
	o.Ring = filepath.Join(dir, "second.ring")
	if got := h.do(t, "start "+encode(t, o)); !strings.Contains(got, "out.log is held by pid") {
		t.Errorf("output in use: %s", got)
	}
	gone(t, o.Ring)
	h.want(t, "env", "")
	o.Outputs = nil
	if got := h.do(t, "start "+encode(t, o)); !strings.Contains(got, "no outputs given") {
		t.Errorf("no outputs: %s", got)
	}
	gone(t, o.Ring)
	first.want(t, "closes 1", "ok")
	h.begin(t, starting(dir)) // it can start now
	h.want(t, "closes 1", "ok")
}

func TestStartSaysThatEarlierRunsHaveLeftRings(t *testing.T) {
	t.Parallel()
	left, err := ring.DefaultPath("left-over")
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Create(left, ring.CreateOptions{Lanes: 1, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(left) })
	o := starting(t.TempDir())
	o.Ring = ""
	h := startHost(t)
	h.begin(t, o)
	until(t, "it is said", func() bool { return h.errors.count("rings of earlier runs lie in "+ring.DefaultDir()) == 1 })
	h.want(t, "closes 1", "ok")
	if _, err := os.Stat(left); err != nil {
		t.Error(err)
	}
}
