//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBackupNamesAlwaysGrowWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	noon := time.Date(2026, 11, 23, 18, 47, 1, 123456789, time.UTC)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{noon, "app.log.20261123T184701.123456789Z"},
		{noon, "app.log.20261123T184701.123456790Z"},                 // the same instant
		{noon.Add(-time.Hour), "app.log.20261123T184701.123456791Z"}, // set back
		{noon.Add(time.Second).In(time.FixedZone("", 3600)), "app.log.20261123T184702.123456789Z"},
	} {
		got := must[string](t)(nextBackup(path, c.now))
		if filepath.Base(got) != c.want {
			t.Fatalf("at %v: %s, want %s", c.now, got, c.want)
		}
		check(t, os.WriteFile(got, nil, 0o600))
	}
}

func TestOnlyNamesExactlyOfOurFormAreBackups(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"app.log.20261123T184701.123456789Z":    true,
		"app.log.20261123T184701.000000000Z":    true,
		"app.log":                               false,
		"app.log.1":                             false,
		"app.log.20261123T184701.123Z":          false,
		"app.log.20261123T184701.1234567890Z":   false,
		"app.log.20261123T184701,123456789Z":    false,
		"app.log.20261399T184701.123456789Z":    false,
		"app.log.20261123T184701.123456789Z.gz": false,
		"app.log.20261123T184701.123456789":     false,
		"app-log.20261123T184701.123456789Z":    false,
		"Xapp.log.20261123T184701.123456789Z":   false,
	} {
		if _, got := backupInstant("app.log", name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestPruneKeepsTheNewestAndTouchesNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	others := []string{"app.log.1", "app.log.20261123T184701.123Z", "other.log.20200101T000000.000000000Z"}
	for _, name := range others {
		check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	f := openWith(t, path, Options{Keep: 3})
	var rotated []string
	removed := 0
	for i := range 8 {
		write(t, f, fmt.Sprintf("%d\n", i))
		rotated = append(rotated, filepath.Base(must[string](t)(f.Rotate())))
		removed += must[int](t)(f.Prune())
	}
	if removed != 5 {
		t.Errorf("%d files removed, want 5", removed)
	}
	want := slices.Sorted(slices.Values(append(append(others, "app.log"), rotated[5:]...)))
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Fatalf("folder has %q, want %q", got, want)
	}
}

func TestPruneKeepsAllByDefault(t *testing.T) {
	t.Parallel()
	f := open(t, filepath.Join(t.TempDir(), "app.log"))
	for range 8 {
		must[string](t)(f.Rotate())
	}
	if removed := must[int](t)(f.Prune()); removed != 0 {
		t.Errorf("%d files removed", removed)
	}
	if got := must[[]string](t)(backups(f.Path())); len(got) != 8 {
		t.Fatalf("%d backups, want 8", len(got))
	}
}

func TestPruneReportsWhatItCannotRemoveAndRemovesTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	f := openWith(t, path, Options{Keep: 1})
	stuck := path + ".20000101T000000.000000000Z"
	check(t, os.Mkdir(stuck, 0o755))
	for range 3 {
		must[string](t)(f.Rotate())
	}
	removed, err := f.Prune()
	if removed != 2 || !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), stuck) {
		t.Fatalf("%d files removed, error is %v", removed, err)
	}
	if got := must[[]string](t)(backups(path)); len(got) != 2 {
		t.Fatalf("left: %q", got)
	}
	write(t, f, "goes on\n")
	check(t, f.Check(8))
}
