//go:build linux && failpoints

package reader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/ring"
	"golang.org/x/sys/unix"
)

// refuse makes the system call behind point fail with errno, times times. What makes the call
// in the background must have ended before left is read, and before the test ends.
func refuse(t *testing.T, point failpoint.Point, errno unix.Errno, times int, each func()) (left *int) {
	t.Helper()
	left = &times
	failpoint.Inject = func(p failpoint.Point) error {
		if p != point || *left == 0 {
			return nil
		}
		*left--
		if each != nil {
			each()
		}
		return errno
	}
	t.Cleanup(func() { failpoint.Inject = nil })
	return left
}

// shown is how many errors the ring says its reader has met, and the last text.
func shown(t *testing.T, path string) (uint64, string) {
	t.Helper()
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	return in.Reader().Errors, in.Reader().LastError
}

// These tests are not parallel: failpoint.Inject is there once.

func TestAnySystemCallThatFailsForAWhileIsSaidOnceCountedAndCostsNothing(t *testing.T) {
	const times = 3
	type failure struct {
		point failpoint.Point
		errno unix.Errno
		sync  Sync
		what  string // how the messages begin
		lines int    // how often a line may be there
	}
	failures := []failure{
		{failpoint.FileLock, unix.ENOLCK, SyncNone, "output", 1},
		{failpoint.FileCreate, unix.EACCES, SyncNone, "rotation", 1},
		{failpoint.FileCreate, unix.EMFILE, SyncNone, "rotation", 1},
		{failpoint.FileCreate, unix.EROFS, SyncBatch, "rotation", 1},
		{failpoint.FileSetAside, unix.EROFS, SyncNone, "rotation", 1},
		{failpoint.FilePlace, unix.EACCES, SyncNone, "rotation", 1},
		{failpoint.FilePlace, unix.EDQUOT, SyncInterval, "rotation", 1},
		{failpoint.FilePrune, unix.EACCES, SyncNone, "pruning", 1},
		{failpoint.FileSync, unix.EIO, SyncInterval, "sync", 1},
		{failpoint.RingSync, unix.EIO, SyncInterval, "sync", 1},
		{failpoint.RingSync, unix.EIO, SyncBatch, "sync", 1},
		{failpoint.FileSync, unix.EIO, SyncBatch, "output", 2},
		{failpoint.FileSync, unix.ENOSPC, SyncBatch, "output", 2},
		{failpoint.DirSync, unix.EIO, SyncBatch, "output", 2},
	}
	for _, errno := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EDQUOT} {
		failures = append(failures, failure{failpoint.FileWrite, errno, SyncNone, "output", 1})
	}
	for _, errno := range []unix.Errno{unix.EMFILE, unix.ENFILE, unix.EACCES, unix.EROFS} {
		failures = append(failures, failure{failpoint.FileOpen, errno, SyncNone, "output", 1})
	}
	for _, f := range failures {
		t.Run(fmt.Sprintf("%v %s sync %v", f.point, unix.ErrnoName(f.errno), f.sync), func(t *testing.T) {
			path := newRing(t, 2)
			out, o := rawOut(t.TempDir())
			o.Sync, o.SyncEvery = f.sync, time.Nanosecond
			rotating(&o, 2000, 100)
			if f.point == failpoint.FilePrune {
				rotating(&o, 2000, 1)
			}
			if f.point == failpoint.FileSync && f.sync == SyncInterval {
				rotating(&o, 0, 0) // rotation would fail, too
			}
			p := attach(t, path, "w")
			r, said := openReader(t, path, o)
			n := 0
			batch := func() {
				sayNumbers(t, p, n, n+60)
				n += 60
				rotations, failures := r.Stats().Rotations, r.keeper.Stats().Failures
				for look(t, r, time.Now()) {
					r.syncDue(time.Now())
				}
				if f.what == "pruning" && r.Stats().Rotations > rotations { // or one attempt could be for several
					until(t, "an attempt to prune", func() bool {
						return len(backups(t, out)) <= 1 || r.keeper.Stats().Failures > failures
					})
				}
			}
			batch()
			if f.point == failpoint.FileOpen || f.point == failpoint.FileLock {
				// So that it is opened again.
				if err := os.Rename(out, out+".0"); err != nil {
					t.Fatal(err)
				}
				sayNumbers(t, p, n, n+1) // goes to where the file is by now
				n++
				look(t, r, time.Now())
			}
			if said.count("trouble") > 0 {
				t.Fatalf("before anything failed: %s", said.String())
			}
			attempts := uint64(0)
			left := refuse(t, f.point, f.errno, times, func() {
				if attempts++; attempts == 1 || f.what == "pruning" { // which tries several files at once
					return
				}
				if n, text := shown(t, path); n != attempts-1 || !strings.Contains(text, f.errno.Error()) {
					t.Errorf("the ring shows %d errors, the last one %q, after %d attempts", n, text, attempts-1)
				}
				if f.what == "output" && p.Backlog() == 0 {
					t.Error("records were taken out of the ring before they were in the file")
				}
			})
			t.Cleanup(func() { r.Close() }) // if the test ends early: its upkeep makes the call
			for range 12 {
				batch()
			}
			if err := r.drainRest(context.Background()); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if *left != 0 {
				t.Fatalf("the call was refused %d times", times-*left)
			}
			began, ended := said.count(f.what+" trouble:"), said.count(f.what+" trouble is over")
			if began != 1 || ended != 1 || said.count("trouble") != 2 {
				t.Errorf("began %d times, ended %d times: %s", began, ended, said.String())
			}
			retries := uint64(times)
			if f.what == "pruning" { // one file is refused at first, and two at the next rotation
				retries = 2
			}
			if got := r.Stats().Retries; got != retries {
				t.Errorf("%d retries, want %d", got, retries)
			}
			if f.what == "pruning" {
				if left := backups(t, out); len(left) != 1 {
					t.Errorf("left are %q", left)
				}
				return
			}
			seen := map[string]int{}
			for line := range strings.Lines(readAll(t, out)) {
				seen[line]++
			}
			for line := range strings.Lines(numbers(0, n)) {
				if c := seen[line]; c < 1 || c > f.lines {
					t.Fatalf("%q is there %d times", line, c)
				}
			}
			if len(seen) != n {
				t.Errorf("%d lines, want %d", len(seen), n)
			}
		})
	}
}

