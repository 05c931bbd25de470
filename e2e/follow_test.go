package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// follow path: prints what is written to the file of that name, as a shipper reads it:
// to the end of the file that it has open, and then the one that has the name now.
func follow(args []string) error {
	var f *os.File
	for {
		next, err := os.Open(args[0])
		switch {
		case errors.Is(err, os.ErrNotExist): // in the middle of a rotation
		case err != nil:
			return err
		case f != nil && sameFile(f, next):
			next.Close()
			next = nil
		}
		if f != nil {
			// Only now: what was written before the file lost its name is in it.
			if _, err := io.Copy(os.Stdout, f); err != nil {
				return err
			}
		}
		if next != nil {
			f.Close() // harmless if there is none
			f = next
			continue
		}
		time.Sleep(time.Millisecond)
	}
}

func sameFile(a, b *os.File) bool {
	x, err1 := a.Stat()
	y, err2 := b.Stat()
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// follower is a process that prints the lines of a counter that it follows.
type follower struct {
	name  string
	seen  atomic.Uint64 // the last number; all before came once, in order
	wrong chan string   // the first line that was not the next one
}

// watch reads what p prints.
func watch(name string, p *process) *follower {
	f := &follower{name: name, wrong: make(chan string, 1)}
	go func() {
		for in := bufio.NewReaderSize(p.out, 1<<20); ; {
			text, err := in.ReadString('\n')
			if err != nil {
				return // it was killed; who waits for more says so
			}
			number, _, _ := strings.Cut(text, " ")
			if n, err := strconv.ParseUint(number, 10, 64); err != nil || n != f.seen.Load()+1 {
				f.wrong <- fmt.Sprintf("%.40q where %d was to come", text, f.seen.Load()+1)
				return
			}
			f.seen.Add(1)
		}
	}()
	return f
}

// until waits until the follower has seen line n.
func (f *follower) until(t testing.TB, n uint64) {
	t.Helper()
	until(t, fmt.Sprint(f.name, " to see line ", n), func() bool {
		select {
		case line := <-f.wrong:
			t.Fatalf("%s: %s", f.name, line)
		default:
		}
		return f.seen.Load() >= n
	})
}

// A follower knows the file that it has open and the one that has the name. Of files that
// came and went between two of its looks it cannot know, whoever rotates them: so the next
// rotation is when both have come to the present file. The worker never pauses.
func TestFollowersOfALiveOutputSeeEachLineOnceAndInOrderOverAHundredRotations(t *testing.T) {
	t.Parallel()
	if v, err := exec.Command("tail", "--version").Output(); err != nil || !strings.Contains(string(v), "coreutils") {
		t.Skipf("needs the tail of coreutils: %v", err)
	}
	rotations := rounds(100, 20)
	path, out := newRing(t, 1), filepath.Join(t.TempDir(), "live.log")
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "raw"}}}}))
	r.line(t)
	tail := &process{Cmd: exec.Command("tail", "-F", "-n", "+1", "-s", "0.01", "--max-unchanged-stats=1", out), ended: make(chan struct{})}
	tail.Stderr = &tail.errors
	tail.start(t)
	followers := []*follower{watch("tail -F", tail), watch("the other follower", spawn(t, "follow", out))}

	n := newNotes(t, 1)
	counter := n.counter(t, path, 0)
	both := func(n uint64) {
		t.Helper()
		for _, f := range followers {
			f.until(t, n)
		}
	}
	both(1)
	for range rotations {
		if err := ring.Rotate(context.Background(), path); err != nil {
			t.Fatal(err)
		}
		// The next number may have been accepted before the rotation, and not be noted yet;
		// the one after it is in the new file.
		both(n.of(0) + 2)
	}
	counter.signal(t, syscall.SIGTERM)
	counter.finish(t)
	both(n.of(0))
	r.signal(t, syscall.SIGTERM)
	r.finish(t)
	if got := len(files(t, out)) - 1; got != rotations {
		t.Errorf("%d rotations, want %d", got, rotations)
	}
	t.Logf("%d lines in %d files", n.of(0), rotations+1)
}
