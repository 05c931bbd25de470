//go:build linux && failpoints

package logfile

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// These tests are not parallel: failpoint.Hook and failpoint.Inject are there once.

// scenes are what a Compress may find beside the file.
var scenes = map[string]func(t *testing.T, backup string, c Compression, content []byte){
	"nothing": func(*testing.T, string, Compression, []byte) {},
	"a whole archive": func(t *testing.T, backup string, c Compression, content []byte) {
		check(t, os.WriteFile(backup+suffixes[c], compressed(t, c, content), 0o600))
	},
	"a whole archive of the other kind": func(t *testing.T, backup string, c Compression, content []byte) {
		check(t, os.WriteFile(backup+suffixes[c.other()], compressed(t, c.other(), content), 0o600))
	},
	"whole archives of both kinds": func(t *testing.T, backup string, _ Compression, content []byte) {
		for _, c := range kinds {
			check(t, os.WriteFile(backup+suffixes[c], compressed(t, c, content), 0o600))
		}
	},
	"broken archives of both kinds": func(t *testing.T, backup string, c Compression, content []byte) {
		for _, c := range kinds {
			check(t, os.WriteFile(backup+suffixes[c], compressed(t, c, content[1:]), 0o600))
		}
	},
	"a temporary": func(t *testing.T, backup string, c Compression, content []byte) {
		check(t, os.WriteFile(archiveTemp(backup), compressed(t, c, content)[:100], 0o600))
	},
}

// step is a point that is reached for the n-th time.
type step struct {
	point failpoint.Point
	n     int
}

func (s step) String() string { return fmt.Sprintf("%v@%d", s.point, s.n) }

// eachStep plays each scene with each kind once to see what its steps are, and then again
// for each of them.
func eachStep(t *testing.T, play func(t *testing.T, backup string, c Compression, content []byte, s step)) {
	content := append(logText(1<<20), noise(600<<10)...)
	for name, scene := range scenes {
		for _, c := range kinds {
			set := func(t *testing.T) (backup string) {
				backup = setAside(t, filepath.Join(t.TempDir(), "app.log"), noon, "", string(content))
				scene(t, backup, c, content)
				return backup
			}
			var steps []step
			seen := map[failpoint.Point]int{}
			backup := set(t)
			failpoint.Hook = func(p failpoint.Point) {
				seen[p]++
				steps = append(steps, step{p, seen[p]})
			}
			_, err := Compress(t.Context(), backup, c)
			failpoint.Hook = nil
			check(t, err)
			for _, s := range steps {
				t.Run(fmt.Sprintf("%v beside %s, %v", c, name, s), func(t *testing.T) {
					play(t, set(t), c, content, s)
				})
			}
		}
	}
}

func TestCompressKilledBeforeAnyStepLeavesAWholeFileOrAWholeArchive(t *testing.T) {
	reached := map[failpoint.Point]bool{}
	eachStep(t, func(t *testing.T, backup string, c Compression, content []byte, s step) {
		reached[s.point] = true
		cmd := child(t, "compress-"+c.String(), backup)
		cmd.Env = append(cmd.Env, fmt.Sprintf("RINGLOG_FAILPOINTS=%v=kill@%d", s.point, s.n))
		err := cmd.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
			t.Fatalf("child was not killed: %v", err)
		}
		wantKept(t, backup, content)
		wantFinished(t, backup, c, content)
	})
	for p := failpoint.ArchiveCompare; p <= failpoint.ArchiveTidy; p++ {
		if !reached[p] {
			t.Errorf("%v is never reached", p)
		}
	}
}

func TestCompressThatFailsAtAnyStepLeavesTheFileAndNoTemporary(t *testing.T) {
	eachStep(t, func(t *testing.T, backup string, c Compression, content []byte, s step) {
		n := 0
		failpoint.Inject = func(p failpoint.Point) error {
			if p == s.point {
				if n++; n == s.n {
					return unix.EIO
				}
			}
			return nil
		}
		defer func() { failpoint.Inject = nil }()
		archive, err := Compress(t.Context(), backup, c)
		failpoint.Inject = nil
		wantErr(t, err, unix.EIO)
		if !strings.Contains(err.Error(), backup) {
			t.Errorf("error does not name the file: %v", err)
		}
		if s.point == failpoint.DirSync && archive != "" { // the last one
			wantNames(t, backup, archive)
			wantArchive(t, archive, content)
		} else {
			wantContent(t, backup, string(content))
		}
		left := slices.Contains(names(t, filepath.Dir(backup)), filepath.Base(archiveTemp(backup)))
		if left && (s.point == failpoint.ArchiveCreate || s.point > failpoint.ArchiveCreate && s.point < failpoint.ArchiveTidy) {
			t.Error("a temporary is left")
		}
		wantFinished(t, backup, c, content)
	})
}

