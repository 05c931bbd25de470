//go:build linux

package logfile

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenIsRefusedWithThePidUnderEachNameOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	open(t, path)
	hard, soft := filepath.Join(dir, "hard.log"), filepath.Join(dir, "soft.log")
	check(t, os.Link(path, hard))
	check(t, os.Symlink("app.log", soft))
	for _, other := range []string{path, hard, soft} {
		_, err := Open(other)
		wantHeldBy(t, err, os.Getpid())
	}
}

func TestOpenIsRefusedWhileAnotherProcessHoldsTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	cmd := child(t, "hold", path)
	stdin, err := cmd.StdinPipe()
	check(t, err)
	stdout, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("child says %q: %v", line, err)
	}
	_, err = Open(path)
	wantHeldBy(t, err, cmd.Process.Pid)
	_, err = Rollback(Pending{Path: path})
	wantHeldBy(t, err, cmd.Process.Pid)

	check(t, stdin.Close())
	check(t, cmd.Wait())
	open(t, path)
}

func wantHeldBy(t *testing.T, err error, pid int) {
	t.Helper()
	wantErr(t, err, ErrLocked)
	var locked *LockedError
	if !errors.As(err, &locked) || !slices.Contains(locked.PIDs, pid) { // a child that another test is just starting has it, too
		t.Fatalf("error is %v, want it to name pid %d", err, pid)
	}
	if !strings.Contains(err.Error(), locked.Path) || !strings.Contains(err.Error(), fmt.Sprint(pid)) {
		t.Fatalf("message lacks file or pid: %v", err)
	}
}

func TestClosingLumberjacksDescriptorKeepsTheLock(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	check(t, f.detach())
	_, err := Open(f.Path())
	wantErr(t, err, ErrLocked)
}

func TestCloseFreesTheLockThoughACopyOfTheDescriptorLives(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	for _, letGo := range []func() (string, error){
		func() (string, error) { return f.Rotate() },
		func() (string, error) { return f.Path(), f.Close() },
	} {
		copied := must[int](t)(unix.FcntlInt(f.fd.Fd(), unix.F_DUPFD_CLOEXEC, 0)) // as in a forked child
		path := must[string](t)(letGo())
		open(t, path)
		check(t, unix.Close(copied))
	}
}

func TestRotatedFileIsFreeAndTheNewOneLocked(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	backup := must[string](t)(f.Rotate())
	_, err := Open(f.Path())
	wantErr(t, err, ErrLocked)
	open(t, backup)
}

func TestLockedErrorSaysWhenTheHolderIsUnknown(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"logfile: output is in use: /a.log is held by an unknown process": &LockedError{Path: "/a.log"},
		"logfile: output is in use: /a.log is held by pid 7 9":            &LockedError{Path: "/a.log", PIDs: []int{7, 9}},
	} {
		if err.Error() != want {
			t.Errorf("message is %q, want %q", err, want)
		}
	}
}

func TestOnlyLinesOfRecordLocksOnTheFileCount(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"pos:\t0\nlock:\t1: OFDLCK  ADVISORY  WRITE -1 fe:00:42 0 EOF\n": true,
		"lock:\t1: POSIX  ADVISORY  WRITE 9 fe:00:42 0 EOF\n":            true,
		"lock:\t1: FLOCK  ADVISORY  WRITE 9 fe:00:42 0 EOF\n":            false,
		"lock:\t1: OFDLCK  ADVISORY  WRITE -1 fe:00:142 0 EOF\n":         false,
		"lock:\n": false,
		"":        false,
	} {
		if got := showsLock([]byte(text), 42); got != want {
			t.Errorf("showsLock(%q) = %v", text, got)
		}
	}
}
