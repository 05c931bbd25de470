//go:build linux

package reader

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

func TestSignalDrainsEveryAcceptedRecordAndThenEndsTheProcess(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := startHost(t)
			path := h.begin(t, starting(dir))
			var notes []string
			for i := range 3 {
				notes = append(notes, filepath.Join(dir, fmt.Sprint("w", i)))
				h.want(t, "work "+notes[i], "ok")
			}
			for _, note := range notes {
				until(t, "the worker works", func() bool { return noted(t, note) > 1000 })
			}
			// As a terminal does it: to the workers too.
			if err := syscall.Kill(-h.Process.Pid, s); err != nil {
				t.Fatal(err)
			}
			<-h.ended
			if !h.status.Signaled() || h.status.Signal() != s {
				t.Errorf("the host ended with %v", h.status)
			}
			for _, note := range notes {
				checkNumbers(t, filepath.Join(dir, "out.log"), note)
			}
			gone(t, path)
		})
	}
}

func TestSecondSignalEndsTheProcessAtOnceAndTheRingKeepsTheRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t)
	path := h.begin(t, starting(dir))
	other := attach(t, path, "stays attached")
	h.tell(t, "closes 1") // and so it never answers
	until(t, "Close waits", func() bool { return h.errors.count("waiting up to 1h0m0s") == 1 })
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} { // two of a kind could be taken for one
		if err := h.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	<-h.ended
	if !h.status.Signaled() {
		t.Errorf("the host ended with %v", h.status)
	}
	say(t, other, "accepted")
	drain(t, path, Options{Outputs: starting(dir).Outputs})
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "accepted\n" {
		t.Errorf("out.log: %q", got)
	}
}

func TestCloseLeavesTheRingToWorkersThatStayLongerThanLinger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := starting(dir)
	o.Linger = -1
	h := startHost(t)
	path := h.begin(t, o)
	stays := attach(t, path, "w\x1b[2J")
	say(t, stays, "before")
	answer := h.do(t, "closes 1")
	if !strings.HasPrefix(answer, ErrRingStays.Error()) || !strings.HasSuffix(answer, "go on with: ringlog drain --ring "+path+" --out FILE") ||
		strings.Contains(answer, "\x1b") || !strings.Contains(answer, "is still attached") {
		t.Errorf("Close: %q", answer)
	}
	until(t, "the log has it too", func() bool { return h.errors.count(ErrRingStays.Error()) == 1 })
	say(t, stays, "after")
	closeLane(t, stays)
	drain(t, path, Options{Outputs: o.Outputs})
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "before\nafter\n" {
		t.Errorf("out.log: %q", got)
	}
}

func TestCloseWaitsForWorkersWithinLinger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t)
	path := h.begin(t, starting(dir))
	p := attach(t, path, "w")
	h.tell(t, "closes 1")
	until(t, "Close waits", func() bool { return h.errors.count("waiting up to") == 1 })
	say(t, p, "late")
	closeLane(t, p)
	h.want(t, "env", "ok") // the answer of closes
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "late\n" {
		t.Errorf("out.log: %q", got)
	}
	gone(t, path)
}

