package ring

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// backing is what the protocol needs of the file under it: memory, locks and
// room. Everything above it works on []byte, so that it is tested and raced on
// heap memory; file is the one real backing. It is never called from the hot path.
type backing interface {
	name() string
	// meta is the memory of everything before the lanes.
	meta() []byte
	// lane is the memory of lane i, mapped at the first call.
	lane(i int) ([]byte, error)
	// allocate makes sure that no later store into lane i can fault. fresh says
	// that the lane was never used and reads as zeros.
	allocate(i int, fresh bool) error
	// hasData says whether lane i's memory is more than a hole in the file.
	hasData(i int) bool
	tryLock(off uint64) (bool, error)
	unlock(off uint64) error
	lockHeld(off uint64) (bool, error)
	// sync makes the whole file, as it is now, survive a power loss; syncLane the
	// memory of lane i. In memory there is nothing to do.
	sync() error
	syncLane(i int) error
	// linked says whether the file still has a name.
	linked() (bool, error)
	// unlink removes the file's name if it is still this file's.
	unlink() error
	close() error
}

// file is a ring file opened by this process: one description, its mappings and
// its locks. No two users share one, also not in one process (O1).
type file struct {
	f      *os.File
	head   Header
	prot   int // of the lanes: mmap.RDWR for writers, mmap.RDONLY for readers
	front  mmap.MMap
	lanes  []mmap.MMap // indexed by lane; nil until mapped
	named  bool        // its name was synced
	closed bool
}

// openFile opens and checks the ring at path. lanes is the protection of lane
// mappings. Errors: those of decodeHeader, fs.ErrNotExist, fs.ErrPermission,
// ErrNetworkFS.
func openFile(path string, lanes int) (*file, error) {
	f, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	ok := false
	defer func() {
		if !ok {
			f.Close()
		}
	}()
	if err := refuseNetwork(f); err != nil {
		return nil, err
	}
	head, err := readHeader(f, path, true)
	if err != nil {
		return nil, err
	}
	front, err := mapShared(f, 0, head.LanesOffset, mmap.RDWR)
	if err != nil {
		return nil, err
	}
	if wordAt(front, head.ControlOffset+ctlCopy).load() == markCopy {
		front.Unmap()
		return nil, fmt.Errorf("%w: %s is a copy of a ring; ringdump shows what it holds", ErrUnsupported, path)
	}
	ok = true
	return &file{f: f, head: head, prot: lanes, front: front, lanes: make([]mmap.MMap, head.LaneCount)}, nil
}

