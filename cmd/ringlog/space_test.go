package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCreateOnAFullDiskNamesThePathThatWasGiven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("ringlog-test", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("a full disk needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "a.ring")
	out, err := exec.Command("ringlog", "create", path).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("%v, want exit code 4", err)
	}
	if text := string(out); !strings.HasPrefix(text, "ringlog: no space: "+path+": wanted ") || strings.Contains(text, ".new-") {
		t.Errorf("it says %q", text)
	}
}
