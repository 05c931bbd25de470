package cli

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// prefix begins the names of a run's folders.
const prefix = "ringlog-bench-"

// justMade is how long a folder may exist before its run has locked it.
const justMade = time.Minute

// makeFolder makes a folder in dir for a run, which close removes. A run that is killed leaves its
// folder, with files that may lie in memory: the next one removes it, as nobody has it locked.
func makeFolder(dir string) (path string, closeFolder func() error, err error) {
	removeOrphans(dir)
	if path, err = os.MkdirTemp(dir, prefix); err != nil {
		return "", nil, err
	}
	f, err := lock(path)
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(path))
	}
	return path, func() error { return errors.Join(os.RemoveAll(path), f.Close()) }, nil
}

// lock opens and locks a folder until it is closed, or this process ends.
func lock(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(&os.PathError{Op: "flock", Path: path, Err: err}, f.Close())
	}
	return f, nil
}

func removeOrphans(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return // dir itself has a character of a pattern
	}
	for _, path := range left {
		st, err := os.Lstat(path)
		if err != nil || !st.IsDir() || time.Since(st.ModTime()) < justMade {
			continue
		}
		if f, err := lock(path); err == nil {
			_ = os.RemoveAll(path) // another user's stays
			f.Close()
		}
	}
}
