package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// disk is a small file system in memory, for the outputs alone.
type disk struct{ path string }

// mountDisk mounts one of so many bytes.
func mountDisk(path string, size int64) (*disk, error) {
	if err := unix.Mount("ringlog-torture", path, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)); err != nil {
		return nil, fmt.Errorf("mounting a tmpfs on %s: %w", path, err)
	}
	return &disk{path}, nil
}

func (d *disk) unmount() error { return unix.Unmount(d.path, unix.MNT_DETACH) }

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

// fill takes all the room that is left.
func (d *disk) fill() error {
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	defer f.Close()
	at := int64(0)
	for step := int64(4 << 20); step >= 4096; {
		switch err := unix.Fallocate(int(f.Fd()), 0, at, step); {
		case err == nil:
			at += step
		case errors.Is(err, unix.ENOSPC):
			step /= 4
		case !errors.Is(err, unix.EINTR):
			return fmt.Errorf("filling %s: %w", d.path, err)
		}
	}
	return nil
}

// free gives it back.
func (d *disk) free() error { return os.Remove(d.filler()) }
