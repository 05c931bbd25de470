package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"
)

// Defaults of CreateOptions.
const (
	DefaultLanes    = 256
	DefaultLaneSize = 4 << 20
)

// CreateOptions shape a new ring. The zero value is the default.
type CreateOptions struct {
	Lanes    int    // how many processes can be attached at once; default 256, at most 4096
	LaneSize uint64 // bytes for each; default 4 MiB; a power of two from 64 KiB to 1 GiB
}

func (o CreateOptions) withDefaults() (CreateOptions, error) {
	if o.Lanes == 0 {
		o.Lanes = DefaultLanes
	}
	if o.LaneSize == 0 {
		o.LaneSize = DefaultLaneSize
	}
	if o.Lanes < 1 || o.Lanes > MaxLanes {
		return o, fmt.Errorf("%w: %d lanes; a ring has 1 to %d", ErrInvalid, o.Lanes, MaxLanes)
	}
	if s := o.LaneSize; s < MinLaneSize || s > MaxLaneSize || s&(s-1) != 0 {
		return o, fmt.Errorf("%w: lanes of %s; the size is a power of two from %s to %s",
			ErrInvalid, humanize.IBytes(s), humanize.IBytes(MinLaneSize), humanize.IBytes(MaxLaneSize))
	}
	return o, nil
}

// Create makes a ring at path, for this user alone. Everything but the lanes is
// allocated now; each lane takes its room when it is first claimed. The file
// appears under its name complete, or not at all (R1).
//
// Errors: ErrInvalid, ErrExists (open that one instead), ErrNoSpace,
// ErrNetworkFS, fs.ErrNotExist (no such directory), fs.ErrPermission.
func Create(path string, o CreateOptions) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return existsError(path)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".new-*") // 0600
	if err != nil {
		return fmt.Errorf("ring: creating %s: %w", path, withoutName(err))
	}
	defer temp.Close()
	defer os.Remove(temp.Name())
	f, err := calledAs(temp, path)
	if err != nil {
		return fmt.Errorf("ring: creating %s: %w", path, err)
	}
	defer f.Close()
	if err := refuseNetwork(f); err != nil {
		return err
	}
	head := newHeader(o.Lanes, o.LaneSize, time.Now())
	if err := head.write(f); err != nil {
		return err
	}
	// link does not replace, where rename would.
	switch err := os.Link(temp.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return existsError(path)
	case err != nil:
		return fmt.Errorf("ring: creating %s: %w", path, withoutName(err))
	}
	return nil
}

// calledAs is f under another name: errors are to name what the user asked for,
// and not the temporary file.
func calledAs(f *os.File, name string) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// withoutName is the cause of an error that names the temporary file.
func withoutName(err error) error {
	var named *fs.PathError
	var linked *os.LinkError
	switch {
	case errors.As(err, &named):
		return named.Err
	case errors.As(err, &linked):
		return linked.Err
	}
	return err
}

func existsError(path string) error {
	return fmt.Errorf("%w: %s; use it as it is, or choose another name", ErrExists, path)
}

// write makes f, an empty file, a ring.
func (h *Header) write(f *os.File) error {
	err := retry(func() error { return unix.Ftruncate(int(f.Fd()), int64(h.FileSize)) })
	if err != nil {
		return spaceError(f, h.FileSize, err)
	}
	if err := reserve(f, 0, h.LanesOffset); err != nil {
		return err
	}
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		return spaceError(f, h.LanesOffset, err)
	}
	if _, err := f.WriteAt(h.newTable(), int64(h.TableOffset)); err != nil {
		return spaceError(f, h.LanesOffset, err)
	}
	return nil
}

// newTable is the lane table of a new ring: zeros, but for the check over each
// reader's line.
func (h *Header) newTable() []byte {
	t := make([]byte, h.TableLength)
	for i := range h.LaneCount {
		var p Progress
		le.PutUint64(t[uint64(i)*laneEntrySize+lanCheck:], p.check(laneSeed(h.key, i)))
	}
	return t
}

// DefaultDir is where rings without a path of their own lie: in memory, or in the
// temporary folder where there is no /dev/shm in which this user may write; in a
// folder of this user.
func DefaultDir() string {
	return filepath.Join(writable("/dev/shm", os.TempDir()), fmt.Sprintf("ringlog-%d", os.Getuid()))
}

// writable is dir, or instead if dir is no folder in which files can be made: that
// of a container may be mounted read-only.
func writable(dir, instead string) string {
	if st, err := os.Stat(dir); err != nil || !st.IsDir() || unix.Access(dir, unix.W_OK|unix.X_OK) != nil {
		return instead
	}
	return dir
}

// DefaultPath makes DefaultDir if need be and returns the path for a ring of
// this process called name. It fails if somebody else owns the folder: anybody
// may create one of that name there.
func DefaultPath(name string) (string, error) {
	dir := DefaultDir()
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("ring: creating the folder for rings: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return "", fmt.Errorf("ring: looking at %s: %w", dir, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Getuid() || st.Mode&0o022 != 0 {
		return "", fmt.Errorf("ring: %s is not a folder that belongs to you alone; remove it, or give a path for the ring: %w", dir, fs.ErrPermission)
	}
	return filepath.Join(dir, fmt.Sprintf("%s-%d.ring", name, os.Getpid())), nil
}
