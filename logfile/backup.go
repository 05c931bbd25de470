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
)

// backupTime is the UTC instant in a rotated file's name, which is the output's
// own name, a dot and this: app.log.20261123T184701.123456789Z. Its width is fixed,
// so names sort as instants do; and a name that ends like this does not match
// *.log, so that a shipper reads no line twice.
const backupTime = "20060102T150405.000000000Z"

// suffixes are what a rotated file's archives have behind its name.
var suffixes = map[Compression]string{Gzip: ".gz", Zstd: ".zst"}

// maxSuffix is how many bytes the longest name of a rotated file has behind the output's.
const maxSuffix = len(".") + len(backupTime) + len(".zst")

// checkBackupName refuses an output whose name leaves no room for the suffix,
// rather than failing at the first rotation.
func checkBackupName(path string) error {
	if len(filepath.Base(path))+maxSuffix > unix.NAME_MAX {
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

// outputOf is the path of the output that backup was; ok only if it has exactly the
// form of a rotated file that is no archive.
func outputOf(backup string) (path string, ok bool) {
	dir, name := filepath.Split(backup)
	n := len(name) - len(".") - len(backupTime)
	if n <= 0 {
		return "", false
	}
	if _, ok := backupInstant(name[:n], name); !ok {
		return "", false
	}
	return dir + name[:n], true
}

// rotated is one file that was set aside: as it was, as an archive, or both, while the
// one is made out of the other.
type rotated struct {
	name  string // without an archive's suffix
	at    time.Time
	forms []string // the suffixes that are there: "", ".gz", ".zst"
}

// list returns the output's rotated files, oldest first: only what is a regular file,
// and whose name is exactly of our form.
func list(path string) ([]rotated, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	entries, err := dir.ReadDir(-1)
	if err = errors.Join(err, dir.Close()); err != nil {
		return nil, err
	}
	base := filepath.Base(path)
	byName := map[string]*rotated{}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || !e.Type().IsRegular() {
			continue
		}
		name, form := cutForm(e.Name())
		at, ok := backupInstant(base, name)
		if !ok {
			continue
		}
		r := byName[name]
		if r == nil {
			r = &rotated{name: name, at: at}
			byName[name] = r
		}
		r.forms = append(r.forms, form)
	}
	all := make([]rotated, 0, len(byName))
	for _, r := range byName {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b rotated) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// cutForm splits an archive's name.
func cutForm(full string) (name, form string) {
	for _, suffix := range suffixes {
		if name, ok := strings.CutSuffix(full, suffix); ok {
			return name, suffix
		}
	}
	return full, ""
}

// nextBackup is the path for the file that is rotated at now. It is greater than
// any there, archives too: when rotations fall in one instant or the clock was set
// back, it is one nanosecond after the newest.
func nextBackup(path string, now time.Time) (string, error) {
	newest, err := newestBackup(path)
	if err != nil {
		return "", err
	}
	backup, _, err := backupAfter(path, newest, now)
	return backup, err
}

// newestBackup is the instant of the output's newest rotated file; zero: it has none.
func newestBackup(path string) (newest time.Time, err error) {
	all, err := list(path)
	if err != nil || len(all) == 0 {
		return newest, err
	}
	return all[len(all)-1].at, nil
}

// backupAfter is nextBackup where the newest is known.
func backupAfter(path string, newest, now time.Time) (backup string, at time.Time, err error) {
	if at = now.UTC(); !at.After(newest) {
		at = newest.Add(time.Nanosecond)
	}
	backup = BackupName(path, at)
	if _, ok := outputOf(backup); !ok { // after the year 9999
		return "", at, fmt.Errorf("no name sorts after %s", BackupName(path, newest))
	}
	return backup, at, nil
}

// BackupName is the path to which a file of the output at path is rotated at that instant,
// but for the nanoseconds by which two such paths differ. They sort as their instants do.
func BackupName(path string, at time.Time) string { return path + "." + at.UTC().Format(backupTime) }

// Uncompressed returns the paths of the output's rotated files, oldest first, that have
// no archive yet, or are still there beside one: those for Compress.
func Uncompressed(path string) (backups []string, err error) {
	all, err := list(path)
	if err != nil {
		return nil, fmt.Errorf("look for rotated files of %s: %w", path, err)
	}
	for _, r := range all {
		if slices.Contains(r.forms, "") {
			backups = append(backups, filepath.Join(filepath.Dir(path), r.name))
		}
	}
	return backups, nil
}

// Oldest is when the oldest of the output's rotated files was set aside, archives
// included; the zero Time if there is none.
func Oldest(path string) (time.Time, error) {
	all, err := list(path)
	if err != nil {
		return time.Time{}, fmt.Errorf("look for rotated files of %s: %w", path, err)
	}
	if len(all) == 0 {
		return time.Time{}, nil
	}
	return all[0].at, nil
}