func TestSignalClosesTheLaneOfAChildOfTheReader(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parent := startHost(t)
	path := parent.begin(t, starting(dir))
	child := startHost(t, writer.RingVariable+"="+path)
	child.begin(t, starting(dir))
	child.want(t, "log of the child", "ok")
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-child.ended
	if !child.status.Signaled() || child.status.Signal() != syscall.SIGTERM {
		t.Errorf("the child ended with %v", child.status)
	}
	parent.want(t, "closes 1", "ok")
	if s := parent.stats(t); s.Records != 1 || s.Vanished != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestCloseReturnsWhyDrainingEndedBefore(t *testing.T) {
	t.Parallel()
	t.Run("ring truncated", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		h := startHost(t)
		path := h.begin(t, starting(dir))
		h.want(t, "log from a lane of its own", "ok")
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		why := h.do(t, "done")
		if !strings.Contains(why, ring.ErrTruncated.Error()) {
			t.Errorf("Err: %s", why)
		}
		if got := h.do(t, "closes 1"); !strings.HasSuffix(got, why) {
			t.Errorf("Close: %s", got)
		}
	})
	t.Run("pipe closed", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		o := starting(dir)
		fifo := filepath.Join(dir, "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		end, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		o.Outputs = append(o.Outputs, Output{Path: fifo})
		h := startHost(t)
		path := h.begin(t, o)
		end.Close()
		h.want(t, "log kept", "ok")
		why := h.do(t, "done")
		if got := h.do(t, "start "+encode(t, starting(dir))); !strings.Contains(got, "this process drains "+path+" no more: "+why) {
			t.Errorf("Start on a drain that has failed: %s", got)
		}
		if !strings.Contains(why, "broken pipe") || !strings.HasSuffix(why, "ringlog drain --ring "+path+" --out FILE") {
			t.Errorf("Err: %s", why)
		}
		h.want(t, "closes 1", why)
		drain(t, path, Options{Outputs: o.Outputs[:1]})
		if got := readFile(t, filepath.Join(dir, "out.log")); got != "kept\n" {
			t.Errorf("out.log: %q", got)
		}
	})
}

func TestSignalsAreTheProgramsOwnIfItSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := starting(dir)
	o.OwnSignals = true
	h := startHost(t)
	path := h.begin(t, o)
	if err := h.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-h.ended // at once, since the host handles none
	if !h.status.Signaled() || h.status.Signal() != syscall.SIGTERM {
		t.Errorf("the host ended with %v", h.status)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("somebody removed the ring: %v", err)
	}
}

func TestSignalThatWasIgnoredStaysIgnored(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHostBy(t, exec.Command("sh", "-c", `trap "" INT; exec "$0"`, os.Args[0]))
	h.begin(t, starting(dir))
	if err := h.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	h.want(t, "log still there", "ok")
	h.want(t, "closes 1", "ok")
}

// It gets the signal twice, and goes on; by then the ring is gone.
func TestAProgramThatCatchesSignalsItselfIsNotEndedByOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHost(t)
	path := h.begin(t, starting(dir))
	h.want(t, "catch", "ok")
	h.want(t, "log before", "ok")
	if err := h.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	h.want(t, "caught", "terminated")
	h.want(t, "caught", "terminated")
	until(t, "it is told", func() bool { return h.errors.count("the program goes on after the signal terminated") == 1 })
	gone(t, path)
	h.want(t, "log after", "ok")
	h.want(t, "closes 1", "ok")
	if got := readFile(t, filepath.Join(dir, "out.log")); got != "before\n" {
		t.Errorf("out.log: %q", got)
	}
}

// Nobody is attached any more, but somebody was, after the drain had its last look.
func TestARingThatStaysIsDrainedOfWhatCameAtTheLastMoment(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), filepath.Join(t.TempDir(), "out.log")
	r, err := Open(path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{hosted: &hosted{ring: path}, reader: r}
	p := attach(t, path, "late")
	say(t, p, "accepted")
	closeLane(t, p)
	why, err := s.part(t.Context())
	if why == "" || err != nil {
		t.Errorf("part with an undrained lane: %q, %v", why, err)
	}
	leave, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.run(t.Context(), leave); err != nil {
		t.Error(err)
	}
	if got := readFile(t, out); got != "accepted\n" {
		t.Errorf("out.log: %q", got)
	}
}

// Else a Start that comes between the two would get a Handle on a drain that ends.
func TestTheLastCloseLetsNobodyJoinAnyMore(t *testing.T) {
	t.Parallel()
	h := &hosted{users: 2, over: make(chan struct{})}
	close(h.over)
	ended := false
	h.end = func() error {
		current.Lock()
		defer current.Unlock()
		if ended = true; !h.closing {
			t.Error("the drain ends, and others may join it")
		}
		return nil
	}
	for _, want := range []bool{false, true} {
		if err := h.release(); err != nil || ended != want {
			t.Errorf("release: %v, ended %v, want %v", err, ended, want)
		}
	}
}
