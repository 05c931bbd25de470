//go:build linux

// Package logfile is the file side of the drain: one regular output file that is
// locked, appended to through lumberjack, checked, rotated, and rolled back after
// a crash. It knows nothing of rings and records; the caller keeps the intent.
//
// A batch goes Size → (intent) → Write until all is there → Check → (applied,
// published, cleared) → perhaps Rotate. On start [Rollback] comes before [Open], and
// [File.EndPartialLine] after it. [Compress] and [Prune] are for files that were set
// aside, and may run beside all this.
//
// # What is trusted
//
// Every answer comes from our own descriptor, which holds the lock. lumberjack
// opens files by name and would create, truncate or rename whatever it meets
// there, so it is given the name /proc/self/fd/N of that descriptor: this always
// exists, leads to the locked file whatever happened to its path, is therefore
// always opened with O_APPEND, and cannot be renamed. Neither its size limit, its
// Rotate, its compression nor its clean-up is ever used.
package logfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// File is one open, locked output. It belongs to one goroutine at a time. Every
// method but Close and Path fails with an error that is [os.ErrClosed] after
// Close. Errors of system calls keep their errno: errors.Is(err, unix.ENOSPC).
type File struct {
	path string // absolute, no link in it

	fd       *os.File // holds the lock; nil when closed
	out      *lumberjack.Logger
	attached bool // out has the file of fd open

	dirty    bool     // bytes may have come since Sync
	unsynced []string // directories with entries made since they were synced

	looked bool      // newest is known
	newest time.Time // instant of the newest rotated file; zero: there is none
}

// Open opens or creates (mode 0644 less the umask; directories 0755) the output
// at path and locks it. Links in path are followed once, here; Path is where they
// led. It finishes or tidies up after a rotation that a crash interrupted.
//
// Errors: a *LockedError if somebody has the file under this or another name,
// ErrNotRegular, ErrRaced, or what the system says.
func Open(path string) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	changed, err := makeDirs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if path, err = resolve(path); err != nil {
		return nil, err
	}
	if err := checkBackupName(path); err != nil {
		return nil, err
	}
	if err := finishRotation(path); err != nil {
		return nil, err
	}
	fd, err := acquire(path, os.O_CREATE)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, fd: fd, out: takeLogger(), unsynced: append(changed, filepath.Dir(path))}
	f.dirty = true // as far as is known: whoever had the file before may not have synced it
	if err := errors.Join(keepUnfinished(path), f.attach(fd)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Path is the absolute name of the output, free of links; intents store it.
func (f *File) Path() string { return f.path }

// Identity tells the locked file apart from all others. It changes by Rotate.
func (f *File) Identity() (dev, ino uint64, err error) {
	st, err := f.stat()
	return st.Dev, st.Ino, err
}

// Size is the present size of the locked file in bytes.
func (f *File) Size() (int64, error) {
	st, err := f.stat()
	return st.Size, err
}

// EndPartialLine appends "\n" if the file does not end with one, and reports
// whether it did. Only for when there is no intent: an unfinished line that
// belongs to one is for Rollback.
func (f *File) EndPartialLine() (ended bool, err error) {
	size, err := f.Size()
	if err != nil || size == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.fd.ReadAt(last[:], size-1); err != nil {
		return false, fmt.Errorf("read end of line: %w", err)
	}
	if last[0] == '\n' {
		return false, nil
	}
	n, err := f.Write([]byte{'\n'})
	return n == 1, err
}

// Write appends p. n is how many bytes of p the locked file gained, also when
// err tells of a full or failing disk: the caller tries p[n:] again. When the
// file was changed by somebody else meanwhile n is 0, means nothing, and err is
// ErrTruncated or ErrGrown.
func (f *File) Write(p []byte) (n int, err error) {
	before, err := f.Size()
	if err != nil {
		return 0, err
	}
	if !f.attached {
		if err := f.attach(f.fd); err != nil {
			return 0, err
		}
	}
	f.dirty = true
	claimed, werr := 0, failpoint.Err(failpoint.FileWrite)
	if werr == nil {
		claimed, werr = f.out.Write(p)
	}
	if werr != nil { // not before: what errors.As is given is allocated
		if named := (*os.PathError)(nil); errors.As(werr, &named) {
			werr = named.Err // its name is the one in /proc
		}
	}
	after, err := f.Size()
	if err != nil {
		return 0, err
	}
	// The file's growth is the truth. It is ours only if the write's own count
	// agrees: 50 bytes of ours and 30 of another's are not 80 of ours.
	switch gained := after - before; {
	case gained < int64(claimed):
		return 0, fmt.Errorf("write %s: %w", f.path, errors.Join(ErrTruncated, werr))
	case gained > int64(claimed) && claimed == len(p) && werr == nil:
		// Somebody else wrote too, but all of p was appended; Check will say so.
	case gained > int64(claimed):
		return 0, fmt.Errorf("write %s: %w", f.path, errors.Join(ErrGrown, werr))
	}
	if werr != nil {
		werr = fmt.Errorf("write %s: %w", f.path, werr)
	}
	return claimed, werr
}

// Check is asked before a batch counts as written: the locked file must be want
// bytes long and the path must still be its name. Otherwise the error is, in
// this order, ErrRemoved, ErrTruncated, ErrGrown or ErrMoved; each says there
// what the caller does next.
func (f *File) Check(want int64) error {
	st, err := f.stat()
	switch {
	case err != nil:
		return err
	case st.Nlink == 0:
		return fmt.Errorf("check %s: %w", f.path, ErrRemoved)
	case st.Size < want:
		return fmt.Errorf("check %s: %w: %d bytes, not %d", f.path, ErrTruncated, st.Size, want)
	case st.Size > want:
		return fmt.Errorf("check %s: %w: %d bytes, not %d", f.path, ErrGrown, st.Size, want)
	}
	named, err := lstat(f.path)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
		return err
	}
	if err != nil || identityOf(&named) != identityOf(&st) {
		now, _ := os.Readlink(procName(f.fd)) // for the message only
		return fmt.Errorf("check %s: %w: now %s", f.path, ErrMoved, now)
	}
	return nil
}

