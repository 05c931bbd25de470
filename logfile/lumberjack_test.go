//go:build linux

package logfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"gopkg.in/natefinch/lumberjack.v2"
)

// Each test here shows a trap in lumberjack itself first, so that it is known
// when a new version no longer has it, and then that a File does not fall in.

func TestQuickRotationsKeepEveryByteOnceUnlikeLumberjacks(t *testing.T) {
	t.Parallel()
	const rotations = 200

	// Two of them fall in one millisecond sooner or later, also on a busy machine.
	collided := false
	for try := 0; try < 100 && !collided; try++ {
		l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
		for range 20 {
			fmt.Fprintln(l, "line")
			check(t, l.Rotate())
		}
		check(t, l.Close())
		collided = len(names(t, filepath.Dir(l.Filename))) < 20+1
	}
	if !collided {
		t.Error("lumberjack's backups no longer overwrite each other")
	}

	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	var want strings.Builder
	for i := range rotations {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		write(t, f, line)
		must[string](t)(f.Rotate())
	}
	if got := must[[]string](t)(Uncompressed(f.Path())); len(got) != rotations {
		t.Fatalf("%d backups, want %d", len(got), rotations)
	}
	if history(t, f.Path()) != want.String() {
		t.Fatal("bytes are missing, twice there or out of order")
	}
}

func TestBackupsDoNotMatchTheLogPatternUnlikeLumberjacks(t *testing.T) {
	t.Parallel()
	matches := func(path string) int {
		return len(must[[]string](t)(filepath.Glob(filepath.Join(filepath.Dir(path), "*.log"))))
	}
	l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
	fmt.Fprintln(l, "line")
	check(t, l.Rotate())
	check(t, l.Close())
	if matches(l.Filename) != 2 {
		t.Error("lumberjack's backups no longer match *.log")
	}

	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	must[string](t)(f.Rotate())
	if n := matches(f.Path()); n != 1 {
		t.Fatalf("%d files match *.log", n)
	}
}

func TestTruncatingUnderANewFileLeavesNoHoleUnlikeLumberjacks(t *testing.T) {
	t.Parallel()
	l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
	fmt.Fprintln(l, "first")
	check(t, os.Truncate(l.Filename, 0))
	fmt.Fprintln(l, "second")
	check(t, l.Close())
	if !bytes.Contains(must[[]byte](t)(os.ReadFile(l.Filename)), []byte{0}) {
		t.Error("lumberjack appends to a file that it created")
	}

	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	for range 2 { // the second time in the file that a rotation made
		write(t, f, "first\n")
		check(t, os.Truncate(f.Path(), 0))
		wantErr(t, f.Check(6), ErrTruncated)
		write(t, f, "second\n")
		wantContent(t, f.Path(), "second\n")
		must[string](t)(f.Rotate())
	}
}

func TestFailedOpenRenamesNothingUnlikeLumberjacks(t *testing.T) {
	t.Parallel()
	// A path that can be looked at but not opened for writing, also by root: a
	// folder. lumberjack takes any failure as leave to rename what is there.
	l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
	check(t, os.Mkdir(l.Filename, 0o755))
	fmt.Fprintln(l, "line")
	check(t, l.Close())
	if len(names(t, filepath.Dir(l.Filename))) != 2 {
		t.Error("lumberjack no longer renames what it fails to open")
	}

	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "app.log"), 0o755))
	_, err := Open(filepath.Join(dir, "app.log"))
	wantErr(t, err, ErrNotRegular)
	if got := names(t, dir); len(got) != 1 {
		t.Fatalf("folder has %q", got)
	}

	// And the name that lumberjack is given cannot be renamed even by root.
	f := open(t, filepath.Join(dir, "real.log"))
	name := procName(f.fd)
	if err := os.Rename(name, name+"-moved"); err == nil {
		t.Fatal("renamed a name in /proc")
	}
	check(t, f.Check(0))
}

func TestRemovedFileIsNoticedUnlikeByLumberjack(t *testing.T) {
	t.Parallel()
	l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
	fmt.Fprintln(l, "first")
	check(t, os.Remove(l.Filename))
	if _, err := fmt.Fprintln(l, "second"); err != nil {
		t.Errorf("lumberjack noticed: %v", err)
	}
	check(t, l.Close())

	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	check(t, os.Remove(f.Path()))
	write(t, f, "line\n")
	wantErr(t, f.Check(5), ErrRemoved)
	check(t, f.Close())
	f = open(t, f.Path())
	write(t, f, "line\n")
	check(t, f.Check(5))
}

func TestTornRecordOnAFullDiskIsKnownUnlikeToLumberjacksRotate(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{'x'}, 300<<10)
	l := &lumberjack.Logger{Filename: filepath.Join(smallDisk(t), "app.log")}
	if n, err := l.Write(long); err == nil || n == 0 {
		t.Fatalf("disk is not full: %d, %v", n, err)
	}
	if err := l.Rotate(); err != nil {
		t.Errorf("lumberjack's Rotate noticed: %v", err)
	}
	check(t, l.Close())

	f := open(t, filepath.Join(smallDisk(t), "app.log"))
	n, err := f.Write(long)
	wantErr(t, err, unix.ENOSPC)
	check(t, f.Check(int64(n)))
	wantErr(t, f.Check(int64(len(long))), ErrTruncated)
}

// Not parallel: it counts the goroutines of the whole process.
func TestRotationAndReopeningAddNoGoroutines(t *testing.T) {
	cleanUps := func() int {
		buf := make([]byte, 1<<20)
		return strings.Count(string(buf[:runtime.Stack(buf, true)]), "created by gopkg.in/natefinch/lumberjack")
	}
	l := &lumberjack.Logger{Filename: filepath.Join(t.TempDir(), "app.log")}
	before := cleanUps()
	fmt.Fprintln(l, "line")
	check(t, l.Close())
	if cleanUps() != before+1 {
		t.Error("lumberjack's goroutine ends with Close")
	}

	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	before = cleanUps()
	for range 20 {
		write(t, f, "line\n")
		must[string](t)(f.Rotate())
	}
	for range 20 {
		check(t, f.Close())
		f = open(t, f.Path())
	}
	if now := cleanUps(); now != before {
		t.Fatalf("%d clean-up goroutines became %d", before, now)
	}
}
