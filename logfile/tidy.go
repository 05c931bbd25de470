//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Tidy removes what compressions left that were killed, of files that were rotated from
// the output at path. One that is under way elsewhere is left alone.
func Tidy(path string) error {
	err := tidy(path)
	if err != nil {
		err = fmt.Errorf("tidy up %s: %w", path, err)
	}
	return err
}

func tidy(path string) error {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name, ok := strings.CutSuffix(strings.TrimPrefix(e.Name(), "."), "~")
		backup := filepath.Join(dir, name)
		if !ok || archiveTemp(backup) != filepath.Join(dir, e.Name()) {
			continue
		}
		if _, ok := backupInstant(filepath.Base(path), name); ok && e.Type().IsRegular() {
			errs = append(errs, tidyOne(backup))
		}
	}
	return errors.Join(errs...)
}

// tidyOne removes the temporary of backup's archive under backup's lock, if there still
// is that file.
func tidyOne(backup string) error {
	source, err := acquire(backup, 0)
	switch {
	case errors.Is(err, ErrLocked):
		return nil
	case err == nil:
		return errors.Join(removeTemp(archiveTemp(backup)), release(source))
	case errors.Is(err, unix.ENOENT):
		return removeTemp(archiveTemp(backup))
	}
	return err
}

func removeTemp(temp string) error {
	st, err := lstat(temp)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err == nil && !isRegular(&st) {
		err = fmt.Errorf("remove %s: %w", temp, ErrNotRegular)
	}
	if err == nil {
		err = failpoint.Err(failpoint.ArchiveTidy)
	}
	if err == nil {
		err = os.Remove(temp)
	}
	return err
}
