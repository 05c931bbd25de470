// Package rig sets ringlog up to be measured: rings, workers, readers.
package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// Stride is what a record of 100 B takes in a lane, with its header.
const Stride = 136

// patience is how long a worker waits for room, and whoever waits for records for the
// next one: longer than a disk stalls.
const patience = 30 * time.Second

// Lane is a ring of one lane in this process, whose records nobody reads.
type Lane struct {
	Writer   *writer.Writer
	consumer *ring.Consumer
	// Burst is how many records of 100 B fit it when it was emptied: it is three
	// quarters of it, so that none finds it full.
	Burst int
}

// OpenLane makes a ring in dir. The writer fails where it would have to wait: a burst
// that finds its lane full is an error of the measurement. single: it is for one goroutine.
func OpenLane(dir string, size uint64, single bool) (*Lane, error) {
	own, err := os.MkdirTemp(dir, "lane-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(own, "one.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: size}); err != nil {
		return nil, err
	}
	consumer, err := ring.OpenConsumer(path)
	if err != nil {
		return nil, err
	}
	w, err := writer.Open(path, writer.Options{Policy: writer.PolicyDrop, SingleProducer: single})
	if err != nil {
		consumer.Close()
		return nil, err
	}
	return &Lane{Writer: w, consumer: consumer, Burst: int(size / 4 * 3 / Stride)}, nil
}

// Empty gives the lane's memory back without reading it. So the reader's cost is not
// in what is measured, but the writer meets a consumer position that moved, as it
// does in real life.
func (l *Lane) Empty() error { return discard(l.consumer, l.Writer.Stats().Lane) }

// Close ends the lane.
func (l *Lane) Close() error {
	err := l.Writer.Close()
	if e := l.consumer.Close(); err == nil {
		err = e
	}
	return err
}

func discard(c *ring.Consumer, lane int) error {
	l, err := c.Lane(lane)
	if err != nil {
		return err
	}
	progress, ok := l.Progress()
	if !ok {
		return fmt.Errorf("lane %d: its progress is damaged", lane)
	}
	from := progress.Consumer
	progress.Consumer, _ = l.Produced()
	return c.Publish(&ring.Batch{Lanes: []ring.LaneChange{{
		Lane: lane, Generation: l.Generation(), From: from, To: progress, State: ring.LaneOwned,
	}}})
}

// ByCounter says whether timestamps are the processor's cycle counter.
func (l *Lane) ByCounter() bool {
	lane, err := l.consumer.Lane(l.Writer.Stats().Lane)
	if err != nil {
		return false
	}
	owner, ok := lane.Owner()
	return ok && owner.Clock.Kind == ring.ClockCounter
}
