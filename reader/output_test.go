//go:build linux

package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
	"golang.org/x/sys/unix"
)

// rawOut is an output whose lines are the records and nothing else.
func rawOut(dir string) (out string, o Options) {
	out = filepath.Join(dir, "out.log")
	return out, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}}
}

// numbers is the lines from number a up to b.
func numbers(a, b int) string {
	var s strings.Builder
	for i := a; i < b; i++ {
		fmt.Fprintf(&s, "record number %d\n", i)
	}
	return s.String()
}

func sayNumbers(t testing.TB, p *ring.Producer, a, b int) {
	t.Helper()
	for i := a; i < b; i++ {
		say(t, p, fmt.Sprint("record number ", i))
	}
}

func backups(t testing.TB, out string) []string {
	t.Helper()
	names, err := filepath.Glob(out + ".*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRotatedFilesThatAreRemovedAreCounted(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	rotating(&o, 2000, 2)
	sayNumbers(t, attach(t, path, "w"), 0, 1000)
	st, _ := drain(t, path, o)
	if left := len(backups(t, out)); left != 2 || st.Removed == 0 || st.Removed != st.Rotations-2 {
		t.Errorf("%d rotations, %d files removed, %d left", st.Rotations, st.Removed, left)
	}
}

func TestRotationLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	rotating(&o, 2000, 0)
	p := attach(t, path, "w")
	r, _ := openReader(t, path, o)
	for i := range 10 {
		sayNumbers(t, p, 100*i, 100*i+100)
		for look(t, r, time.Now()) {
		}
	}
	if got := readAll(t, out); got != numbers(0, 1000) {
		t.Errorf("%d bytes, want %d", len(got), len(numbers(0, 1000)))
	}
	old := backups(t, out)
	if uint64(len(old)) != r.Stats().Rotations || len(old) != len(numbers(0, 1000))/2005 {
		t.Errorf("%d backups, %d rotations", len(old), r.Stats().Rotations)
	}
	for _, name := range old {
		if n := len(readFile(t, name)); n < 2000 || n > 2020 {
			t.Errorf("%s has %d bytes: it is cut at the first record beyond 2000", name, n)
		}
	}
}

func TestRotationKeepsTheNewestFiles(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	rotating(&o, 100, 3)
	p := attach(t, path, "w")
	sayNumbers(t, p, 0, 200)
	drain(t, path, o)
	if n := len(backups(t, out)); n != 3 {
		t.Errorf("%d backups", n)
	}
	if got := readAll(t, out); !strings.HasSuffix(numbers(0, 200), got) || len(got) < 300 {
		t.Errorf("got %q", got)
	}
}

// A reader that dies between a batch and the rotation leaves a file that is due.
func TestAFileThatIsDueAtTheStartIsRotated(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	p := attach(t, path, "w")
	sayNumbers(t, p, 0, 100)
	drain(t, path, o)
	rotating(&o, 500, 0)
	sayNumbers(t, p, 100, 200)
	if st, _ := drain(t, path, o); st.Records != 100 {
		t.Errorf("%+v", st)
	}
	if got := readAll(t, out); got != numbers(0, 200) || len(backups(t, out)) < 2 {
		t.Errorf("%d backups, %q", len(backups(t, out)), got)
	}
}

func TestAFileThatCannotBeRotatedGoesOnGrowing(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	dir := t.TempDir()
	out, o := rawOut(dir)
	rotating(&o, 500, 0)
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	// A directory where the next file is to be made is in nobody's way but ours.
	obstacle := filepath.Join(dir, ".out.log.next")
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		sayNumbers(t, p, 100*i, 100*i+100)
		for look(t, r, time.Now()) {
		}
	}
	if got := readFile(t, out); got != numbers(0, 500) {
		t.Errorf("got %d bytes", len(got))
	}
	if n := said.count("rotation trouble:"); n != 1 {
		t.Errorf("said %d times: %s", n, said.String())
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	sayNumbers(t, p, 500, 501)
	look(t, r, time.Now())
	if got := readAll(t, out); got != numbers(0, 501) || len(backups(t, out)) != 1 {
		t.Errorf("%d backups, %d bytes", len(backups(t, out)), len(got))
	}
	if n := said.count("rotation trouble is over"); n != 1 {
		t.Errorf("said %d times that it is over", n)
	}
}

func TestWhatOthersDoToAnOutputCostsNoRecord(t *testing.T) {
	t.Parallel()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, out string)
		want string // in all files together, with 0…9 before, 10…19 after
		said string
	}{
		{"removed", func(t *testing.T, out string) { must(t, os.Remove(out)) }, numbers(10, 20), "output trouble"},
		{"renamed", func(t *testing.T, out string) { must(t, os.Rename(out, out+".1")) }, numbers(0, 20), ""},
		{"truncated", func(t *testing.T, out string) { must(t, os.Truncate(out, 0)) }, numbers(10, 20), ""},
		{"cut off", func(t *testing.T, out string) { must(t, os.Truncate(out, 5)) }, "recor" + numbers(10, 20), ""},
		{"replaced", func(t *testing.T, out string) {
			must(t, os.Rename(out, out+".1"))
			must(t, os.WriteFile(out, []byte("foreign\n"), 0o600))
		}, numbers(0, 15) + "foreign\n" + numbers(15, 20), ""},
		{"replaced by half a line", func(t *testing.T, out string) {
			must(t, os.Rename(out, out+".1"))
			must(t, os.WriteFile(out, []byte("foreign"), 0o600))
		}, numbers(0, 15) + "foreign\n" + numbers(15, 20), "half a line"},
		{"appended to", func(t *testing.T, out string) {
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString("foreign\n")
			must(t, errors.Join(err, f.Close()))
		}, numbers(0, 10) + "foreign\n" + numbers(10, 20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			out, o := rawOut(t.TempDir())
			p := attach(t, path, "w")
			r, said := openReader(t, path, o)
			sayNumbers(t, p, 0, 10)
			look(t, r, time.Now())
			c.do(t, out)
			sayNumbers(t, p, 10, 15)
			look(t, r, time.Now())
			sayNumbers(t, p, 15, 20)
			look(t, r, time.Now())
			if got := readAll(t, out); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if c.said != "" && said.count(c.said) == 0 {
				t.Errorf("said %q", said.String())
			}
			if p.Backlog() != 0 {
				t.Errorf("%d bytes in the ring", p.Backlog())
			}
		})
	}
}