// openRegular opens path without following a symbolic link in its last part
// (another user may have put one under a shared directory) and without handing
// the descriptor to programs that this process starts.
func openRegular(path string, flag int) (*os.File, error) {
	// O_NONBLOCK: opening a FIFO must not hang; it means nothing for a file.
	f, err := os.OpenFile(path, flag|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return nil, fmt.Errorf("%w: %s is a symbolic link; name the ring itself", ErrNotRing, path)
	case errors.Is(err, unix.EISDIR):
		return nil, directoryError(path)
	case errors.Is(err, unix.ENXIO):
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrNotRing, path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("ring: no ring at %s: %w; create it first, or set RINGLOG_RING to the one that is drained", path, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("ring: opening %s: %w; a ring belongs to the user who created it", path, fs.ErrPermission)
	case err != nil:
		return nil, fmt.Errorf("ring: opening the ring: %w", err)
	}
	st, err := f.Stat()
	switch {
	case err != nil:
	case st.IsDir(): // which can be opened for reading
		err = directoryError(path)
	case !st.Mode().IsRegular():
		err = fmt.Errorf("%w: %s is a device, pipe or socket, not a regular file", ErrNotRing, path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func directoryError(path string) error {
	return fmt.Errorf("%w: %s is a directory", ErrNotRing, path)
}

// readHeader reads the header by pread, before anything is mapped.
func readHeader(f *os.File, path string, write bool) (Header, error) {
	st, err := f.Stat()
	if err != nil {
		return Header{}, fmt.Errorf("ring: reading the size of the ring: %w", err)
	}
	b := make([]byte, min(headerSize, st.Size()))
	if _, err := f.ReadAt(b, 0); err != nil {
		return Header{}, fmt.Errorf("ring: reading the header: %w", err)
	}
	return decodeHeader(path, b, st.Size(), write)
}

// mapShared maps length bytes of f from off. A child that forks without exec
// does not inherit the mapping, which would keep the description, and so the
// lock, alive (O3).
func mapShared(f *os.File, off, length uint64, prot int) (mmap.MMap, error) {
	m, err := mmap.MapRegion(f, int(length), prot, 0, int64(off))
	if err != nil {
		return nil, fmt.Errorf("ring: mapping %d bytes of %s: %w", length, f.Name(), err)
	}
	if err := unix.Madvise(m, unix.MADV_DONTFORK); err != nil {
		m.Unmap()
		return nil, fmt.Errorf("ring: keeping the mapping of %s from children: %w", f.Name(), err)
	}
	return m, nil
}

func (r *file) name() string { return r.f.Name() }
func (r *file) meta() []byte { return r.front }

func (r *file) lane(i int) ([]byte, error) {
	if r.lanes[i] == nil {
		m, err := mapShared(r.f, r.head.laneOffset(i), r.head.LaneSize, r.prot)
		if err != nil {
			return nil, err
		}
		r.lanes[i] = m
	}
	return r.lanes[i], nil
}

func (r *file) allocate(i int, fresh bool) error {
	off, n := r.head.laneOffset(i), r.head.LaneSize
	if err := reserve(r.f, off, n); err != nil {
		return err
	}
	m, err := r.lane(i)
	if err != nil {
		return err
	}
	err = populate(m)
	if errors.Is(err, unix.EINVAL) && fresh {
		// Linux before 5.14 has no MADV_POPULATE_WRITE. Zeros written into a
		// lane that holds only zeros change nothing and allocate its pages.
		err = writeZeros(r.f, off, n)
	}
	if errors.Is(err, unix.EINVAL) {
		err = nil // an older kernel, and a lane whose pages were written before
	}
	if err != nil {
		return spaceError(r.f, n, err)
	}
	return nil
}

func (r *file) hasData(i int) bool { return hasData(r.f, r.head.laneOffset(i), r.head.LaneSize) }

func (r *file) tryLock(off uint64) (bool, error)  { return tryLock(r.f, off) }
func (r *file) unlock(off uint64) error           { return unlock(r.f, off) }
func (r *file) lockHeld(off uint64) (bool, error) { return lockHeld(r.f, off) }

// sync is fsync, which writes what any process stored through its mapping. The
// folder is synced once: whoever made the ring did not wait for that.
func (r *file) sync() error {
	err := failpoint.Err(failpoint.RingSync)
	if err == nil {
		err = retry(r.f.Sync)
	}
	if err == nil && !r.named {
		err = r.syncFolder()
		r.named = err == nil
	}
	if err != nil {
		return fmt.Errorf("ring: syncing %s: %w", r.name(), err)
	}
	return nil
}

// syncFolder syncs the folder where the file is, which need not be where its name
// leads to from the working directory by now.
func (r *file) syncFolder() error {
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", r.f.Fd()))
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (r *file) syncLane(i int) error {
	m, err := r.lane(i)
	if err != nil {
		return err
	}
	if err = failpoint.Err(failpoint.RingSync); err == nil {
		err = retry(func() error { return unix.Msync(m, unix.MS_SYNC) })
	}
	if err != nil {
		return fmt.Errorf("ring: syncing lane %d of %s: %w", i, r.name(), err)
	}
	return nil
}

func (r *file) stat() (st unix.Stat_t, err error) {
	if err = unix.Fstat(int(r.f.Fd()), &st); err != nil {
		err = fmt.Errorf("ring: looking at %s: %w", r.name(), err)
	}
	return st, err
}

func (r *file) linked() (bool, error) {
	st, err := r.stat()
	return st.Nlink > 0, err
}

func (r *file) unlink() error {
	own, err := r.stat()
	if err != nil || own.Nlink == 0 {
		return err // without a name it is removed already
	}
	// No call removes a name on the condition that it is this file's: this is
	// against a path that changed hands long ago, not in the last microsecond.
	var named unix.Stat_t
	if err := unix.Lstat(r.name(), &named); err != nil {
		return fmt.Errorf("ring: removing %s: %w; the ring was renamed, or the working directory has changed", r.name(), err)
	}
	if named.Dev != own.Dev || named.Ino != own.Ino {
		return fmt.Errorf("ring: removing %s: another file has that name by now; the ring was renamed", r.name())
	}
	if err := unix.Unlink(r.name()); err != nil {
		return fmt.Errorf("ring: removing %s: %w", r.name(), err)
	}
	return nil
}

// close unmaps everything and gives up the description, and with it every lock.
// Nobody may use the memory any more. Harmless when called twice.
func (r *file) close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	var errs []error
	for i := range r.lanes {
		if r.lanes[i] != nil {
			errs = append(errs, r.lanes[i].Unmap())
		}
	}
	// A process that is just being started has our descriptor, and with it our locks,
	// until it is another program: to close it is not enough.
	whole := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
	errs = append(errs, r.front.Unmap(), unix.FcntlFlock(r.f.Fd(), unix.F_OFD_SETLK, &whole), r.f.Close())
	return errors.Join(errs...)
}
