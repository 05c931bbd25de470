//go:build linux

package logfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenMakesFoldersAndAppendsToWhatIsThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "trials", "deep", "17.log")
	f := open(t, path)
	write(t, f, "one\n")
	check(t, f.Sync())
	check(t, f.Close())

	f = open(t, path)
	write(t, f, "two\n")
	if size := must[int64](t)(f.Size()); size != 8 {
		t.Fatalf("size is %d, want 8", size)
	}
	check(t, f.Check(8))
	wantContent(t, path, "one\ntwo\n")
	dev, ino, err := f.Identity()
	check(t, err)
	if st := must[unix.Stat_t](t)(lstat(path)); st.Dev != dev || st.Ino != ino {
		t.Fatal("identity is not the file's")
	}
}

func TestOpenMakesModesByTheUsualRules(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "app.log")
	open(t, path)
	// The umask of the test is not known, but it can only take bits away.
	if st := must[unix.Stat_t](t)(lstat(path)); st.Mode&0o777&^0o644 != 0 {
		t.Fatalf("file has mode %o", st.Mode)
	}
	if st := must[unix.Stat_t](t)(lstat(filepath.Dir(path))); st.Mode&0o777&^0o755 != 0 {
		t.Fatalf("folder has mode %o", st.Mode)
	}
}

func TestOpenRefusesWhatIsNotARegularFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	check(t, unix.Mkfifo(fifo, 0o600))
	link := filepath.Join(dir, "link")
	check(t, os.Symlink(fifo, link))
	for _, path := range []string{dir, fifo, link, "/dev/null", "/dev/full"} {
		_, err := Open(path)
		wantErr(t, err, ErrNotRegular)
	}
}

func TestOpenRefusesNamesThatCouldNotBeRotated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, strings.Repeat("x", 225)))
	wantErr(t, err, unix.ENAMETOOLONG)
	if got := names(t, dir); len(got) != 0 {
		t.Fatalf("refused, but made %q", got)
	}
}

func TestOpenFollowsLinksOnceAlsoToNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check(t, os.Mkdir(filepath.Join(dir, "big"), 0o755))
	link := filepath.Join(dir, "app.log")
	check(t, os.Symlink("big/real.log", link))
	f := open(t, link)
	if want := filepath.Join(dir, "big", "real.log"); f.Path() != want {
		t.Fatalf("path is %s, want %s", f.Path(), want)
	}
	write(t, f, "before\n")
	must[string](t)(f.Rotate())
	write(t, f, "after\n")
	wantContent(t, link, "after\n")
	if got := history(t, f.Path()); got != "before\nafter\n" {
		t.Fatalf("history is %q", got)
	}

	loop := filepath.Join(dir, "loop")
	check(t, os.Symlink("loop", loop))
	_, err := Open(loop)
	wantErr(t, err, unix.ELOOP)
}

func TestEndPartialLineEndsOnlyAnUnfinishedLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content, want string
	}{
		"empty":   {"", ""},
		"whole":   {"a\n", "a\n"},
		"partial": {"a\nhal", "a\nhal\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "app.log")
			check(t, os.WriteFile(path, []byte(c.content), 0o600))
			f := open(t, path)
			for _, ended := range []bool{c.content != c.want, false} {
				if got := must[bool](t)(f.EndPartialLine()); got != ended {
					t.Fatalf("ended = %v, want %v", got, ended)
				}
				wantContent(t, path, c.want)
			}
		})
	}
}

func TestCheckTellsWhatHappenedToTheFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(path string) error
		want error
	}{
		"nothing":   {func(string) error { return nil }, nil},
		"removed":   {os.Remove, ErrRemoved},
		"truncated": {func(p string) error { return os.Truncate(p, 1) }, ErrTruncated},
		"grown": {func(p string) error {
			f, err := os.OpenFile(p, os.O_WRONLY|os.O_APPEND, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteString("x")
			return err
		}, ErrGrown},
		"moved":        {func(p string) error { return os.Rename(p, p+".1") }, ErrMoved},
		"folder moved": {func(p string) error { return os.Rename(filepath.Dir(p), filepath.Dir(p)+".old") }, ErrMoved},
		"folder made a file": {func(p string) error {
			if err := os.Rename(filepath.Dir(p), filepath.Dir(p)+".old"); err != nil {
				return err
			}
			return os.WriteFile(filepath.Dir(p), nil, 0o600)
		}, ErrMoved},
		"folder removed": {func(p string) error { return os.RemoveAll(filepath.Dir(p)) }, ErrRemoved},
		"moved and made again": {func(p string) error {
			if err := os.Rename(p, p+".1"); err != nil {
				return err
			}
			return os.WriteFile(p, []byte("line\n"), 0o600)
		}, ErrMoved},
		"replaced by a rename": {func(p string) error {
			if err := os.WriteFile(p+".new", []byte("line\n"), 0o600); err != nil {
				return err
			}
			return os.Rename(p+".new", p)
		}, ErrRemoved},
		"removed, but with another name": {func(p string) error {
			if err := os.Link(p, p+".kept"); err != nil {
				return err
			}
			return os.Remove(p)
		}, ErrMoved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "logs", "app.log")
			f := open(t, path)
			write(t, f, "line\n")
			check(t, c.harm(path))
			wantErr(t, f.Check(5), c.want)
		})
	}
}