// What others do between two pieces of one batch, of which the reader learns when
// it looks at the whole: the batch is written again, or was written elsewhere.
func TestWhatOthersDoToAnOutputInMidBatchCostsNoRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(out string) error
		want string
	}{
		{"removed", os.Remove, numbers(10, 20)},
		{"renamed", func(out string) error { return os.Rename(out, out+".1") }, numbers(0, 20)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			out, o := rawOut(t.TempDir())
			p := attach(t, path, "w")
			r, _ := openReader(t, path, o)
			sayNumbers(t, p, 0, 10)
			look(t, r, time.Now())
			sayNumbers(t, p, 10, 20)
			collect(t, r)
			n, err := r.outputs[0].file.Write(r.outputs[0].buf[:25])
			if err != nil {
				t.Fatal(err)
			}
			r.outputs[0].written = n
			if err := c.do(out); err != nil {
				t.Fatal(err)
			}
			if err := r.commit(context.Background()); err != nil {
				t.Fatal(err)
			}
			look(t, r, time.Now())
			if got := readAll(t, out); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestHalfALineOfAnEarlierUserIsEndedAndSaid(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := rawOut(t.TempDir())
	if err := os.WriteFile(out, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, attach(t, path, "w"), "whole")
	_, said := drain(t, path, o)
	if got := readFile(t, out); got != "half\nwhole\n" || said.count("half a line") != 1 {
		t.Errorf("got %q, said %q", got, said.String())
	}
}

// smallDisk mounts a file system of so many pages for the test.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no file system to fill, which takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskIsSaidOnceAndDrainingGoesOnWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 256<<10)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	path := newRing(t, 2)
	// Two outputs, so that one may be whole when the other is not.
	out, o := rawOut(disk)
	other := filepath.Join(t.TempDir(), "other.log")
	o.Outputs = append(o.Outputs, Output{Path: other, Format: format.Options{Name: "raw"}})
	rotating(&o, 100<<10, 0)
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	finish := start(t, r)
	n := 0
	until(t, "trouble", func() bool {
		for range 200 {
			if p.Append(fmt.Appendf(nil, "record number %d", n), 0, ring.KindRaw) == nil {
				n++
			}
		}
		return said.count("output trouble:") > 0
	})
	for p.Append(fmt.Appendf(nil, "record number %d", n), 0, ring.KindRaw) == nil {
		n++ // the lane fills up; nothing is taken from it any more
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the trouble", func() bool { return said.count("output trouble is over") > 0 })
	until(t, "an empty lane", func() bool { return p.Backlog() == 0 })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{out, other} {
		if got := readAll(t, name); got != numbers(0, n) {
			t.Errorf("%s: %d bytes, want %d", name, len(got), len(numbers(0, n)))
		}
	}
	if began, ended := said.count("output trouble:"), said.count("output trouble is over"); began != 1 || ended != 1 {
		t.Errorf("began %d times, ended %d times: %s", began, ended, said.String())
	}
}

// What Handle.Close waits for are workers, and there is none.
func TestAReaderWithoutWorkersThatIsToLeaveGivesUpAFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 64<<10)
	path := newRing(t, 2)
	_, o := rawOut(disk)
	p := attach(t, path, "w")
	for range 50 {
		if err := p.Append(bytes.Repeat([]byte("x"), 999), 0, ring.KindRaw); err != nil {
			t.Fatal(err)
		}
	}
	closeLane(t, p)
	if err := os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := openReader(t, path, o)
	linger, over := context.WithTimeout(t.Context(), time.Minute)
	defer over()
	leave, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.runUntil(linger, leave); !errors.Is(err, unix.ENOSPC) || linger.Err() != nil {
		t.Errorf("got %v; the linger: %v", err, linger.Err())
	}
}

func TestAReaderThatIsToEndGivesUpAFullDiskAndTheRecordsStay(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, 64<<10)
	path := newRing(t, 2)
	out, o := rawOut(disk)
	other, elsewhere := rawOut(t.TempDir())
	p := attach(t, path, "w")
	line := bytes.Repeat([]byte("x"), 999)
	for range 50 {
		if err := p.Append(line, 0, ring.KindRaw); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	if err := r.Run(context.Background()); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("got %v", err)
	}
	if p.Backlog() == 0 {
		t.Fatal("the records were taken from the ring")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// The next reader undoes what is half written, and writes it elsewhere.
	drain(t, path, elsewhere)
	if got := readFile(t, out); got != "" {
		t.Errorf("%d bytes were left in the full file", len(got))
	}
	if got := strings.Count(readFile(t, other), "\n"); got != 50 {
		t.Errorf("%d lines elsewhere", got)
	}
}
