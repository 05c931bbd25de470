package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// backupTime is the instant in a rotated file's name; such names sort by time.
const backupTime = "20060102T150405.000000000Z"

// follower feeds an output's files to the judge in their order, and removes them.
type follower struct {
	output int
	path   string
	judge  *judge

	mu    sync.Mutex
	taken []taken // from the reader, by us
}

// taken is a file that was renamed or removed while a reader had it.
type taken struct {
	name  string   // sorts among those of rotated files
	file  *os.File // not nil: it has no name any more
	loose func() bool
}

// remove takes the output away while its reader is stopped or there is none. The
// judge reads what was in it. loose is asked once the file is final.
func (f *follower) remove(loose func() bool) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	if err := os.Remove(f.path); err != nil {
		return errors.Join(err, file.Close())
	}
	f.note(taken{f.backupName(), file, loose})
	return nil
}

// rename is remove, but the file keeps a name, as after a foreign logrotate.
func (f *follower) rename(loose func() bool) error {
	name := f.backupName()
	f.note(taken{name, nil, loose}) // before the judge can meet the file
	if err := os.Rename(f.path, filepath.Join(filepath.Dir(f.path), name)); err != nil {
		f.forget(name)
		return err
	}
	return nil
}

func (f *follower) backupName() string {
	return filepath.Base(f.path) + "." + time.Now().UTC().Format(backupTime)
}

func (f *follower) note(t taken) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = append(f.taken, t)
}

func (f *follower) forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = slices.DeleteFunc(f.taken, func(t taken) bool { return t.name == name })
}

// busy says that a taken file is not judged yet.
func (f *follower) busy() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.taken) > 0
}

// step judges the output's files to which nothing more is added, oldest first, and
// says whether there were any.
func (f *follower) step() (bool, error) {
	names, special, err := f.list()
	if err != nil {
		return false, err
	}
	for i, name := range names {
		done, err := f.try(name, special[name])
		if !done || err != nil {
			return i > 0, err
		}
	}
	return len(names) > 0, nil
}

// last judges what the output has at the very end.
func (f *follower) last() error {
	if _, err := f.step(); err != nil {
		return err
	}
	if left, _, err := f.list(); err != nil || len(left) > 0 {
		return errors.Join(err, fmt.Errorf("files of %s are left: %q", f.path, left))
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	f.judge.take(piece{output: f.output, name: f.path}, data)
	return nil
}

// list returns the names of the files that are or will be final, sorted.
func (f *follower) list() (names []string, special map[string]*taken, err error) {
	f.mu.Lock()
	special = map[string]*taken{}
	for i := range f.taken {
		t := f.taken[i]
		special[t.name] = &t
		if t.file != nil {
			names = append(names, t.name)
		}
	}
	f.mu.Unlock()
	dir, err := os.Open(filepath.Dir(f.path))
	if err != nil {
		return nil, nil, err
	}
	defer dir.Close()
	found, err := dir.Readdirnames(-1)
	for _, name := range found {
		if strings.HasPrefix(name, filepath.Base(f.path)+".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, special, err
}

// try judges and removes a file, if it is final: if the output's own name stands for
// another file by now. A rotation that fails half-way gives the old file its name back,
// and a reader closes the file it had before it opens the path again.
func (f *follower) try(name string, t *taken) (done bool, err error) {
	path := filepath.Join(filepath.Dir(f.path), name)
	var file *os.File
	if t != nil && t.file != nil {
		file = t.file
	} else if file, err = os.Open(path); err != nil {
		if os.IsNotExist(err) {
			return false, nil // the rotation was undone
		}
		return false, err
	}
	final, err := f.final(file)
	if !final || err != nil {
		if t == nil || t.file == nil {
			file.Close()
		}
		return false, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<40))
	if err != nil {
		return false, err
	}
	p := piece{output: f.output, name: path, loose: t != nil && t.loose()}
	f.judge.take(p, data)
	if t != nil {
		f.forget(name)
		if t.file != nil {
			return true, nil
		}
	}
	if f.judge.bad() > 0 {
		return true, os.Rename(path, filepath.Join(filepath.Dir(f.path), "judged-"+name)) // for looking at
	}
	return true, os.Remove(path)
}

// final says that nobody adds to file any more.
func (f *follower) final(file *os.File) (bool, error) {
	own, err := file.Stat()
	if err != nil {
		return false, err
	}
	at, err := os.Lstat(f.path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return at.Sys().(*syscall.Stat_t).Ino != own.Sys().(*syscall.Stat_t).Ino, nil
}
