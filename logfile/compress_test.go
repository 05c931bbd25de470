//go:build linux

package logfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// wantNames fails unless just these files are beside path.
func wantNames(t *testing.T, path string, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = filepath.Base(want[i])
	}
	slices.Sort(want)
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Fatalf("folder has %q, want %q", got, want)
	}
}

func TestCompressLeavesAnArchiveOfTheSameContentModeOwnerAndTime(t *testing.T) {
	t.Parallel()
	for _, c := range kinds {
		for name, content := range map[string][]byte{
			"nothing": {}, "a byte": {0}, "a line": []byte("line\n"), "noise": noise(3<<20 + 1), "a log": logText(2<<20 + 7),
		} {
			t.Run(c.String()+" of "+name, func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), strings.Repeat("n", unix.NAME_MAX-maxSuffix))
				backup := setAside(t, path, noon, "", string(content))
				check(t, os.Chmod(backup, 0o604))
				if os.Getuid() == 0 {
					check(t, os.Chown(backup, 4711, 4712))
					check(t, os.Chmod(backup, 0o775|os.ModeSetgid)) // which a chown undoes in part
				}
				check(t, os.Chtimes(backup, noon, noon.Add(-time.Hour)))
				before := must[unix.Stat_t](t)(lstat(backup))

				archive := must[string](t)(Compress(t.Context(), backup, c))
				if archive != backup+suffixes[c] {
					t.Errorf("the archive is %s", archive)
				}
				wantNames(t, path, archive)
				wantArchive(t, archive, content)
				after := must[unix.Stat_t](t)(lstat(archive))
				if after.Mode != before.Mode || after.Uid != before.Uid || after.Gid != before.Gid || after.Mtim != before.Mtim {
					t.Errorf("mode %o of %d:%d at %v became mode %o of %d:%d at %v", before.Mode, before.Uid, before.Gid,
						before.Mtim, after.Mode, after.Uid, after.Gid, after.Mtim)
				}
			})
		}
	}
}

func TestCompressTakesWhatFileRotateReturns(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	write(t, f, "old\n")
	backup := must[string](t)(f.Rotate())
	write(t, f, "new\n")
	archive := must[string](t)(Compress(t.Context(), backup, Gzip))
	wantArchive(t, archive, []byte("old\n"))
	wantContent(t, f.Path(), "new\n")
	next := must[string](t)(f.Rotate())
	if archive = must[string](t)(Compress(t.Context(), next, Zstd)); next <= backup {
		t.Errorf("%s does not sort after %s", next, backup)
	}
	wantArchive(t, archive, []byte("new\n"))
}

func TestARotatedFileIsFoundInEachFormAndFirstAsItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	backup := path + "." + noon.Format(backupTime)
	if found, ok := Find(backup); ok {
		t.Errorf("found %s", found)
	}
	check(t, os.Mkdir(backup, 0o700))
	for _, form := range []string{".zst", ".gz", ""} {
		if form == "" {
			check(t, os.Remove(backup))
		}
		want := setAside(t, path, noon, form, "text")
		if found, ok := Find(backup); found != want || !ok {
			t.Errorf("found %s, want %s", found, want)
		}
	}
}

func TestCompressAgainHasNothingToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	backup := setAside(t, path, noon, "", "text")
	for _, c := range []Compression{Gzip, Gzip, Zstd} {
		if archive := must[string](t)(Compress(t.Context(), backup, c)); archive != backup+".gz" {
			t.Errorf("the archive is %s", archive)
		}
	}
	wantArchive(t, backup+".gz", []byte("text"))
}

func TestCompressRefusesWhatIsNoRotatedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	check(t, os.WriteFile(path, []byte("live"), 0o600))
	archive := setAside(t, path, noon, ".gz", "old")
	for _, name := range []string{path, archive, path + ".1", "", filepath.Dir(path)} {
		_, err := Compress(t.Context(), name, Gzip)
		wantErr(t, err, ErrNotRotated)
	}
	odd := path + "." + noon.Add(1).Format(backupTime)
	check(t, os.Symlink(path, odd))
	dir := path + "." + noon.Add(2).Format(backupTime)
	check(t, os.Mkdir(dir, 0o700))
	for _, name := range []string{odd, dir} {
		_, err := Compress(t.Context(), name, Gzip)
		wantErr(t, err, ErrNotRegular)
	}
	gone := path + "." + noon.Add(3).Format(backupTime)
	_, err := Compress(t.Context(), gone, Gzip)
	wantErr(t, err, os.ErrNotExist)
	for _, c := range []Compression{None, -1, 3} {
		if _, err := Compress(t.Context(), setAside(t, path, noon.Add(4), "", "x"), c); err == nil || !strings.Contains(err.Error(), c.String()) {
			t.Errorf("%v: %v", c, err)
		}
	}
	wantContent(t, path, "live")
	wantContent(t, archive, "old")
}

func TestCompressIsRefusedWhileSomebodyHasTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	// Even if the output itself has a name that looks like a rotated file's.
	live := open(t, setAside(t, path, noon, "", "live\n"))
	_, err := Compress(t.Context(), live.Path(), Gzip)
	wantHeldBy(t, err, os.Getpid())
	wantNames(t, path, live.Path())
	write(t, live, "goes on\n")
	check(t, live.Check(13))
	wantContent(t, live.Path(), "live\ngoes on\n")
}

