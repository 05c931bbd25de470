package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
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
	if code != 0 || !strings.Contains(said, "ringlog: lanes of 128 KiB instead of 4.0 MiB: ") || !strings.Contains(said, " has 8.0 MiB free, room for 16 workers\n") {
		t.Errorf("exit code %d, %s", code, said)
	}
	if !strings.Contains(said, "1 record of 1 worker") {
		t.Errorf("it says %s", said)
	}
}

func TestCreateMakesLanesSmallerWhereThereIsLittleRoomAndSaysSo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(smallDisk(t, "8m"), "r.ring")
	var stderr bytes.Buffer
	cmd := exec.Command("ringlog", "create", path, "--lanes", "16")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != path+"\n" {
		t.Errorf("%v, it prints %q", err, out)
	}
	if got := stderr.String(); !strings.HasPrefix(got, "ringlog: lanes of 128 KiB instead of 4.0 MiB: ") || !strings.HasSuffix(got, " has 8.0 MiB free, room for 16 workers\n") {
		t.Errorf("it says %q", got)
	}
	given := path + "2"
	if out, err := exec.Command("ringlog", "create", given, "--lane-size", "4MiB").CombinedOutput(); err != nil || string(out) != given+"\n" {
		t.Errorf("a size that is given: %v, %s", err, out)
	}
}

func TestRunRefusesADiskWithoutRoomForTheSmallestLanes(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "64k")
	code, said := ringlogRun(t, "echo ran >&2", "--ring", filepath.Join(dir, "r.ring"))
	if code != 125 || !strings.HasPrefix(said, "ringlog: no space: ") || !strings.HasSuffix(said, "; the command was not run\n") || strings.Count(said, "\n") != 1 {
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
	if code != 4 || !strings.Contains(said, "no space left on device") || !strings.Contains(said, " not drained, in 1 file: ") || !strings.Contains(said, next) {
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

func TestSummariesCountTheLossesThatNoOutputShowsYet(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "64k")
	path, out := filepath.Join(t.TempDir(), "r.ring"), filepath.Join(disk, "x.log")
	const given = 20000
	_, said := ringlogRun(t, fmt.Sprintf("head -c 1m /dev/zero >'%s/fill'; seq %d | ringlog append --policy drop", disk, given),
		"--ring", path, "--lane-size", "64KiB", "--out", out, "--format", "raw", "--max-size", "0")
	ofRun := lossesIn(t, said)
	args := []string{"drain", "--once", "--ring", path, "--out", out, "--format", "raw", "--max-size", "0"}
	text, err := exec.Command("ringlog", args...).CombinedOutput()
	if err == nil {
		t.Errorf("a full disk took everything: %s", text)
	}
	ofDrain := lossesIn(t, string(text))
	for _, said := range []string{said, string(text)} {
		if !regexp.MustCompile(`, [0-9.]+ KiB not drained, `).MatchString(said) {
			t.Errorf("not said how much is not drained: %s", said)
		}
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("ringlog", args...).CombinedOutput(); err != nil || strings.Contains(string(text), "not drained") {
		t.Fatalf("%v: %s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lost := given - bytes.Count(b, []byte("\n"))
	if lost == 0 || ofRun != lost || ofDrain > lost || ofDrain == 0 {
		t.Errorf("%d lost, said: %d by run, %d by drain", lost, ofRun, ofDrain)
	}
}

// lossesIn is how many lost records a summary counts.
func lossesIn(t *testing.T, said string) int {
	t.Helper()
	m := regexp.MustCompile(`, ([0-9,]+) lost, `).FindStringSubmatch(said)
	if m == nil {
		t.Fatalf("no summary in %s", said)
	}
	n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
