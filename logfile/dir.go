//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// maxLinks is how many links in a row are followed: the kernel's own limit.
const maxLinks = 40

// makeDirs makes dir and what is missing above it. It returns the directories
// that got an entry by this.
func makeDirs(dir string) (changed []string, err error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); !errors.Is(err, os.ErrNotExist) {
			break // there, or a trouble that MkdirAll will name
		}
		changed = append(changed, filepath.Dir(d))
	}
	return changed, os.MkdirAll(dir, 0o755)
}

// resolve follows the links in path, the last element's too where they end at
// nothing: a rotation renames the file itself, never a link to it.
func resolve(path string) (string, error) {
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		target, err := os.Readlink(path)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			return path, nil // no link, or nothing yet
		}
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return "", fmt.Errorf("open %s: %w", path, unix.ELOOP)
}

// likeness gives fd the owner and the mode of another file. Owner first: changing it may
// clear mode bits. Only root can keep a foreign owner; without, the file is ours like any
// that we create.
func likeness(fd *os.File, of *unix.Stat_t) error {
	if err := fd.Chown(int(of.Uid), int(of.Gid)); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	if err := unix.Fchmod(int(fd.Fd()), of.Mode&0o7777); err != nil { // not less the umask
		return fmt.Errorf("chmod %s: %w", fd.Name(), err)
	}
	return nil
}

func syncDir(dir string) error {
	if err := failpoint.Err(failpoint.DirSync); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// renameNew renames without ever replacing: EEXIST if there is a file at to. Some
// network file systems cannot do that, which is EINVAL.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err != nil {
		return &os.LinkError{Op: "rename without replacing", Old: from, New: to, Err: err}
	}
	return nil
}
