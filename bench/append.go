package main

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

var appends = []candidate{
	{"append 100 B", 1, openAppend(ring.DefaultLaneSize)},
	{"append 100 B, lane of 64 KiB", 1, openAppend(ring.MinLaneSize)},
	{"append 100 B, each of 2 processes", 2, openWorkers},
}

// burst is how many records of 100 B are appended to a lane of size bytes before
// it is emptied: three quarters of it, so that none finds it full.
func burst(size uint64) int { return int(size / 4 * 3 / stride) }

// appender appends in bursts from this process.
type appender struct {
	writer   *writer.Writer
	consumer *ring.Consumer
	burst    int
	append   func(n int) (time.Duration, error) // n records, and how long that took
}

func openAppend(laneSize uint64) func(string) (measurement, error) {
	return openAppender(laneSize, func(w *writer.Writer) func(int) (time.Duration, error) {
		return func(n int) (time.Duration, error) { return appendBurst(w, n) }
	})
}

// openAppender prepares appends, by what with makes of the writer, to a ring of one
// lane.
func openAppender(laneSize uint64, with func(*writer.Writer) func(n int) (time.Duration, error)) func(string) (measurement, error) {
	return func(dir string) (measurement, error) {
		own, err := os.MkdirTemp(dir, "append-")
		if err != nil {
			return nil, err
		}
		path := filepath.Join(own, "one.ring")
		consumer, err := newRing(path, 1, laneSize)
		if err != nil {
			return nil, err
		}
		w, err := openWriter(path)
		if err != nil {
			return nil, errors.Join(err, consumer.Close())
		}
		return &appender{w, consumer, burst(laneSize), with(w)}, nil
	}
}

func newRing(path string, lanes int, laneSize uint64) (*ring.Consumer, error) {
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: laneSize}); err != nil {
		return nil, err
	}
	return ring.OpenConsumer(path)
}

// openWriter opens a writer that fails where it would have to wait: a burst that
// finds its lane full is an error of the measurement.
func openWriter(path string) (*writer.Writer, error) {
	return writer.Open(path, writer.Options{Policy: writer.PolicyDrop})
}

func (a *appender) run(d time.Duration) (n int, took time.Duration, err error) {
	for took < d {
		if err := discard(a.consumer, a.writer.Stats().Lane); err != nil {
			return 0, 0, err
		}
		t, err := a.append(a.burst)
		if err != nil {
			return 0, 0, err
		}
		n, took = n+a.burst, took+t
	}
	return n, took, nil
}

func appendBurst(w *writer.Writer, n int) (time.Duration, error) {
	begin := time.Now()
	for range n {
		if err := w.Append(record.LevelInfo, message); err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}

func (a *appender) Close() error { return errors.Join(a.writer.Close(), a.consumer.Close()) }
