//go:build linux

package reader

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ringlog/ringlog/ring"
)

// makeRing makes the ring that o describes. made is false if it was there.
func makeRing(o StartOptions) (path string, made bool, err error) {
	if o.Ring != "" {
		err = createRing(o.Ring, o)
		if errors.Is(err, ring.ErrExists) {
			return o.Ring, false, nil
		}
		return o.Ring, err == nil, err
	}
	program := filepath.Base(os.Args[0])
	program = program[:min(len(program), 64)] // a file's name has 255 bytes
	name := program
	// A name can be taken: by a run that was killed and had the same pid, or by a
	// container with the same /dev/shm.
	for i := 2; ; i++ {
		if path, err = ring.DefaultPath(name); err != nil {
			return "", false, err
		}
		if err = createRing(path, o); !errors.Is(err, ring.ErrExists) || i > maxNames {
			return path, err == nil, err
		}
		name = fmt.Sprintf("%s-%d", program, i)
	}
}

// maxNames is how many names are tried for a ring in memory.
const maxNames = 100

// createRing makes a ring at path, with lanes for which there is room.
func createRing(path string, o StartOptions) error {
	if _, err := os.Lstat(path); err == nil {
		return ring.ErrExists // whatever room there is
	}
	create := ring.CreateOptions{Lanes: o.Lanes, LaneSize: o.LaneSize}
	if o.LaneSize == 0 {
		fitted, free, err := ring.Fit(filepath.Dir(path), create, workersExpected(o.Lanes))
		if err != nil {
			return err
		}
		if create = fitted; create.LaneSize < ring.DefaultLaneSize {
			o.Log.Warn(fmt.Sprintf("lanes of %d KiB instead of %d KiB: %s has %d KiB free, room for %d workers",
				create.LaneSize>>10, ring.DefaultLaneSize>>10, filepath.Dir(path), free>>10, free/create.LaneSize))
		}
	}
	return ring.Create(path, create)
}

// sayLeftOver says how many rings in memory nobody has any more: each takes its
// room until somebody drains and removes it.
func sayLeftOver(own string, log *slog.Logger) {
	dir := ring.DefaultDir()
	paths, _ := filepath.Glob(filepath.Join(dir, "*.ring")) // fails for no pattern such as this one
	n := 0
	for _, path := range paths {
		if path != own && abandoned(path) {
			n++
		}
	}
	if n > 0 {
		log.Warn(fmt.Sprintf("rings of earlier runs lie in %s: %d; ringlog ls says what to do with them", dir, n))
	}
}

// abandoned says that the ring at path has neither a reader nor a worker.
func abandoned(path string) bool {
	in, err := ring.Inspect(path)
	if err != nil {
		return false
	}
	defer in.Close()
	if in.Reader().Running {
		return false
	}
	for i := range in.Ring().LaneCount {
		if in.Entry(i).State() == ring.LaneOwned && in.Held(i) {
			return false
		}
	}
	return true
}

// workersExpected is for how many workers there should be room: as many as can be
// attached, if the program said how many; else some more than keep the machine busy.
func workersExpected(lanes int) int {
	if lanes > 0 {
		return lanes
	}
	return max(16, 2*runtime.NumCPU())
}
