//go:build linux

package reader

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/format"
)

func fifo(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPipeThatNobodyReadsIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), fifo(t)
	_, err := Open(path, Options{Outputs: []Output{{Path: out}}})
	if !errors.Is(err, errStalled) || !strings.Contains(err.Error(), out) {
		t.Errorf("got %v", err)
	}
}

func TestAPipeGetsWhatAFileGets(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), fifo(t)
	end, err := os.OpenFile(out, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	p := attach(t, path, "w")
	say(t, p, "a", "b")
	drain(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
	b := make([]byte, 10)
	if n, err := end.Read(b); err != nil || string(b[:n]) != "a\nb\n" {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

// A pipe whose reader is stuck must not keep a drain that is to end from ending;
// what it did not take stays in the ring.
func TestAStalledPipeDoesNotOutliveItsDrain(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), fifo(t)
	end, err := unix.Open(out, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0) // and never reads
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(end)
	for {
		if _, err := unix.Write(end, make([]byte, 4096)); err != nil {
			break // full
		}
	}
	p := attach(t, path, "w")
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
	say(t, p, "a")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	stop()
	if err := <-done; !errors.Is(err, errStalled) {
		t.Errorf("ended with %v", err)
	}
	if p.Backlog() == 0 {
		t.Error("records that nobody took are gone from the ring")
	}
}