// A disk that fails again and again must not be given the batch again and again.
func TestABatchThatCannotBeSyncedIsWrittenAgainOnlyOnce(t *testing.T) {
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	o.Sync = SyncBatch
	p := attach(t, path, "w")
	r, _ := openReader(t, path, o)
	sayNumbers(t, p, 0, 10)
	refuse(t, failpoint.FileSync, unix.EIO, 5, nil)
	look(t, r, time.Now())
	if got := readFile(t, out); got != numbers(0, 10)+numbers(0, 10) {
		t.Errorf("got %q", got)
	}
}

func TestAnIntentThatCannotBeRolledBackStopsTheReaderAndStays(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.EROFS} {
		v := newVictim(t, 0)
		v.writeUpTo(t, v.batch(), 300)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		refuse(t, failpoint.FileTruncate, errno, 1, nil)
		if r, err := Open(v.path, v.opts); !errors.Is(err, errno) {
			r.Close()
			t.Fatalf("got %v", err)
		}
		v.check(t, 0, false)
	}
}

func TestAFailedSyncAtTheEndIsAnError(t *testing.T) {
	path := newRing(t, 2)
	_, o := rawOut(t.TempDir())
	o.Sync, o.SyncEvery, o.Until = SyncInterval, time.Hour, UntilEmpty
	r, _ := openReader(t, path, o)
	sayNumbers(t, attach(t, path, "w"), 0, 10)
	refuse(t, failpoint.FileSync, unix.EIO, 1, nil)
	if err := r.Run(t.Context()); !errors.Is(err, unix.EIO) {
		t.Errorf("got %v", err)
	}
}

// block puts a file where the folder dir was, which is set aside.
func block(t *testing.T, dir string) (aside string) {
	t.Helper()
	aside = dir + ".aside"
	if err := errors.Join(os.Rename(dir, aside), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	return aside
}

func TestTwoOutputsThatFailAreSaidAndEndEachForItself(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	root := t.TempDir()
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	o := Options{Outputs: []Output{
		{Path: filepath.Join(a, "out.log"), Format: format.Options{Name: "raw"}},
		{Path: filepath.Join(b, "out.log"), Format: format.Options{Name: "raw"}},
	}}
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	sayNumbers(t, p, 0, 10)
	look(t, r, time.Now())
	// What is done in the background would meet, and say, trouble of its own, if it came late.
	if err := r.keeper.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	asideA, asideB := block(t, a), block(t, b)
	finish := start(t, r)
	sayNumbers(t, p, 10, 20) // they go where the files are now
	until(t, "an empty lane", func() bool { return p.Backlog() == 0 })
	sayNumbers(t, p, 20, 30)
	until(t, "two troubles", func() bool { return said.count("output trouble: ") == 2 })
	until(t, "more attempts", func() bool { return r.Stats().Retries > 4 })
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of one", func() bool { return said.count("trouble is over") == 1 })
	if said.count("over after") != said.count(filepath.Join(a, "out.log")+"\"") {
		t.Errorf("said %s", said.String())
	}
	if p.Backlog() == 0 {
		t.Error("records were taken out of the ring that one output has not")
	}
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	until(t, "an empty lane", func() bool { return p.Backlog() == 0 })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	for _, dirs := range [][2]string{{asideA, a}, {asideB, b}} {
		got := readFile(t, filepath.Join(dirs[0], "out.log")) + readFile(t, filepath.Join(dirs[1], "out.log"))
		if got != numbers(0, 30) {
			t.Errorf("%s: %q", dirs[1], got)
		}
	}
	if began, ended := said.count("output trouble: "), said.count("trouble is over"); began != 2 || ended != 2 {
		t.Errorf("began %d times, ended %d times: %s", began, ended, said.String())
	}
}
