package ring

import (
	"errors"
	"testing"
	"time"
)

// The closed bit goes when the lane gets its next owner; a goroutine that had its
// producer at hand, and is only then about to begin, must fail all the same (O5).
func TestAnAppendAfterCloseFailsAlsoOnceTheLaneHasItsNextOwner(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		f := newHeapFile(t, 1, 1024)
		former, err := attach(f.open(), f.head, AttachOptions{SingleProducer: single})
		if err != nil {
			t.Fatal(err)
		}
		c, l := f.reader(t, 0)
		if err := former.Close(); err != nil {
			t.Fatal(err)
		}
		drain(t, c, l, LaneClosed)
		next := f.attach(t, "next")
		if err := former.Append([]byte("of former"), 0, KindRaw); !errors.Is(err, ErrClosed) {
			t.Errorf("single: %v: appending through the closed producer: %v, want ErrClosed", single, err)
		}
		next.append(t, "of next")
		if all, _ := lively(l); len(payloads(all)) != 1 {
			t.Errorf("single: %v: the lane holds %q", single, payloads(all))
		}
	}
}

// A reader can die between its store to the lane's futex word and its call, while the
// intent still says that the batch is applied.
func TestABatchPublishedAgainWakesWhomTheDeadReaderDidNot(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	drain(t, c, l, LaneOwned)
	p, _ := l.Progress()
	b := &Batch{Lanes: []LaneChange{{Lane: 0, Generation: l.Generation(), To: p, State: LaneOwned}}}
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		w.Wait(p.Consumer, time.Hour)
	}()
	flag := f.entry(0).futex()
	for flag.load() != futexWaiting {
		time.Sleep(time.Millisecond)
	}
	flag.store(0, futexAwake)
	for deadline := time.Now().Add(time.Minute); ; {
		if err := c.Publish(b); err != nil {
			t.Fatal(err)
		}
		select {
		case <-woken:
			return
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("the writer still sleeps")
		}
	}
}
