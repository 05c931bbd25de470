//go:build linux

package upkeep

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ringlog/ringlog/logfile"
)

// said is what a Keeper logs.
type said struct {
	slog.Handler // not asked
	mu           sync.Mutex
	lines        []string
	changed      chan struct{}
}

func newSaid() *said { return &said{changed: make(chan struct{}, 1)} }

func (s *said) Enabled(context.Context, slog.Level) bool { return true }

func (s *said) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, r.Message)
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return nil
}

func (s *said) count(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// wait returns when text was said n times.
func (s *said) wait(text string, n int) {
	for s.count(text) < n {
		<-s.changed
	}
}

// keeper is closed with the test, if not before.
func keeper(t testing.TB) (*Keeper, *said) {
	t.Helper()
	s := newSaid()
	k := New(slog.New(s))
	k.grace = 50 * time.Millisecond
	t.Cleanup(k.Close)
	return k, s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open opens an output and closes it with the test.
func open(t testing.TB, path string) *logfile.File {
	t.Helper()
	f, err := logfile.Open(path)
	check(t, err)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// rotate writes text to f and sets it aside.
func rotate(t testing.TB, f *logfile.File, text string) (backup string) {
	t.Helper()
	_, err := f.Write([]byte(text))
	check(t, err)
	backup, err = f.Rotate()
	check(t, err)
	return backup
}

// setAside makes a file that was rotated from path at that instant.
func setAside(t testing.TB, path string, at time.Time, text string) (backup string) {
	t.Helper()
	backup = logfile.BackupName(path, at)
	check(t, os.WriteFile(backup, []byte(text), 0o600))
	return backup
}

// wantNames fails unless just these files are in the folder.
func wantNames(t testing.TB, dir string, want ...string) {
	t.Helper()
	var got []string
	entries, err := os.ReadDir(dir)
	check(t, err)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want = slices.Clone(want)
	for i := range want {
		want[i] = filepath.Base(want[i])
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("folder has %d files:\n%q, want %d:\n%q", len(got), got, len(want), want)
	}
}

// content is what a rotated file has in it, in whichever form.
func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	var r io.Reader = bytes.NewReader(b)
	switch filepath.Ext(path) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".zst":
		r, err = zstd.NewReader(r)
	}
	check(t, err)
	b, err = io.ReadAll(r)
	check(t, err)
	return string(b)
}

// shell is a hook.
func shell(script string, args ...any) Hook {
	return Hook{Command: []string{"/bin/sh", "-c", fmt.Sprintf(script, args...)}}
}

// lines are those of a file that a hook has written; none if there is none.
func lines(t testing.TB, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if !os.IsNotExist(err) {
		check(t, err)
	}
	return strings.Fields(string(b))
}

// gate is a pipe at which a hook waits: `read x <PATH` in its script.
func gate(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "gate")
	check(t, syscall.Mkfifo(path, 0o600))
	return path
}

// pass lets one hook through a gate, when it has come there.
func pass(t testing.TB, gate string) {
	t.Helper()
	f, err := os.OpenFile(gate, os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteString("go\n")
	check(t, err)
	check(t, f.Close())
}

// smallDisk is a file system of 256 KiB for this test alone.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a full disk needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// fill takes all that is left of a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	check(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	check(t, f.Close())
}
