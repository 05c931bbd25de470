//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// NeedsRotation reports whether the file has maxSize bytes or more; never when
// maxSize is 0 or less, or the file is empty.
func (f *File) NeedsRotation(maxSize int64) (bool, error) {
	size, err := f.Size()
	return err == nil && maxSize > 0 && size >= maxSize, err
}

// Rotate gives the file a backup's name and goes on in a new, empty, locked file
// of the same mode and owner. Only between batches, with no intent outstanding:
// an intent names the file by its path. Rotate syncs nothing; who wants the old
// file on disk calls Sync before.
//
// backup is the old file's new path. If err is not nil the File still is the old
// file, complete and locked, and in nearly all cases back at its path; where not,
// Check says ErrMoved. Errors: those of Check, a *LockedError or ErrNotRegular if
// somebody put a file at the path in the moment when there was none, or what the
// system says. An unlocked file that was put there is taken as Open would take
// it, so EndPartialLine belongs after Rotate as well as after Open.
func (f *File) Rotate() (backup string, err error) {
	r := &rotation{f: f}
	for _, step := range r.steps() {
		if err := step(); err != nil {
			return "", fmt.Errorf("rotate %s: %w", f.path, errors.Join(err, r.undo()))
		}
	}
	return r.backup, nil
}

// rotation is one Rotate, in steps such that a process may die between any two:
//
//	after       path       backup    temporary   the next Open
//	prepare     old file   -         empty       removes the temporary
//	attach      old file   -         empty       the same
//	setAside    -          old file  empty       moves the temporary to path
//	place       new file   old file  -           has nothing to do
//	adopt       new file   old file  -           has nothing to do
//
// Whatever can fail for want of space, descriptors or rights is done before the
// old file loses its name, and no byte is written before adopt.
type rotation struct {
	f      *File
	next   *os.File // the new file, locked; nil before prepare
	backup string   // where the old file is; empty before setAside
}

func (r *rotation) steps() []func() error {
	return []func() error{r.prepare, r.attach, r.setAside, r.place, r.adopt}
}

// prepare makes the new file under its temporary name and locks it, so that
// nobody else can be its first holder when it appears at path.
func (r *rotation) prepare() error {
	old, err := r.f.stat()
	if err != nil {
		return err
	}
	if err := r.f.Check(old.Size); err != nil {
		return err
	}
	temp := tempName(r.f.path)
	if err := removeStale(temp); err != nil {
		return err
	}
	flags := unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC
	if err := failpoint.Err(failpoint.FileCreate); err != nil {
		return fmt.Errorf("create %s: %w", temp, err)
	}
	fd, err := unix.Open(temp, flags, old.Mode&0o777)
	if err != nil {
		return fmt.Errorf("create %s: %w", temp, err)
	}
	r.next = os.NewFile(uintptr(fd), r.f.path) // its name in later errors
	if err := likeness(r.next, &old); err != nil {
		return err
	}
	return lock(r.next, temp)
}

// attach has lumberjack open the new file while failing is still harmless.
func (r *rotation) attach() error {
	if err := r.f.detach(); err != nil {
		return err
	}
	return r.f.attach(r.next)
}

// setAside renames the old file. A name that somebody made since we looked is not
// replaced, and a file that somebody put at path since prepare is put back.
func (r *rotation) setAside() error {
	if err := failpoint.Err(failpoint.FileSetAside); err != nil {
		return err
	}
	old, err := r.f.stat()
	if err != nil {
		return err
	}
	for range maxRaces {
		// Only the holder of the lock gives such names, so one look at the folder does for
		// all rotations; it may have many thousand entries.
		if !r.f.looked {
			if r.f.newest, err = newestBackup(r.f.path); err != nil {
				return err
			}
			r.f.looked = true
		}
		backup, at, err := backupAfter(r.f.path, r.f.newest, time.Now())
		if err != nil {
			return err
		}
		err = renameNew(r.f.path, backup)
		if errors.Is(err, unix.EEXIST) {
			r.f.looked = false // somebody else did
			continue
		}
		if err != nil {
			return err
		}
		r.backup, r.f.newest = backup, at
		moved, err := lstat(backup)
		if err == nil && identityOf(&moved) != identityOf(&old) {
			err = ErrMoved
		}
		return err // undo renames it back
	}
	return ErrRaced
}

// place gives the new file its path. An Open by somebody else may have finished
// this rotation for us, and is then refused our lock. If another file is there,
// that one is taken, provided we can have its lock.
func (r *rotation) place() error {
	if err := failpoint.Err(failpoint.FilePlace); err != nil {
		return err
	}
	temp := tempName(r.f.path)
	err := renameNew(temp, r.f.path)
	if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOENT) {
		return err
	}
	ours, err := fstat(r.next)
	if err != nil {
		return err
	}
	if there, err := lstat(r.f.path); err == nil && identityOf(&there) == identityOf(&ours) {
		return nil
	}
	theirs, err := acquire(r.f.path, os.O_CREATE)
	if err != nil {
		return err
	}
	unused := r.next
	r.next = theirs
	return errors.Join(r.f.detach(), release(unused), removeStale(temp), r.f.attach(theirs))
}

// adopt makes the new file the File's, and frees the old one's lock.
func (r *rotation) adopt() error {
	failpoint.Hit(failpoint.FileAdopt)
	old := r.f.fd
	r.f.fd, r.f.dirty = r.next, true // as Open has it
	if dir := filepath.Dir(r.f.path); !slices.Contains(r.f.unsynced, dir) {
		r.f.unsynced = append(r.f.unsynced, dir)
	}
	_ = release(old) // all its bytes were counted, and this rotation is done
	return nil
}

// undo makes the File the old file again after a failed step before adopt.
func (r *rotation) undo() error {
	var errs []error
	if r.backup != "" {
		errs = append(errs, renameNew(r.backup, r.f.path))
	}
	if r.next != nil {
		errs = append(errs, r.f.detach(), release(r.next), removeStale(tempName(r.f.path)))
	}
	return errors.Join(errs...)
}

// tempName is where path's next file is made. One fixed name is enough: only the
// holder of path's lock makes it, and nothing has to be searched after a crash.
// The leading dot keeps it out of globs.
func tempName(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".next")
}

// finishRotation completes a rotation that died after setAside: the temporary
// already has the mode and owner that a file made afresh would not have.
func finishRotation(path string) error {
	temp := tempName(path)
	st, err := lstat(temp)
	if err != nil || !isRegular(&st) {
		return nil // nothing to finish; keepUnfinished judges what is there
	}
	err = renameNew(temp, path)
	if errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENOENT) {
		return nil // it died earlier, or another Open did this just now
	}
	return err
}

// keepUnfinished is for the temporary that a crash left beside a file that has its
// name. One without bytes is removed. One with bytes may have been the output: a power
// loss can forget the names that a rotation made, and keep what was written since. So
// it gets a backup's name.
func keepUnfinished(path string) error {
	temp := tempName(path)
	st, err := lstat(temp)
	if err != nil || !isRegular(&st) || st.Size == 0 {
		return removeStale(temp)
	}
	for range maxRaces {
		backup, err := nextBackup(path, time.Now())
		if err != nil {
			return err
		}
		if err = renameNew(temp, backup); !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	return ErrRaced
}

// removeStale removes a temporary that is in the way. One with bytes in it is not
// of our making and is left, as an error.
func removeStale(temp string) error {
	st, err := lstat(temp)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if !isRegular(&st) || st.Size != 0 {
		return fmt.Errorf("%s is in the way: %w", temp, unix.EEXIST)
	}
	if err := os.Remove(temp); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
