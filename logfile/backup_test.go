//go:build linux

package logfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// noon is some instant.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.UTC)

// setAside makes a file that was rotated from path at that instant, or an archive if form
// says so.
func setAside(t *testing.T, path string, at time.Time, form, content string) (backup string) {
	t.Helper()
	backup = path + "." + at.UTC().Format(backupTime) + form
	check(t, os.WriteFile(backup, []byte(content), 0o600))
	return backup
}

func TestBackupNamesAlwaysGrowWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	at := time.Date(2026, 11, 23, 18, 47, 1, 123456789, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want string
		form string // of what becomes of it
	}{
		{at, "app.log.20261123T184701.123456789Z", ""},
		{at, "app.log.20261123T184701.123456790Z", ".gz"},                  // the same instant
		{at.Add(-time.Hour), "app.log.20261123T184701.123456791Z", ".zst"}, // set back
		{at, "app.log.20261123T184701.123456792Z", ""},
		{at.Add(time.Second).In(time.FixedZone("", 3600)), "app.log.20261123T184702.123456789Z", ""},
	} {
		got := must[string](t)(nextBackup(path, c.now))
		if filepath.Base(got) != c.want {
			t.Fatalf("at %v: %s, want %s", c.now, got, c.want)
		}
		check(t, os.WriteFile(got+c.form, nil, 0o600))
	}
}

func TestOnlyRegularFilesWithNamesExactlyOfOurFormAreRotatedOnes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	ours := []string{
		"app.log.20261123T184701.000000000Z",
		"app.log.20261123T184701.123456789Z",
		"app.log.20261123T184702.123456789Z.gz",
		"app.log.20261123T184703.123456789Z.zst",
	}
	for _, name := range append(slices.Clone(ours),
		"app.log",
		"app.log.1",
		"app.log.gz",
		"app.log.20261123T184704.123Z",
		"app.log.20261123T184704.1234567890Z",
		"app.log.20261123T184704,123456789Z",
		"app.log.20261399T184704.123456789Z",
		"app.log.20261123T184704.123456789Z.bz2",
		"app.log.20261123T184704.123456789Z.gz.zst",
		"app.log.20261123T184704.123456789Z.GZ",
		"app.log.20261123T184704.123456789Zst",
		"app.log.20261123T184704.123456789",
		"app-log.20261123T184704.123456789Z",
		"Xapp.log.20261123T184704.123456789Z",
		".app.log.20261123T184704.123456789Z~",
		"app.log.20261123T184704.123456789Z.20261123T184705.123456789Z",
	) {
		check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	odd := path + ".20200101T000000.00000000"
	check(t, os.Mkdir(odd+"0Z", 0o700))
	check(t, os.Symlink(ours[0], odd+"1Z"))
	check(t, unix.Mkfifo(odd+"2Z", 0o600))
	check(t, os.Mkdir(odd+"3Z.gz", 0o700))

	var got []string
	for _, r := range must[[]rotated](t)(list(path)) {
		got = append(got, r.name+strings.Join(r.forms, "+"))
	}
	if !slices.Equal(got, ours) {
		t.Errorf("list has %q, want %q", got, ours)
	}
	if got := must[[]string](t)(Uncompressed(path)); !slices.Equal(got, []string{filepath.Join(dir, ours[0]), filepath.Join(dir, ours[1])}) {
		t.Errorf("uncompressed are %q", got)
	}
	if at := must[time.Time](t)(Oldest(path)); !at.Equal(time.Date(2026, 11, 23, 18, 47, 1, 0, time.UTC)) {
		t.Errorf("the oldest is of %v", at)
	}

	// As if each of them was the only one.
	before := names(t, dir)
	if removed := must[int](t)(Prune(path, Retention{Age: 1}, noon.AddDate(100, 0, 0))); removed != len(ours) {
		t.Errorf("%d files removed, want %d", removed, len(ours))
	}
	want := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(ours, name) })
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q", got, want)
	}
}

func TestAFileAndItsArchiveAreOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	both := setAside(t, path, noon, "", "")
	setAside(t, path, noon, ".gz", "")
	setAside(t, path, noon, ".zst", "")
	setAside(t, path, noon.Add(1), ".zst", "")
	if all := must[[]rotated](t)(list(path)); len(all) != 2 || len(all[0].forms) != 3 {
		t.Errorf("list is %v", all)
	}
	if got := must[[]string](t)(Uncompressed(path)); !slices.Equal(got, []string{both}) {
		t.Errorf("uncompressed are %q", got)
	}
}

func TestNothingRotatedHasNoOldest(t *testing.T) {
	t.Parallel()
	if at := must[time.Time](t)(Oldest(filepath.Join(t.TempDir(), "app.log"))); !at.IsZero() {
		t.Errorf("the oldest is of %v", at)
	}
}

func TestALookIntoAFolderThatIsGoneNamesTheOutput(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gone", "app.log")
	for name, look := range map[string]func() error{
		"Uncompressed": func() error { _, err := Uncompressed(path); return err },
		"Oldest":       func() error { _, err := Oldest(path); return err },
		"Prune":        func() error { _, err := Prune(path, Retention{Count: 1}, noon); return err },
		"Tidy":         func() error { return Tidy(path) },
	} {
		err := look()
		wantErr(t, err, os.ErrNotExist)
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheOutputIsFoundInARotatedFilesNameAlone(t *testing.T) {
	t.Parallel()
	for backup, want := range map[string]string{
		"/var/log/app.log.20261123T184701.123456789Z":                    "/var/log/app.log",
		"app.log.20261123T184701.123456789Z":                             "app.log",
		"a.20261123T184701.123456789Z":                                   "a",
		"/l/a.log.20261123T184701.123456789Z.20261123T184702.123456789Z": "/l/a.log.20261123T184701.123456789Z",
		"/l/.20261123T184701.123456789Z":                                 "",
		"/l/20261123T184701.123456789Z":                                  "",
		"/l/app.log":                                                     "",
		"/l/app.log.20261123T184701.123456789Z.gz":                       "",
		"/l/app.log.20261323T184701.123456789Z":                          "",
		"/l/app.log.20261123T184701.123456789Z/":                         "",
		"":                                                               "",
	} {
		if got, ok := outputOf(backup); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", backup, got, ok)
		}
	}
}

func FuzzOnlyOurOwnNamesHaveAnOutput(f *testing.F) {
	for _, s := range []string{"app.log.20261123T184701.123456789Z", "/l/.20261123T184701.123456789Z", "..20261123T184701.123456789Z", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, backup string) {
		path, ok := outputOf(backup)
		if !ok {
			return
		}
		at, ok := backupInstant(filepath.Base(path), filepath.Base(backup))
		if !ok || path+"."+at.Format(backupTime) != backup {
			t.Errorf("%q is of %q at %v", backup, path, at)
		}
	})
}
