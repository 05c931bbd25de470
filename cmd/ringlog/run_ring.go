package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/ring"
)

// findRing returns the ring at path, which it makes if there is none; without a
// path, a new one in memory. The path that it returns is absolute, for processes
// in other folders.
func findRing(path string, o ring.CreateOptions) (found string, made bool, err error) {
	if path != "" {
		if found, err = filepath.Abs(path); err != nil {
			return "", false, fmt.Errorf("finding the ring %s: %w", path, err)
		}
		if _, err := os.Lstat(found); err == nil {
			return found, false, nil // and opening it says whether it is a ring
		}
	}
	found, err = makeRing(path, "run", o)
	return found, err == nil, err
}

// makeRing makes a ring at path, or without one, in this user's folder for rings, in
// a file whose name begins with name. The path that it returns is absolute.
func makeRing(path, name string, o ring.CreateOptions) (string, error) {
	if path == "" {
		return newRing(name, o)
	}
	// As it was given, so that messages name it like that.
	if err := createFitting(path, o); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", path, err)
	}
	return absolute, nil
}

// newRing makes a ring in this user's folder for rings.
func newRing(name string, o ring.CreateOptions) (string, error) {
	const tries = 100
	// A name can be taken: by an earlier process that had the same pid, or by one in
	// another container with the same /dev/shm.
	for i := 1; ; i++ {
		numbered := name
		if i > 1 {
			numbered += fmt.Sprintf("-%d", i)
		}
		path, err := ring.DefaultPath(numbered)
		if err != nil {
			return "", err
		}
		if err = createFitting(path, o); !errors.Is(err, ring.ErrExists) || i == tries {
			return path, err
		}
	}
}

// createFitting makes a ring. Lanes of which nobody gave the size are made so small
// that there is room for as many of them as a machine like this will use.
func createFitting(path string, o ring.CreateOptions) error {
	if _, err := os.Lstat(path); err != nil && o.LaneSize == 0 { // one that is there is refused, whatever room there is
		dir := filepath.Dir(path)
		fitted, free, err := ring.Fit(dir, o, min(o.Lanes, max(minWorkers, 2*runtime.NumCPU())))
		var full *ring.NoSpaceError
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return cli.CreateRing(path, o) // fails too, and names the ring
		case errors.As(err, &full):
			full.Path = path
			return full
		case err != nil:
			return err
		}
		if err := cli.CreateRing(path, fitted); err != nil || fitted.LaneSize == ring.DefaultLaneSize {
			return err
		}
		room, err := roomFor(path, free)
		if err != nil {
			return errors.Join(err, ring.Discard(path))
		}
		say("lanes of %s instead of %s: %s has %s free, room for %s", humanize.IBytes(fitted.LaneSize), humanize.IBytes(ring.DefaultLaneSize),
			cli.Clean(dir), humanize.IBytes(free), counted(room, "worker"))
		return nil
	}
	return cli.CreateRing(path, o)
}

// roomFor is how many lanes of the ring at path can be used where free bytes were
// free before it was made.
func roomFor(path string, free uint64) (uint64, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return 0, err
	}
	head := in.Ring()
	return min((free-min(free, head.LanesOffset))/head.LaneSize, uint64(head.LaneCount)), in.Close()
}

// minWorkers is for how many workers there is to be room at least.
const minWorkers = 16

// view is the ring as it can be looked at while it is drained.
type view struct {
	*ring.Inspector
	before uint64 // attachments when the view was opened
}

func newView(path string) (*view, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return nil, err
	}
	v := &view{Inspector: in}
	v.before = v.generations()
	return v, nil
}

// generations is how often a lane of the ring was claimed.
func (v *view) generations() (n uint64) {
	for i := range v.Ring().LaneCount {
		n += v.Entry(i).Generation()
	}
	return n
}

// attachments is how many workers attached since the view was opened.
func (v *view) attachments() uint64 {
	if v.Refresh() != nil {
		return 0 // somebody truncated the ring: the reader says so
	}
	return v.generations() - v.before
}

// attached says whether a worker is attached now, or died and is not drained yet.
func (v *view) attached() bool {
	if v.Refresh() != nil {
		return false
	}
	for i := range v.Ring().LaneCount {
		if v.Entry(i).State() == ring.LaneOwned && v.Held(i) {
			return true
		}
	}
	return false
}
