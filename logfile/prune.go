//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Prune removes the rotated files that keep does not keep of the output at path, which
// is absolute, and returns how many those were. The newest are kept; a file and its
// archive are one. Age counts from the instant in the name to now.
//
// Only regular files whose names are exactly of our form are touched. A file that
// cannot be removed does not stop the others; the error names each, is no reason
// to stop the drain, and the next Prune tries again. It may be called at any time, by
// any goroutine.
func Prune(path string, keep Retention, now time.Time) (removed int, err error) {
	return prune(path, "", keep, now)
}

// PruneUpTo is a Prune as if backup, which Rotate returned, was still the newest of its
// output's rotated files: newer ones are neither counted nor removed.
func PruneUpTo(backup string, keep Retention, now time.Time) (removed int, err error) {
	path, ok := outputOf(backup)
	if !ok {
		return 0, fmt.Errorf("prune: %w: %s", ErrNotRotated, backup)
	}
	return prune(path, filepath.Base(backup), keep, now)
}

// prune takes the file of the name newest for the last one; "" is any.
func prune(path, newest string, keep Retention, now time.Time) (removed int, err error) {
	if keep.Count <= 0 && keep.Age <= 0 && keep.Size <= 0 {
		return 0, nil
	}
	all, err := list(path)
	if err != nil {
		return 0, fmt.Errorf("prune %s: %w", path, err)
	}
	if newest != "" {
		all = slices.DeleteFunc(all, func(r rotated) bool { return r.name > newest })
	}
	dir := filepath.Dir(path)
	excess, err := keep.excess(dir, all, now)
	errs := []error{err}
	for _, r := range all[:excess] {
		gone, err := r.remove(dir)
		if gone {
			removed++
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return removed, fmt.Errorf("prune %s: %w", path, err)
	}
	return removed, nil
}

// excess is how many of the oldest are not kept.
func (keep Retention) excess(dir string, all []rotated, now time.Time) (int, error) {
	size, oldest := int64(0), 0
	if keep.Count > 0 {
		oldest = max(0, len(all)-keep.Count)
	}
	for i := len(all) - 1; i >= oldest; i-- {
		if keep.Age > 0 && now.Sub(all[i].at) > keep.Age {
			return i + 1, nil
		}
		if keep.Size <= 0 {
			continue
		}
		bytes, err := all[i].size(dir)
		if err != nil {
			return oldest, err
		}
		if size += bytes; size > keep.Size {
			return i + 1, nil
		}
	}
	return oldest, nil
}

// size is what the file takes in all of its forms, in bytes.
func (r *rotated) size(dir string) (bytes int64, err error) {
	for _, form := range r.forms {
		st, err := lstat(filepath.Join(dir, r.name+form))
		if err != nil && !errors.Is(err, unix.ENOENT) { // it was compressed or removed just now
			return 0, err
		}
		bytes += st.Size
	}
	return bytes, nil
}

// remove removes the file in all of its forms; gone says that there was one, and is none.
func (r *rotated) remove(dir string) (gone bool, err error) {
	var errs []error
	for _, form := range r.forms {
		old := filepath.Join(dir, r.name+form)
		err := failpoint.Err(failpoint.FilePrune)
		if err == nil {
			err = unix.Unlink(old)
		}
		switch {
		case err == nil:
			gone = true
		case !errors.Is(err, unix.ENOENT): // which is as good
			errs = append(errs, fmt.Errorf("remove %s: %w", old, err))
		}
	}
	return gone && len(errs) == 0, errors.Join(errs...)
}
