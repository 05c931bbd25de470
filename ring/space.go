package ring

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"
)

// NoSpaceError says how much room was wanted and how much there was;
// errors.Is(err, ErrNoSpace).
type NoSpaceError struct {
	Path         string
	Wanted, Free uint64 // bytes
	Err          error
}

func (e *NoSpaceError) Error() string {
	return fmt.Sprintf("%v: %s: wanted %s, free %s on its file system (%v); use fewer or smaller lanes, or a file system with more room (a container's /dev/shm has 64 MiB unless told otherwise)",
		ErrNoSpace, e.Path, humanize.IBytes(e.Wanted), humanize.IBytes(e.Free), e.Err)
}

func (e *NoSpaceError) Unwrap() []error { return []error{ErrNoSpace, e.Err} }

// spaceError turns the errors of allocation that mean «full» into a NoSpaceError.
// Filling a page of a full tmpfs gives EFAULT, of a memory limit ENOMEM.
func spaceError(f *os.File, wanted uint64, err error) error {
	for _, full := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFAULT, unix.ENOMEM, unix.EFBIG} {
		if errors.Is(err, full) {
			return &NoSpaceError{Path: f.Name(), Wanted: wanted, Free: freeSpace(f), Err: err}
		}
	}
	return fmt.Errorf("ring: allocating %s of %s: %w", humanize.IBytes(wanted), f.Name(), err)
}

// freeSpace is the number of bytes that are free in f's file system for this user.
func freeSpace(f *os.File) uint64 {
	var st unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &st) != nil {
		return 0
	}
	if st.Blocks == 0 {
		return math.MaxInt64 // a file system in memory that was given no bound
	}
	return st.Bavail * uint64(st.Bsize)
}

// Fit makes the lanes of o smaller until so many workers have room in half of what
// is free in the file system of the folder dir: the other half is for what else
// uses it, and a lane takes its room only when it is claimed. The smallest lanes
// may take all that is free. It returns what came of o, its defaults filled in, and
// the number of free bytes it found. A limit on the memory of a group of processes
// is not looked at.
//
// Errors: ErrInvalid, *NoSpaceError if not even the smallest lanes fit, and those
// of opening dir.
func Fit(dir string, o CreateOptions, workers int) (fitted CreateOptions, free uint64, err error) {
	if o, err = o.withDefaults(); err != nil {
		return o, 0, err
	}
	if workers < 1 {
		return o, 0, fmt.Errorf("%w: room for %d workers; want at least 1", ErrInvalid, workers)
	}
	f, err := os.Open(dir)
	if err != nil {
		return o, 0, fmt.Errorf("ring: looking for room: %w", err)
	}
	defer f.Close()
	free = freeSpace(f)
	workers = min(workers, o.Lanes)
	wanted := func() uint64 { return newGeometry(o.Lanes, o.LaneSize).laneOffset(workers) }
	for o.LaneSize > MinLaneSize && wanted() > free/2 {
		o.LaneSize /= 2
	}
	if wanted() > free {
		return o, free, &NoSpaceError{Path: dir, Wanted: wanted(), Free: free, Err: unix.ENOSPC}
	}
	return o, free, nil
}

// reserve allocates the file's blocks from off, n bytes, so that the answer
// «no space» comes here and not as a SIGBUS at some store (R1).
func reserve(f *os.File, off, n uint64) error {
	err := retry(func() error { return unix.Fallocate(int(f.Fd()), 0, int64(off), int64(n)) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("ring: %s: its file system cannot allocate in advance, so a full disk would kill the workers: %w; put the ring on tmpfs, ext4 or xfs", f.Name(), err)
	}
	if err != nil {
		return spaceError(f, n, err)
	}
	return nil
}

// populate faults in every page of m for writing.
func populate(m []byte) error {
	return retry(func() error { return unix.Madvise(m, unix.MADV_POPULATE_WRITE) })
}

func writeZeros(f *os.File, off, n uint64) error {
	zeros := make([]byte, areaAlign)
	for end := off + n; off < end; off += areaAlign {
		if _, err := f.WriteAt(zeros, int64(off)); err != nil {
			return err
		}
	}
	return nil
}

// retry repeats a system call that a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Magic numbers of file systems, from statfs(2) and linux/magic.h.
var (
	networkFS = map[int64]string{
		0x6969: "NFS", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x517b: "SMB", 0x01021997: "9P",
		0x00c36400: "Ceph", 0x5346414f: "AFS", 0x0bd00bd0: "Lustre", 0x47504653: "GPFS", 0x73757245: "Coda",
	}
	copyingFS = map[int64]string{0x9123683e: "btrfs", 0x794c7630: "overlay"}
)

// refuseNetwork refuses file systems that do not share mapped memory and locks
// between all who open the file (R1).
func refuseNetwork(f *os.File) error {
	if name, ok := networkFS[fsType(f)]; ok {
		return fmt.Errorf("%w: %s lies on %s; put the ring on a local file system, best in memory (/dev/shm)", ErrNetworkFS, f.Name(), name)
	}
	return nil
}

func fsType(f *os.File) int64 {
	var st unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &st) != nil {
		return 0
	}
	return int64(st.Type)
}

// Warning says what is doubtful about the file system under path, or "". On
// copy-on-write file systems allocated room is no promise that a later store
// finds room too.
func Warning(path string) string {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return ""
	}
	defer f.Close()
	if name, ok := copyingFS[fsType(f)]; ok {
		return fmt.Sprintf("%s lies on %s, where a full disk can kill a worker in spite of allocation in advance; prefer /dev/shm, tmpfs, ext4 or xfs", path, name)
	}
	return ""
}