// A full disk at the worst moment: everything that was to be written then fails.
func TestCompressOnADiskThatFillsUpLeavesTheFile(t *testing.T) {
	for _, c := range kinds {
		for _, errno := range []unix.Errno{unix.ENOSPC, unix.EDQUOT} {
			content := noise(900 << 10)
			backup := setAside(t, filepath.Join(t.TempDir(), "app.log"), noon, "", string(content))
			full := false
			failpoint.Inject = func(p failpoint.Point) error {
				if full = full || p == failpoint.ArchiveWrite; full && p != failpoint.ArchiveTidy {
					return errno
				}
				return nil
			}
			_, err := Compress(t.Context(), backup, c)
			failpoint.Inject = nil
			wantErr(t, err, errno)
			wantNames(t, backup, backup)
			wantFinished(t, backup, c, content)
		}
	}
}

// The archive is synced and the folder, before the file goes.
func TestTheFileGoesOnlyWhenArchiveAndFolderAreSynced(t *testing.T) {
	for name, scene := range scenes {
		for _, c := range kinds {
			content := logText(100 << 10)
			backup := setAside(t, filepath.Join(t.TempDir(), "app.log"), noon, "", string(content))
			scene(t, backup, c, content)
			var order []failpoint.Point
			failpoint.Hook = func(p failpoint.Point) {
				order = append(order, p)
				if _, err := os.Lstat(backup); err != nil && p != failpoint.DirSync {
					t.Errorf("%s: at %v the file is gone: %v", name, p, err)
				}
			}
			must[string](t)(Compress(t.Context(), backup, c))
			failpoint.Hook = nil
			want := []failpoint.Point{failpoint.DirSync, failpoint.ArchiveClear, failpoint.DirSync}
			if !slices.Equal(order[len(order)-3:], want) {
				t.Errorf("%s: the last steps are %v", name, order)
			}
			// One that was found is synced, too.
			synced := slices.Index(order, failpoint.ArchiveSync)
			if placed := slices.Index(order, failpoint.ArchivePlace); synced < 0 || placed >= 0 && placed < synced {
				t.Errorf("%s: the archive is not synced: %v", name, order)
			}
		}
	}
}

func TestPruneThatIsRefusedAFileRemovesTheOthersAndTriesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	for i := range 4 {
		setAside(t, path, noon.AddDate(0, 0, i), "", "")
	}
	n := 0
	failpoint.Inject = func(p failpoint.Point) error {
		if n++; n == 2 {
			return unix.EACCES
		}
		return nil
	}
	defer func() { failpoint.Inject = nil }()
	removed, err := Prune(path, Retention{Count: 1}, noon)
	wantErr(t, err, unix.EACCES)
	if second := path + "." + noon.AddDate(0, 0, 1).Format(backupTime); removed != 2 || !strings.Contains(err.Error(), second) {
		t.Errorf("%d removed, %v", removed, err)
	}
	if removed := must[int](t)(Prune(path, Retention{Count: 1}, noon)); removed != 1 {
		t.Errorf("%d removed the next time", removed)
	}
}

func TestTidyKilledOrRefusedIsDoneTheNextTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	temp := archiveTemp(setAside(t, path, noon, "", "text"))
	check(t, os.WriteFile(temp, nil, 0o600))
	failpoint.Inject = func(p failpoint.Point) error {
		if p == failpoint.ArchiveTidy {
			return unix.EACCES
		}
		return nil
	}
	defer func() { failpoint.Inject = nil }()
	wantErr(t, Tidy(path), unix.EACCES)
	failpoint.Inject = nil
	check(t, Tidy(path))
	wantNames(t, path, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(temp), "."), "~"))
}
