//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// backupTime is the UTC instant in a rotated file's name, which is the output's
// own name, a dot and this: app.log.20261123T184701.123456789Z. Its width is fixed,
// so names sort as instants do; and a name that ends like this does not match
// *.log, so that a shipper reads no line twice.
const backupTime = "20060102T150405.000000000Z"

// checkBackupName refuses an output whose name leaves no room for the suffix,
// rather than failing at the first rotation.
func checkBackupName(path string) error {
	if len(filepath.Base(path))+1+len(backupTime) > unix.NAME_MAX {
		return fmt.Errorf("open %s: a rotated file's name would be too long: %w", path, unix.ENAMETOOLONG)
	}
	return nil
}

// backupInstant is the instant in the name of one of the output's rotated files;
// ok only if the name is exactly as we make it.
func backupInstant(base, name string) (at time.Time, ok bool) {
	suffix, ok := strings.CutPrefix(name, base+".")
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(backupTime, suffix)
	return at, err == nil && at.Format(backupTime) == suffix
}

// backups lists the names of the output's rotated files, oldest first.
func backups(path string) ([]string, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	base := filepath.Base(path)
	names = slices.DeleteFunc(names, func(name string) bool {
		_, ok := backupInstant(base, name)
		return !ok
	})
	slices.Sort(names)
	return names, nil
}

// nextBackup is the path for the file that is rotated at now. It is greater than
// any there: when rotations fall in one instant or the clock was set back, it is
// one nanosecond after the newest.
func nextBackup(path string, now time.Time) (string, error) {
	names, err := backups(path)
	if err != nil {
		return "", err
	}
	base, at := filepath.Base(path), now.UTC()
	if len(names) > 0 {
		newest, _ := backupInstant(base, names[len(names)-1])
		if !at.After(newest) {
			at = newest.Add(time.Nanosecond)
		}
	}
	name := base + "." + at.Format(backupTime)
	if _, ok := backupInstant(base, name); !ok { // after the year 9999
		return "", fmt.Errorf("no name sorts after %s", names[len(names)-1])
	}
	return filepath.Join(filepath.Dir(path), name), nil
}

// Prune removes all but the newest Options.Keep rotated files of this output, and
// returns how many those were.
// Only regular files whose names are exactly of our form are touched. A file that
// cannot be removed does not stop the others; the error names each, is no reason
// to stop the drain, and the next Prune tries again.
func (f *File) Prune() (removed int, err error) {
	if _, err := f.stat(); err != nil {
		return 0, err
	}
	if f.opts.Keep <= 0 {
		return 0, nil
	}
	names, err := backups(f.path)
	if err != nil {
		return 0, fmt.Errorf("prune %s: %w", f.path, err)
	}
	var errs []error
	for _, name := range names[:max(0, len(names)-f.opts.Keep)] {
		old := filepath.Join(filepath.Dir(f.path), name)
		st, err := lstat(old)
		if err == nil && !isRegular(&st) {
			err = fmt.Errorf("remove %s: %w", old, ErrNotRegular)
		}
		if err == nil {
			err = failpoint.Err(failpoint.FilePrune)
		}
		if err == nil {
			err = os.Remove(old)
		}
		if err == nil {
			removed++
		} else if !errors.Is(err, os.ErrNotExist) { // gone is as good as removed
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("prune %s: %w", f.path, err)
	}
	return removed, nil
}
