//go:build linux

package logfile

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPruneKeepsThoseForWhichAllOfTheRetentionHolds(t *testing.T) {
	t.Parallel()
	// Five files of ten bytes, an hour apart, the oldest first; the second is an archive,
	// and of the third there are both.
	for name, c := range map[string]struct {
		keep Retention
		want int // of the newest
	}{
		"nothing is set":               {Retention{}, 5},
		"below zero":                   {Retention{Count: -1, Age: -1, Size: -1}, 5},
		"count":                        {Retention{Count: 2}, 2},
		"count of more than there are": {Retention{Count: 9}, 5},
		"age":                          {Retention{Age: 2*time.Hour + 1}, 3},
		"age, to the nanosecond":       {Retention{Age: 2 * time.Hour}, 3},
		"age, less a nanosecond":       {Retention{Age: 2*time.Hour - 1}, 2},
		"age of all":                   {Retention{Age: 1}, 1}, // the newest is of this instant
		"size":                         {Retention{Size: 20}, 2},
		"size, less a byte":            {Retention{Size: 19}, 1},
		"size of a file and archive":   {Retention{Size: 40}, 3},
		"size, less a byte of both":    {Retention{Size: 39}, 2},
		"size of all":                  {Retention{Size: 60}, 5},
		"size of less than the newest": {Retention{Size: 9}, 0},
		"count before age and size":    {Retention{Count: 1, Age: 2 * time.Hour, Size: 30}, 1},
		"age before count and size":    {Retention{Count: 4, Age: time.Hour, Size: 60}, 2},
		"size before count and age":    {Retention{Count: 4, Age: 4 * time.Hour, Size: 20}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "app.log")
			check(t, os.WriteFile(path, nil, 0o600))
			others := setAside(t, filepath.Join(dir, "other.log"), noon.Add(-time.Hour), "", "")
			groups := [][]string{}
			for i, forms := range []string{"", ".gz", " .zst", "", ""} {
				var group []string
				for form := range strings.SplitSeq(forms, " ") {
					at := noon.Add(time.Duration(i-4) * time.Hour)
					group = append(group, filepath.Base(setAside(t, path, at, form, "0123456789")))
				}
				groups = append(groups, group)
			}
			removed := must[int](t)(Prune(path, c.keep, noon))
			if removed != 5-c.want {
				t.Errorf("%d removed, want %d", removed, 5-c.want)
			}
			want := append([]string{"app.log", filepath.Base(others)}, slices.Concat(groups[5-c.want:]...)...)
			slices.Sort(want)
			if got := names(t, dir); !slices.Equal(got, want) {
				t.Errorf("left are %q, want %q", got, want)
			}
		})
	}
}

func TestPruneWhileRotatingKeepsTheNewest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "app.log"))
	var all []string
	removed := 0
	for i := range 8 {
		write(t, f, fmt.Sprintf("%d\n", i))
		all = append(all, filepath.Base(must[string](t)(f.Rotate())))
		removed += must[int](t)(Prune(f.Path(), Retention{Count: 3}, time.Now()))
	}
	if removed != 5 {
		t.Errorf("%d files removed, want 5", removed)
	}
	if got := names(t, dir); !slices.Equal(got, append([]string{"app.log"}, all[5:]...)) {
		t.Fatalf("folder has %q, want %q", got, all[5:])
	}
}

func TestAFutureInstantIsNoAge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	setAside(t, path, noon, "", "")
	if removed := must[int](t)(Prune(path, Retention{Age: time.Minute}, noon.Add(-time.Hour))); removed != 0 {
		t.Errorf("%d files removed", removed)
	}
}

func TestPruneUpToLeavesNewerOnesOutOfTheReckoning(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	var all []string
	for i := range 6 {
		all = append(all, setAside(t, path, noon.Add(time.Duration(i)), "", "0123456789"))
	}
	for _, keep := range []Retention{{Count: 2}, {Size: 20}} {
		if removed := must[int](t)(PruneUpTo(all[2], keep, noon)); removed > 1 {
			t.Errorf("%d files removed", removed)
		}
		if got := must[[]string](t)(Uncompressed(path)); !slices.Equal(got, all[1:]) {
			t.Errorf("%v: left are %q, want %q", keep, got, all[1:])
		}
	}
	_, err := PruneUpTo(path, Retention{Count: 1}, noon)
	wantErr(t, err, ErrNotRotated)
}

func TestPruneNamesWhatItCannotRemoveAndRemovesTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	stuck := setAside(t, path, noon, "", "")
	for i := range 3 {
		setAside(t, path, noon.Add(time.Duration(i+1)), ".gz", "")
	}
	if err := unix.Mount(stuck, stuck, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("a file that cannot be removed needs the right to mount: %v", err)
	}
	removed, err := Prune(path, Retention{Count: 1}, noon)
	check(t, unix.Unmount(stuck, unix.MNT_DETACH))
	if removed != 2 || err == nil || !strings.Contains(err.Error(), stuck) {
		t.Fatalf("%d files removed, error is %v", removed, err)
	}
	wantErr(t, err, unix.EBUSY)
	if removed := must[int](t)(Prune(path, Retention{Count: 1}, noon)); removed != 1 {
		t.Errorf("%d files removed when it could be", removed)
	}
}
