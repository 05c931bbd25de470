//go:build linux

package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// maxRaces bounds how often a path that is replaced under us is tried again.
const maxRaces = 16

// identity tells files apart whatever their names are.
type identity struct{ dev, ino uint64 }

func identityOf(st *unix.Stat_t) identity { return identity{dev: st.Dev, ino: st.Ino} }

func isRegular(st *unix.Stat_t) bool { return st.Mode&unix.S_IFMT == unix.S_IFREG }

func fstat(fd *os.File) (st unix.Stat_t, err error) {
	if err := unix.Fstat(int(fd.Fd()), &st); err != nil {
		return st, fmt.Errorf("stat %s: %w", fd.Name(), err)
	}
	return st, nil
}

func lstat(path string) (st unix.Stat_t, err error) {
	if err := unix.Lstat(path, &st); err != nil {
		return st, fmt.Errorf("stat %s: %w", path, err)
	}
	return st, nil
}

// acquire opens path, without following a link, and takes its lock. The path is
// looked at again under the lock: between open and lock its file may have been
// rotated away by the previous holder, and a lock on that one protects nothing
// (D3). flags chooses whether a missing file is made.
func acquire(path string, flags int) (*os.File, error) {
	for range maxRaces {
		// Opening a device can have effects, so its kind is asked first.
		st, err := lstat(path)
		if err == nil && !isRegular(&st) {
			return nil, fmt.Errorf("open %s: %w", path, ErrNotRegular)
		}
		if err := failpoint.Err(failpoint.FileOpen); err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		fd, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NOCTTY|unix.O_NONBLOCK|flags, 0o644)
		if err != nil {
			return nil, err
		}
		same, err := lockInPlace(fd, path)
		if err == nil && same {
			return fd, nil
		}
		if err = errors.Join(err, release(fd)); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("lock %s: %w", path, ErrRaced)
}

// lockInPlace locks fd and reports whether path still names it.
func lockInPlace(fd *os.File, path string) (same bool, err error) {
	st, err := fstat(fd)
	if err != nil {
		return false, err
	}
	if !isRegular(&st) {
		return false, fmt.Errorf("open %s: %w", path, ErrNotRegular)
	}
	if err := lock(fd, path); err != nil {
		return false, err
	}
	named, err := lstat(path)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return err == nil && identityOf(&named) == identityOf(&st), err
}

// lock takes the open-file-description lock on the whole of fd. Unlike a POSIX
// lock it conflicts within one process too, and closing lumberjack's descriptor
// of the same file does not drop it.
func lock(fd *os.File, path string) error {
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err := failpoint.Err(failpoint.FileLock)
	if err == nil {
		err = unix.FcntlFlock(fd.Fd(), unix.F_OFD_SETLK, &whole)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	st, err := fstat(fd)
	if err != nil {
		return err
	}
	return &LockedError{Path: path, PIDs: holders(identityOf(&st))}
}

// release unlocks and closes fd. Closing alone would not do: a child that is
// being started has a copy of our descriptors from its fork to its exec, and with
// them the lock. The next Open would be refused for no visible reason.
func release(fd *os.File) error {
	whole := unix.Flock_t{Type: unix.F_UNLCK, Whence: io.SeekStart}
	err := unix.FcntlFlock(fd.Fd(), unix.F_OFD_SETLK, &whole)
	if err != nil {
		err = fmt.Errorf("unlock %s: %w", fd.Name(), err)
	}
	return errors.Join(err, fd.Close())
}

// holders finds who has a lock on a file. The kernel answers F_OFD_GETLK with
// pid -1, so the descriptors of all processes we may look at are searched. The
// device is compared by stat, because the one in a "lock:" line is the
// superblock's, which on btrfs is not the one that stat reports.
func holders(want identity) []int {
	infos, _ := filepath.Glob("/proc/[0-9]*/fdinfo/*") // the pattern is well formed
	var pids []int
	for _, info := range infos {
		var st unix.Stat_t
		if unix.Stat(strings.Replace(info, "/fdinfo/", "/fd/", 1), &st) != nil || identityOf(&st) != want {
			continue
		}
		text, err := os.ReadFile(info)
		if err != nil || !showsLock(text, want.ino) {
			continue
		}
		if pid, err := strconv.Atoi(strings.Split(info, "/")[2]); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids) // one process can have a description twice
}

// showsLock reports whether an fdinfo text lists a record lock on inode ino:
//
//	lock:	1: OFDLCK  ADVISORY  WRITE -1 fe:00:131077 0 EOF
//
// POSIX locks conflict with ours as well, flock(2) locks do not.
func showsLock(fdinfo []byte, ino uint64) bool {
	lines := bufio.NewScanner(bytes.NewReader(fdinfo))
	for lines.Scan() {
		word := strings.Fields(lines.Text())
		if len(word) < 7 || word[0] != "lock:" || word[2] != "OFDLCK" && word[2] != "POSIX" {
			continue
		}
		if strings.HasSuffix(word[6], ":"+strconv.FormatUint(ino, 10)) {
			return true
		}
	}
	return false
}
