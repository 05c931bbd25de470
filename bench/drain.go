package main

import (
	"fmt"

	"github.com/ringlog/ringlog/ring"
)

// discard gives a lane's memory back without reading it, between two bursts. So
// the reader's cost is not in what is measured, but the writer meets a consumer
// position that moved, as it does in real life.
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
