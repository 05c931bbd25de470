package ring

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Locks are open-file-description locks on single bytes of the ring file (O1).
// They belong to the description, not to the process: closing another descriptor
// of the same file does not drop them, they die with the last reference to the
// description (a mapping holds one), and two opens in one process conflict.

func lockRange(off uint64, kind int16) *unix.Flock_t {
	return &unix.Flock_t{Type: kind, Whence: 0, Start: int64(off), Len: 1}
}

// tryLock takes the lock on byte off of f, and says whether it could.
func tryLock(f *os.File, off uint64) (bool, error) {
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, lockRange(off, unix.F_WRLCK))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	}
	return false, fmt.Errorf("ring: locking byte %d of %s: %w", off, f.Name(), err)
}

// unlock gives the lock on byte off of f back.
func unlock(f *os.File, off uint64) error {
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, lockRange(off, unix.F_UNLCK)); err != nil {
		return fmt.Errorf("ring: unlocking byte %d of %s: %w", off, f.Name(), err)
	}
	return nil
}

// lockHeld says whether another description holds the lock on byte off of f.
// The answer is old when it arrives: it is for display (O2).
func lockHeld(f *os.File, off uint64) (bool, error) {
	l := lockRange(off, unix.F_WRLCK)
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, l); err != nil {
		return false, fmt.Errorf("ring: looking at the lock on byte %d of %s: %w", off, f.Name(), err)
	}
	return l.Type != unix.F_UNLCK, nil
}
