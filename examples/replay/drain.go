package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// rotateAt is the size in bytes at which a log file is rotated.
const rotateAt = 4 << 20

// createRing makes a ring with a lane for each worker. The lanes are as small as
// they can be, so that they are full most of the time and wrap thousands of times:
// harder on the ring, and on its writers, than 4 MiB, which is the default.
func createRing(path string, workers int) error {
	return ring.Create(path, ring.CreateOptions{Lanes: workers, LaneSize: ring.MinLaneSize})
}

// openReader opens the ring for draining into the rotating file log.
func openReader(path, log string, until reader.Until) (*reader.Reader, error) {
	return reader.Open(path, reader.Options{
		Outputs: []reader.Output{{Path: log, Format: "json"}},
		MaxSize: rotateAt,
		Until:   until,
	})
}

// read is the reader process of act two: it drains until it is killed, or until
// its standard input ends, which it does when the parent is gone.
func read(ctx context.Context, j job) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	_, err := drain(ctx, j.Ring, j.Log, reader.UntilStopped)
	return err
}

// drain opens the ring, drains it until its end, and closes everything.
func drain(ctx context.Context, path, log string, until reader.Until) (reader.Stats, error) {
	r, err := openReader(path, log, until)
	if err != nil {
		return reader.Stats{}, err
	}
	err = r.Run(ctx)
	return r.Stats(), errors.Join(err, r.Close())
}
