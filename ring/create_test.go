package ring

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRingsGoToTheTemporaryFolderWhereTheOneInMemoryIsOfNoUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for shm, want := range map[string]string{dir: dir, file: "temp", filepath.Join(dir, "none"): "temp"} {
		if got := writable(shm, "temp"); got != want {
			t.Errorf("%s: %s, want %s", shm, got, want)
		}
	}
	readOnly := t.TempDir()
	if os.Getuid() != 0 {
		if err := os.Chmod(readOnly, 0o500); err != nil {
			t.Fatal(err)
		}
	} else if err := unix.Mount("ringlog-test", readOnly, "tmpfs", unix.MS_RDONLY, ""); err != nil {
		t.Skipf("root writes everywhere but where it may mount read-only: %v", err)
	} else {
		t.Cleanup(func() { unix.Unmount(readOnly, unix.MNT_DETACH) })
	}
	if got := writable(readOnly, "temp"); got != "temp" {
		t.Errorf("a folder without the right to write: %s", got)
	}
}