func TestWriteReachesAMovedFileAndNeverTheOneInItsPlace(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	write(t, f, "one\n")
	check(t, os.Rename(path, path+".1"))
	check(t, os.WriteFile(path, []byte("theirs\n"), 0o600))
	check(t, f.detach()) // even if the file has to be opened anew
	write(t, f, "two\n")
	wantErr(t, f.Check(8), ErrMoved)
	wantContent(t, path+".1", "one\ntwo\n")
	wantContent(t, path, "theirs\n")
}

func TestBytesThatWentElsewhereAreNotCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "app.log"))
	other := must[*os.File](t)(os.Create(filepath.Join(dir, "other")))
	defer other.Close()
	check(t, f.detach())
	check(t, f.attach(other))
	n, err := f.Write([]byte("line\n"))
	wantErr(t, err, ErrTruncated)
	if n != 0 {
		t.Fatalf("%d bytes counted as written", n)
	}
}

func TestWriteReportsExactlyWhatAFullDiskTookAndGoesOnWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	filler := filepath.Join(dir, "filler")
	check(t, os.WriteFile(filler, make([]byte, 160<<10), 0o600))
	path := filepath.Join(dir, "app.log")
	f := open(t, path)
	write(t, f, "head\n")

	batch := bytes.Repeat([]byte("0123456789abcde\n"), 8<<10) // 128 KiB
	n, err := f.Write(batch)
	wantErr(t, err, unix.ENOSPC)
	if size := must[int64](t)(f.Size()); n == 0 || n == len(batch) || size != int64(5+n) {
		t.Fatalf("n = %d with a file of %d bytes", n, size)
	}
	if !strings.Contains(err.Error(), path) {
		t.Fatalf("error does not name the output: %v", err)
	}
	again, err := f.Write(batch[n:])
	wantErr(t, err, unix.ENOSPC)
	n += again
	wantErr(t, f.Check(int64(5+len(batch))), ErrTruncated)

	check(t, os.Remove(filler))
	write(t, f, string(batch[n:]))
	check(t, f.Check(int64(5+len(batch))))
	wantContent(t, path, "head\n"+string(batch))
}

func TestRotateOnAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	path := filepath.Join(dir, "app.log")
	f := open(t, path)
	batch := bytes.Repeat([]byte("0123456789abcde\n"), 32<<10) // 512 KiB
	n, err := f.Write(batch)
	wantErr(t, err, unix.ENOSPC)
	if _, err := f.Rotate(); err != nil {
		wantErr(t, err, unix.ENOSPC) // nothing happened then
	}
	if got := history(t, path); got != string(batch[:n]) {
		t.Fatalf("%d bytes are there, want %d", len(got), n)
	}
}

func TestClosedFileRefusesEverythingAndClosesTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := open(t, path)
	check(t, f.Close())
	check(t, f.Close())
	for name, call := range map[string]func() error{
		"Size":           func() error { _, err := f.Size(); return err },
		"Identity":       func() error { _, _, err := f.Identity(); return err },
		"Write":          func() error { _, err := f.Write([]byte("x")); return err },
		"EndPartialLine": func() error { _, err := f.EndPartialLine(); return err },
		"Check":          func() error { return f.Check(0) },
		"NeedsRotation":  func() error { _, err := f.NeedsRotation(1); return err },
		"Rotate":         func() error { _, err := f.Rotate(); return err },
		"Sync":           f.Sync,
	} {
		t.Run(name, func(t *testing.T) { wantErr(t, call(), os.ErrClosed) })
	}
	wantContent(t, path, "")
}

func BenchmarkWriteOfABatch(b *testing.B) {
	for _, size := range []int{100, PieceSize} {
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			f, err := Open(filepath.Join(b.TempDir(), "app.log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			batch := bytes.Repeat([]byte{'x'}, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				size, err := f.Size()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := f.Write(batch); err != nil {
					b.Fatal(err)
				}
				if err := f.Check(size + int64(len(batch))); err != nil {
					b.Fatal(err)
				}
				if full, err := f.NeedsRotation(64 << 20); err != nil {
					b.Fatal(err)
				} else if full {
					_ = os.Truncate(f.Path(), 0) // the disk's speed is not the question
				}
			}
		})
	}
}
