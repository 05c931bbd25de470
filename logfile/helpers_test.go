//go:build linux

package logfile

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// childVar names what the test binary does when it is run again as a child, and
// childPath on which output.
const (
	childVar  = "LOGFILE_TEST_CHILD"
	childPath = "LOGFILE_TEST_PATH"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childVar); role != "" {
		os.Exit(runChild(role, os.Getenv(childPath)))
	}
	os.Exit(m.Run())
}

func runChild(role, path string) int {
	if kind, ok := strings.CutPrefix(role, "compress-"); ok {
		return compressAndTell(path, kind)
	}
	f, err := Open(path)
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	switch step, isStep := strings.CutPrefix(role, "die-after-"); {
	case isStep:
		rotateAndDie(f, step)
	case role == "rotate":
		rotateForEver(f)
	case role == "hold":
		os.Stdout.WriteString("held\n")
		var until [1]byte
		_, _ = os.Stdin.Read(until[:]) // until the parent closes it
	}
	return 0
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+role, childPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

// open opens path and closes it with the test.
func open(t *testing.T, path string) *File {
	t.Helper()
	f := must[*File](t)(Open(path))
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func write(t *testing.T, f *File, s string) {
	t.Helper()
	if n, err := f.Write([]byte(s)); err != nil || n != len(s) {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(s), err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got := must[[]byte](t)(os.ReadFile(path)); string(got) != want {
		t.Fatalf("%s has %.200q (%d bytes), want %.200q (%d bytes)", path, got, len(got), want, len(want))
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for _, e := range must[[]os.DirEntry](t)(os.ReadDir(dir)) {
		names = append(names, e.Name())
	}
	return names
}

// history is all bytes of an output, its backups in the order of their names and
// then the file itself; it fails if anything else is in the folder.
func history(t *testing.T, path string) string {
	t.Helper()
	var all bytes.Buffer
	old := must[[]string](t)(Uncompressed(path))
	for _, name := range append(slices.Clone(old), path) {
		all.Write(must[[]byte](t)(os.ReadFile(name)))
	}
	if got := names(t, filepath.Dir(path)); len(got) != len(old)+1 {
		t.Fatalf("folder has %q, want the output and %d backups", got, len(old))
	}
	return all.String()
}

// smallDisk is a file system of 256 KiB for this test alone.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a full disk needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
