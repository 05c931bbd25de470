package writer

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// newRing creates a ring of the smallest lanes, of 64 KiB.
func newRing(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 4, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string, o Options) *Writer {
	t.Helper()
	w, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// drain is a reader that keeps what it reads.
type drain struct {
	t testing.TB
	c *ring.Consumer
}

func newDrain(t testing.TB, path string) *drain {
	t.Helper()
	c, err := ring.OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &drain{t, c}
}

// take reads all records of w's lane and gives their room back.
func (d *drain) take(w *Writer) []ring.Item {
	d.t.Helper()
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		d.t.Fatal(err)
	}
	lane.Owner()
	progress, ok := lane.Progress()
	if !ok {
		d.t.Fatal("the lane's progress is damaged")
	}
	change := ring.LaneChange{Lane: lane.Index, Generation: lane.Generation(), From: progress.Consumer, To: progress, State: ring.LaneOwned}
	end, _ := lane.Produced()
	var items []ring.Item
	for pos := progress.Consumer; ; {
		it := lane.Live(pos, end)
		switch it.Outcome {
		case ring.OutcomeRecord:
			if it.Kind != ring.KindOwner {
				it.Payload = slices.Clone(it.Payload)
				items = append(items, it)
			}
			pos = it.Next
			continue
		case ring.OutcomeEnd:
			change.To.Consumer = it.Next
		default:
			d.t.Fatalf("at %d: %v %s", it.Position, it.Outcome, it.Cause)
		}
		break
	}
	lost := lane.Lost()
	change.To.LostSeen = lost.Total()
	if err := d.c.Publish(&ring.Batch{Lanes: []ring.LaneChange{change}}); err != nil {
		d.t.Fatal(err)
	}
	return items
}

// giveBack gives the room of the first n records in w's lane back.
func (d *drain) giveBack(w *Writer, n int) {
	d.t.Helper()
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		d.t.Fatal(err)
	}
	lane.Owner()
	progress, _ := lane.Progress()
	change := ring.LaneChange{Lane: lane.Index, Generation: lane.Generation(), From: progress.Consumer, To: progress, State: ring.LaneOwned}
	end, _ := lane.Produced()
	for range n {
		change.To.Consumer = lane.Live(change.To.Consumer, end).Next
	}
	if err := d.c.Publish(&ring.Batch{Lanes: []ring.LaneChange{change}}); err != nil {
		d.t.Fatal(err)
	}
}

// lost is what the lane says of w's losses, in the form in which w counts them.
func (d *drain) lost(w *Writer) Lost {
	d.t.Helper()
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		d.t.Fatal(err)
	}
	c := lane.Lost()
	of := func(r ring.LossReason) Bands {
		below, above := c.Of(r)
		return Bands{Below: below, Above: above}
	}
	return Lost{
		Full:     of(ring.LostFull),
		Timeout:  of(ring.LostTimeout),
		NoReader: of(ring.LostNoReader),
		TooLarge: of(ring.LostTooLarge),
		Aborted:  of(ring.LostAborted),
	}
}

// block is a record that fills a lane in a few appends.
var block = make([]byte, 4096)

// fill appends until the lane has no room at all, without w's policy.
func fill(t testing.TB, w *Writer) {
	t.Helper()
	for _, p := range [][]byte{block, nil} {
		err := error(nil)
		for err == nil {
			err = w.sink.Load().producer.Append(p, int16(record.LevelWarning), ring.KindRaw)
		}
		if err != ring.ErrFull {
			t.Fatal(err)
		}
	}
}
