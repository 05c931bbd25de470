//go:build linux

package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// rotateAndDie writes a line, and is killed after so many steps of a rotation.
func rotateAndDie(f *File, steps string) {
	n, err := strconv.Atoi(steps)
	if err != nil {
		panic(err)
	}
	if _, err := f.Write([]byte("child\n")); err != nil {
		panic(err)
	}
	r := &rotation{f: f}
	for _, step := range r.steps()[:n] {
		if err := step(); err != nil {
			panic(err)
		}
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

func TestRotationKilledAfterAnyStepLosesNothingAndIsTidiedUp(t *testing.T) {
	t.Parallel()
	for n := range len((&rotation{}).steps()) + 1 {
		t.Run(fmt.Sprintf("after %d steps", n), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "app.log")
			check(t, os.WriteFile(path, []byte("start\n"), 0o600))
			check(t, os.Chmod(path, 0o620))

			cmd := child(t, fmt.Sprintf("die-after-%d", n), path)
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
				t.Fatalf("child was not killed: %v", err)
			}

			f := open(t, path)
			write(t, f, "after\n")
			size := must[int64](t)(f.Size())
			check(t, f.Check(size))
			if got := history(t, path); got != "start\nchild\nafter\n" {
				t.Fatalf("history is %q", got)
			}
			if st := must[unix.Stat_t](t)(lstat(path)); st.Mode&0o777 != 0o620 {
				t.Fatalf("mode became %o", st.Mode)
			}
			must[string](t)(f.Rotate())
			write(t, f, "end\n")
			if got := history(t, path); got != "start\nchild\nafter\nend\n" {
				t.Fatalf("history is %q", got)
			}
		})
	}
}

// rotateForEver writes the number of each line, says so, and rotates.
func rotateForEver(f *File) {
	for line := lineCount(f.Path()); ; line++ {
		if _, err := fmt.Fprintln(f, line); err != nil {
			panic(err)
		}
		fmt.Println(line)
		if _, err := f.Rotate(); err != nil {
			panic(err)
		}
	}
}

// lineCount is how many lines the output and its backups have.
func lineCount(path string) (lines int) {
	old, err := Uncompressed(path)
	if err != nil {
		panic(err)
	}
	for _, name := range append(old, path) {
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		lines += bytes.Count(text, []byte{'\n'})
	}
	return lines
}

func TestRotatingProcessKilledAnywhereLeavesEachLineOnceAndInOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	said := -1
	for round := range 12 {
		cmd := child(t, "rotate", path)
		stdout, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		lines := bufio.NewScanner(stdout)
		for n := 0; n <= 3+5*round && lines.Scan(); n++ {
			said = must[int](t)(strconv.Atoi(lines.Text()))
		}
		check(t, cmd.Process.Kill())
		for lines.Scan() { // what it still said before it died
			said = must[int](t)(strconv.Atoi(lines.Text()))
		}
		_ = cmd.Wait() // says that it was killed
	}

	open(t, path)
	lines := strings.Fields(history(t, path))
	if len(lines) <= said {
		t.Fatalf("%d lines, but line %d was written", len(lines), said)
	}
	for i, line := range lines {
		if line != strconv.Itoa(i) {
			t.Fatalf("line %d says %s", i, line)
		}
	}
}

func TestRotateKeepsModeDespiteTheUmask(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	check(t, os.Chmod(path, 0o666))
	must[string](t)(f.Rotate())
	if st := must[unix.Stat_t](t)(lstat(path)); st.Mode&0o777 != 0o666 {
		t.Fatalf("mode became %o", st.Mode)
	}
}

func TestNeedsRotationFromTheGivenSizeOn(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	for _, c := range []struct {
		add  string
		max  int64
		want bool
	}{
		{"", 1, false},
		{"1234", 5, false},
		{"5", 5, true},
		{"", 0, false},
		{"", -1, false},
	} {
		write(t, f, c.add)
		if got := must[bool](t)(f.NeedsRotation(c.max)); got != c.want {
			t.Errorf("max %d: %v, want %v", c.max, got, c.want)
		}
	}
}

// stepwise runs a rotation with meddle in front of step i, as Rotate would.
func stepwise(f *File, i int, meddle func()) (*rotation, error) {
	r := &rotation{f: f}
	for j, step := range r.steps() {
		if j == i {
			meddle()
		}
		if err := step(); err != nil {
			return r, errors.Join(err, r.undo())
		}
	}
	return r, nil
}