func TestTheFileIsLockedAsLongAsItIsCompressed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	backup := setAside(t, path, noon, "", string(noise(1<<20)))
	asked := 0
	ctx := &spy{Context: t.Context(), look: func() error {
		asked++
		_, err := Open(backup)
		wantErr(t, err, ErrLocked)
		wantNames(t, path, backup, archiveTemp(backup))
		for _, glob := range []string{"*.log", "*.gz", "*.zst", "*.log.*"} {
			if found := must[[]string](t)(filepath.Glob(filepath.Join(filepath.Dir(path), glob))); slices.Contains(found, archiveTemp(backup)) {
				if glob != "*.log.*" { // which a shell does not match with a leading dot
					t.Errorf("the temporary matches %s", glob)
				}
			}
		}
		check(t, Tidy(path)) // leaves it alone
		wantNames(t, path, backup, archiveTemp(backup))
		if st := must[unix.Stat_t](t)(lstat(archiveTemp(backup))); st.Mode&0o777 != 0o600 {
			t.Errorf("the temporary has mode %o", st.Mode)
		}
		return nil
	}}
	archive := must[string](t)(Compress(ctx, backup, Zstd))
	wantArchive(t, archive, noise(1<<20))
	if asked < 8 {
		t.Errorf("the context was asked %d times", asked)
	}
}

// spy is a context that is asked now and then.
type spy struct {
	context.Context
	look func() error
}

func (s *spy) Err() error { return s.look() }

func TestACancelledCompressLeavesTheFileAndNothingElse(t *testing.T) {
	t.Parallel()
	content := noise(1 << 20)
	for _, c := range kinds {
		for after := range 6 {
			path := filepath.Join(t.TempDir(), "app.log")
			backup := setAside(t, path, noon, "", string(content))
			asked := 0
			ctx := &spy{Context: t.Context(), look: func() error {
				if asked++; asked > after {
					return context.Canceled
				}
				return nil
			}}
			_, err := Compress(ctx, backup, c)
			wantErr(t, err, context.Canceled)
			wantNames(t, path, backup)
			wantContent(t, backup, string(content))

			// In the comparison, too.
			setAside(t, path, noon, suffixes[c], string(compressed(t, c, content)))
			asked = 0
			_, err = Compress(ctx, backup, c)
			wantErr(t, err, context.Canceled)
			wantNames(t, path, backup, backup+suffixes[c])
		}
	}
}

func TestAFileThatIsWrittenToMeanwhileStaysAsItIs(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(backup string) error{
		"appended":                   func(b string) error { return appendTo(b, "more") },
		"appended, of the same time": func(b string) error { return errors.Join(appendTo(b, "more"), os.Chtimes(b, noon, noon)) },
		"cut short":                  func(b string) error { return os.Truncate(b, 1<<20-1) },
		"overwritten":                func(b string) error { return overwrite(b) },
	} {
		for _, after := range []int{1, 6} {
			path := filepath.Join(t.TempDir(), "app.log")
			backup := setAside(t, path, noon, "", string(noise(1<<20)))
			check(t, os.Chtimes(backup, noon, noon))
			asked := 0
			ctx := &spy{Context: t.Context(), look: func() error {
				if asked++; asked == after {
					return harm(backup)
				}
				return nil
			}}
			if _, err := Compress(ctx, backup, Zstd); !errors.Is(err, ErrChanged) {
				t.Errorf("%s: error is %v", name, err)
			}
			wantNames(t, path, backup)
			archive := must[string](t)(Compress(t.Context(), backup, Zstd))
			wantNames(t, path, archive)
		}
	}
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("other")
	return errors.Join(err, f.Close())
}

func TestAFileThatIsPutInThePlaceMeanwhileStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	backup := setAside(t, path, noon, "", "text")
	ctx := &spy{Context: t.Context(), look: func() error {
		if _, err := os.Lstat(path + ".aside"); err == nil {
			return nil
		}
		return errors.Join(os.Rename(backup, path+".aside"), os.WriteFile(backup, []byte("another"), 0o600))
	}}
	_, err := Compress(ctx, backup, Gzip)
	wantErr(t, err, ErrChanged)
	wantContent(t, backup, "another")
	wantContent(t, path+".aside", "text")
}

func TestAnArchiveThatAppearsMeanwhileIsNotReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	backup := setAside(t, path, noon, "", "text")
	ctx := &spy{Context: t.Context(), look: func() error {
		return os.WriteFile(backup+".gz", []byte("somebody else's"), 0o600)
	}}
	_, err := Compress(ctx, backup, Gzip)
	wantErr(t, err, unix.EEXIST)
	wantNames(t, path, backup, backup+".gz")
	wantContent(t, backup+".gz", "somebody else's")
}

func TestOnAFullDiskTheFileStaysAndIsCompressedWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	for _, c := range kinds {
		dir := smallDisk(t)
		path := filepath.Join(dir, "app.log")
		content := noise(150 << 10)
		backup := setAside(t, path, noon, "", string(content))
		for range 2 {
			_, err := Compress(t.Context(), backup, c)
			wantErr(t, err, unix.ENOSPC)
			wantNames(t, path, backup)
			wantContent(t, backup, string(content))
		}
		check(t, os.Truncate(backup, 50<<10)) // somebody makes room
		archive := must[string](t)(Compress(t.Context(), backup, c))
		wantNames(t, path, archive)
		wantArchive(t, archive, content[:50<<10])
	}
}

func BenchmarkCompress(b *testing.B) {
	text := logText(16 << 20)
	for _, c := range kinds {
		b.Run(c.String(), func(b *testing.B) {
			backup := filepath.Join(b.TempDir(), "app.log."+noon.Format(backupTime))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := os.WriteFile(backup, text, 0o600); err != nil {
					b.Fatal(err)
				}
				archive, err := Compress(context.Background(), backup, c)
				if err != nil {
					b.Fatal(err)
				}
				if err := os.Remove(archive); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