// Unsynced says whether there is something to Sync: anything that was written or
// named since, or by whoever had the file before Open. A closed File has nothing.
func (f *File) Unsynced() bool { return f.fd != nil && (f.dirty || len(f.unsynced) > 0) }

// Sync makes the file's bytes, and the names that Open and Rotate made, survive a
// power loss. After an error nobody knows which bytes written since the last Sync are
// on disk: the system reports it once, and the next Sync may succeed without them.
func (f *File) Sync() error {
	if _, err := f.stat(); err != nil {
		return err
	}
	err := failpoint.Err(failpoint.FileSync)
	if err == nil {
		err = f.fd.Sync()
	}
	if err != nil {
		return fmt.Errorf("sync %s: %w", f.path, err)
	}
	f.dirty = false
	for len(f.unsynced) > 0 {
		if err := syncDir(f.unsynced[0]); err != nil {
			return err
		}
		f.unsynced = f.unsynced[1:]
	}
	return nil
}

// Close closes lumberjack's descriptor, and then frees the lock and closes ours. A
// second Close does nothing.
func (f *File) Close() error {
	if f.fd == nil {
		return nil
	}
	err := f.out.Close()
	returnLogger(f.out)
	err = errors.Join(err, release(f.fd))
	f.fd, f.out = nil, nil
	return err
}

func (f *File) stat() (unix.Stat_t, error) {
	if f.fd == nil {
		return unix.Stat_t{}, fmt.Errorf("%s: %w", f.path, os.ErrClosed)
	}
	return fstat(f.fd)
}

// attach makes lumberjack open the file of fd now, by an empty write, so that
// later there is nothing left for it to open. We try the same open first:
// lumberjack answers a failed one by renaming the file, and loses the errno; and
// where /proc is not the kernel's it would make files of its own.
func (f *File) attach(fd *os.File) error {
	want, err := fstat(fd)
	if err != nil {
		return err
	}
	name := procName(fd)
	probe, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("reopen %s: %w", fd.Name(), err)
	}
	got, err := fstat(probe)
	if err = errors.Join(err, probe.Close()); err != nil {
		return err
	}
	if identityOf(&got) != identityOf(&want) {
		return fmt.Errorf("reopen %s: %s leads elsewhere", fd.Name(), name)
	}
	f.out.Filename = name
	if _, err := f.out.Write(nil); err != nil {
		return fmt.Errorf("reopen %s: %w", fd.Name(), err)
	}
	f.attached = true
	return nil
}

// detach closes lumberjack's descriptor; the next Write attaches again.
func (f *File) detach() error {
	f.attached = false
	return f.out.Close()
}

func procName(fd *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", fd.Fd()) }

var _ io.WriteCloser = (*File)(nil)