const (
	beforeSetAside = 2
	beforePlace    = 3
)

func TestRotateTakesAFileThatAppearsInTheGap(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, "old\n")
	r, err := stepwise(f, beforePlace, func() {
		check(t, os.WriteFile(path, []byte("theirs\n"), 0o600))
	})
	check(t, err)
	write(t, f, "new\n")
	check(t, f.Check(11))
	wantContent(t, r.backup, "old\n")
	if got := history(t, path); got != "old\ntheirs\nnew\n" {
		t.Fatalf("history is %q", got)
	}
}

func TestRotateStaysWithTheOldFileWhenTheGapIsTakenAndLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, "old\n")
	r, err := stepwise(f, beforePlace, func() {
		check(t, os.Remove(tempName(path)))
		write(t, open(t, path), "theirs\n")
	})
	wantErr(t, err, ErrLocked)
	write(t, f, "more\n")
	wantErr(t, f.Check(9), ErrMoved)
	wantContent(t, r.backup, "old\nmore\n")
	wantContent(t, path, "theirs\n")
}

func TestRotateSucceedsWhenAnotherOpenFinishesIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, "old\n")
	_, err := stepwise(f, beforePlace, func() {
		_, err := Open(path)
		wantErr(t, err, ErrLocked)
	})
	check(t, err)
	write(t, f, "new\n")
	check(t, f.Check(4))
	if got := history(t, path); got != "old\nnew\n" {
		t.Fatalf("history is %q", got)
	}
}

func TestRotatePutsBackAFileThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, "old\n")
	_, err := stepwise(f, beforeSetAside, func() {
		check(t, os.Rename(path, path+".1"))
		check(t, os.WriteFile(path, []byte("theirs\n"), 0o600))
	})
	wantErr(t, err, ErrMoved)
	wantErr(t, f.Check(4), ErrMoved)
	wantContent(t, path, "theirs\n")
	wantContent(t, path+".1", "old\n")
	if got := names(t, filepath.Dir(path)); len(got) != 2 {
		t.Fatalf("left behind: %q", got)
	}
}

func TestRotateRefusesAFileThatIsNoLongerAtItsPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	check(t, os.Rename(path, path+".1"))
	_, err := f.Rotate()
	wantErr(t, err, ErrMoved)
	check(t, os.Remove(path+".1"))
	_, err = f.Rotate()
	wantErr(t, err, ErrRemoved)
}

func TestFailedRotateLeavesTheOldFileInPlaceAndWritable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	f := open(t, path)
	write(t, f, "old\n")
	_, err := stepwise(f, beforeSetAside, func() {
		// The greatest name there can be: no backup can sort after it.
		check(t, os.WriteFile(path+".99991231T235959.999999999Z", nil, 0o600))
	})
	if err == nil || !strings.Contains(err.Error(), "no name sorts after") {
		t.Fatalf("error is %v", err)
	}
	write(t, f, "more\n")
	check(t, f.Check(9))
	if got := history(t, path); got != "old\nmore\n" {
		t.Fatalf("history is %q", got)
	}
}

func TestForeignBytesUnderTheTemporaryNameAreNeverRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	check(t, os.WriteFile(tempName(path), []byte("whose?"), 0o600))
	_, err := f.Rotate()
	wantErr(t, err, unix.EEXIST)
	check(t, f.Check(0))
	wantContent(t, tempName(path), "whose?")
	check(t, f.Close())
	open(t, path)
	if got := history(t, path); got != "whose?" {
		t.Fatalf("history is %q", got)
	}
}

// A power loss may forget names and keep bytes.
func TestARotatedFileWhoseNamesAreForgottenKeepsItsBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	check(t, os.WriteFile(tempName(path), []byte("new\n"), 0o600))
	f := open(t, path)
	wantContent(t, path, "new\n")
	check(t, f.Close())
	check(t, os.WriteFile(tempName(path), []byte("newer\n"), 0o600))
	open(t, path)
	if got := history(t, path); got != "newer\nnew\n" {
		t.Fatalf("history is %q", got)
	}
}

func BenchmarkRotateAndPrune(b *testing.B) {
	f, err := Open(filepath.Join(b.TempDir(), "app.log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for b.Loop() {
		if _, err := f.Rotate(); err != nil {
			b.Fatal(err)
		}
		if _, err := Prune(f.Path(), Retention{Count: 5}, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
