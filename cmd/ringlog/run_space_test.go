package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system in memory that has the given size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("ringlog-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// ringlogRun runs `ringlog run` with a shell script as its command, and returns its
// exit code and what it said.
func ringlogRun(t *testing.T, script string, flags ...string) (code int, said string) {
	t.Helper()
	cmd := exec.Command("ringlog", append(append([]string{"run"}, flags...), "--", "sh", "-c", script)...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = t.TempDir(), &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stderr.String()
}

func TestRunMakesLanesSmallerWhereThereIsLittleRoomAndSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(smallDisk(t, "8m"), "r.ring")
	code, said := ringlogRun(t, "echo x | ringlog append", "--ring", path, "--lanes", "16")
	if code != 0 || !strings.Contains(said, "ringlog: lanes of 128 KiB instead of 4.0 MiB: ") || !strings.Contains(said, " has 8.0 MiB free\n") {
		t.Errorf("exit code %d, %s", code, said)
	}
	if !strings.Contains(said, "1 record of 1 worker") {
		t.Errorf("it says %s", said)
	}
}

func TestRunRefusesADiskWithoutRoomForTheSmallestLanes(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "64k")
	code, said := ringlogRun(t, "echo ran >&2", "--ring", filepath.Join(dir, "r.ring"))
	if code != 4 || !strings.HasPrefix(said, "ringlog: no space: ") || strings.Count(said, "\n") != 1 {
		t.Errorf("exit code %d, %s", code, said)
	}
	if list, err := os.ReadDir(dir); len(list) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

func TestRunLeavesWhatAFullDiskDoesNotTakeInTheRing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "64k")
	path, out := filepath.Join(t.TempDir(), "r.ring"), filepath.Join(disk, "x.log")
	code, said := ringlogRun(t, "seq 20000 | ringlog append", "--ring", path, "--out", out, "--format", "raw", "--max-size", "0")
	next := "go on with: ringlog drain --once --ring " + path + " --out " + out + " --format raw --max-size 0\n"
	if code != 4 || !strings.Contains(said, "no space left on device") || !strings.Contains(said, next) {
		t.Errorf("exit code %d, %s", code, said)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(next)[3:]
	if text, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	want, err := exec.Command("seq", "20000").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes are in the log, want %d, %v", len(got), len(want), err)
	}
}
