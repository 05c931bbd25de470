package ring

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func TestSecondConsumerIsRefusedWithThePidOfTheFirst(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	c := f.consumer(t)
	_, err := newConsumer(f.open(), f.head)
	var running *ReaderRunningError
	if !errors.As(err, &running) || !errors.Is(err, ErrReaderRunning) || running.PID == 0 {
		t.Errorf("second consumer: %v", err)
	}
	c.Close()
	f.consumer(t)
}

// exampleBatch moves lane 0 of f to the end of what it holds.
func exampleBatch(l *Lane, after LaneState) Batch {
	p, _ := l.Progress()
	from := p.Consumer
	p.Consumer, _ = l.Produced()
	p.Delivered, p.Sequence, p.Torn, p.Damaged = 2, 3, 1, 4
	lost := l.Lost()
	p.LostSeen = lost.Total()
	return Batch{Number: 7, Lanes: []LaneChange{{Generation: l.Generation(), From: from, To: p, State: after}}}
}

// D4: a reader may die at any store of Publish. The consumer position gives the
// memory back, so all that accounts for it is there before; and who publishes
// the intent again ends where one publication would have ended.
func TestPublishIsResumedAfterDeathAtAnyStore(t *testing.T) {
	t.Parallel()
	deaths := 0
	for _, kind := range []string{"records", "losses only", "damage only"} {
		for x := uint64(0); x <= laneEntrySize; x += 8 {
			for half := range 2 {
				f := newHeapFile(t, 1, 1024)
				w := f.attach(t, "w")
				_, l := f.reader(t, 0)
				if kind == "records" {
					w.append(t, "one")
				} else {
					p, _ := l.Progress()
					p.Consumer, _ = l.Produced()
					l.entry.setProgress(p, l.seed)
				}
				if kind != "damage only" {
					w.CountLost(LostFull, 0)
				}
				w.process.die()
				// The mark's store comes first, and would hide what follows it.
				wordAt(f.entry(0), lanHighWater).store(failpoint.OwnIdentity, 1024)
				pagesOf := make([][]byte, 2)
				pagesOf[0], pagesOf[1] = f.splitAt(t, x)
				l = newLane(0, f.entry(0), f.lanes[0], f.head)
				b := exampleBatch(l, LaneFree)
				from := b.Lanes[0].From
				f.holder = map[uint64]*heapBacking{}
				c := f.consumer(t)
				protect(t, pagesOf[half], true)
				_, died := dies(func() { c.Publish(&b) })
				protect(t, pagesOf[half], false)
				if died {
					deaths++
					p, _ := l.entry.loadProgress()
					if p.Consumer != from && p != b.Lanes[0].To {
						t.Errorf("%s, split %#x: memory was given back before it was accounted for: %+v", kind, x, p)
					}
					if l.State() == LaneFree && p != b.Lanes[0].To {
						t.Errorf("%s, split %#x: the lane was freed before all was published", kind, x)
					}
					if _, ok := l.Progress(); ok && p != b.Lanes[0].To && p.Delivered == b.Lanes[0].To.Delivered {
						t.Errorf("%s, split %#x: a half-published line passes its check", kind, x)
					}
					if p, err := attach(f.open(), f.head, AttachOptions{}); err == nil && l.State() != LaneOwned {
						t.Errorf("%s, split %#x: claimed half published: %v", kind, x, p.Lane())
					}
				}
				c.from.(*heapBacking).die()
				for range 2 { // the next reader, and one after it that dies before it clears the intent
					c = f.consumer(t)
					if err := c.Publish(&b); err != nil {
						t.Fatal(err)
					}
					c.from.(*heapBacking).die()
				}
				if p, ok := l.Progress(); !ok || p != b.Lanes[0].To || l.State() != LaneFree {
					t.Fatalf("%s, split %#x, half %d: published %+v, check %v, state %v", kind, x, half, p, ok, l.State())
				}
				f.attach(t, "heir")
			}
		}
	}
	if deaths < 20 {
		t.Errorf("only %d deaths", deaths)
	}
}

func TestPublishLeavesALaneOfALaterOwnerAlone(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "first")
	w.append(t, "one")
	c, l := f.reader(t, 0)
	w.process.die()
	b := exampleBatch(l, LaneFree)
	if err := c.Publish(&b); err != nil {
		t.Fatal(err)
	}
	w2 := f.attach(t, "second")
	w2.append(t, "two")
	before := f.snapshot()
	if err := c.Publish(&b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before.front, f.front) {
		t.Error("publishing again touched the lane of the second owner")
	}
	if all := finally(l); !slices.Equal(payloads(all), []string{"two"}) {
		t.Errorf("read %v", all)
	}
}

func TestPublishSkipsALaneOfAnotherGenerationWhateverTheBatchSays(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	w.append(t, "one")
	c, l := f.reader(t, 0)
	w.process.die()
	before := f.snapshot()
	for _, generation := range []uint64{0, 2} {
		b := exampleBatch(l, LaneFree)
		b.Lanes[0].Generation = generation
		if err := c.Publish(&b); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before.front, f.front) {
			t.Errorf("a batch of generation %d changed the lane of generation 1", generation)
		}
	}
}

func TestPublishNeverMovesAPositionBack(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	w.append(t, "one")
	old := exampleBatch(l, LaneOwned)
	w.append(t, "two")
	w.CountLost(LostFull, 0)
	b := exampleBatch(l, LaneOwned)
	c.Publish(&b)
	old.Lanes[0].To.LostSeen = 99
	c.Publish(&old)
	if p, ok := l.Progress(); !ok || p != b.Lanes[0].To {
		t.Errorf("progress %+v, check %v", p, ok)
	}
}

func TestSettlingIsRefusedWhileSomebodyHoldsTheLane(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	drain(t, c, l, LaneFree)
	if l.State() != LaneOwned {
		t.Errorf("the lane of a living owner became %v", l.State())
	}
	w.process.die()
	drain(t, c, l, LaneFree)
	if l.State() != LaneFree {
		t.Errorf("the lane of a dead owner is %v", l.State())
	}
}

func TestReadersLockOnTheLaneOutlivesNeitherSettlingNorDeath(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	if ok, _ := l.TryLock(); ok {
		t.Error("the lock of a living owner could be taken")
	}
	w.process.die()
	if ok, _ := l.TryLock(); !ok {
		t.Error("the lock of a dead owner could not be taken")
	}
	drain(t, c, l, LaneFree)
	f.attach(t, "next")
}

func TestProgressIsReadWholeWhileItIsPublished(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	f.attach(t, "w")
	_, l := f.reader(t, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range uint64(20_000) {
			l.entry.setProgress(Progress{8 * i, i, i, i, i, i}, l.seed)
		}
	}()
	read := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p, ok := l.Progress()
		if !ok {
			continue
		}
		read++
		if i := p.Torn; p != (Progress{8 * i, i, i, i, i, i}) {
			t.Fatalf("a mixture: %+v", p)
		}
	}
	if read == 0 {
		t.Error("never read")
	}
}

func TestFlippedByteOfTheReadersLineFailsItsCheck(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	f.attach(t, "w")
	_, l := f.reader(t, 0)
	for range 500 {
		p := Progress{rand.Uint64N(maxPosition) &^ 7, rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64(), rand.Uint64()}
		l.entry.setProgress(p, l.seed)
		off := lanProgress + rand.IntN(lanHighWater-lanProgress)
		l.entry[off] ^= 1 << rand.IntN(8)
		if _, ok := l.Progress(); ok {
			t.Fatalf("byte %#x flipped in %+v and not noticed", off, p)
		}
	}
}

func TestSleepingReaderIsWokenByACommit(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for i := range 100 {
		pos := w.producer.load()
		drain(t, c, l, LaneOwned)
		ready := make(chan struct{})
		go func() {
			<-ready // the reader has said that it sleeps, and found nothing
			if err := w.Append([]byte("wake"), 0, KindRaw); err != nil {
				t.Error(err)
			}
		}()
		for first := true; !c.Pending(0, pos); first = false {
			c.Sleep(time.Hour, func() bool {
				if first {
					close(ready)
					return false
				}
				return c.Pending(0, pos)
			})
		}
		if f := c.control(ctlReaderFutex).load(); f != futexAwake {
			t.Fatalf("round %d: futex word %d after sleep", i, f)
		}
	}
}

func TestWakeEndsAReadersSleep(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	c := f.consumer(t)
	slept := make(chan struct{})
	asleep := make(chan struct{})
	go func() {
		defer close(slept)
		c.Sleep(time.Hour, func() bool { close(asleep); return false })
	}()
	<-asleep
	c.Wake()
	<-slept
}

func TestWaitingWriterIsWokenWhenRoomIsGivenBack(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for range 100 {
		seen := w.Consumed()
		for w.Append(make([]byte, 32), 0, KindRaw) == nil {
		}
		woken := make(chan struct{})
		go func() {
			defer close(woken)
			for w.Consumed() == seen {
				w.Wait(seen, time.Hour)
			}
		}()
		for f.entry(0).futex().load() != futexWaiting { // until it has said that it waits
			time.Sleep(0)
		}
		drain(t, c, l, LaneOwned)
		<-woken
	}
}

func TestCloseWakesWaitingWriters(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	for w.Append(make([]byte, 96), 0, KindRaw) == nil {
	}
	woken := make(chan struct{})
	for range 3 {
		go func() {
			for errors.Is(w.Append(nil, 0, KindRaw), ErrFull) {
				w.Wait(w.Consumed(), time.Hour) // a signal may end it early
			}
			woken <- struct{}{}
		}()
	}
	for w.slow.Load() < 3 { // until all of them are inside
		time.Sleep(0)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for range 3 {
		<-woken
	}
}

func TestReportedErrorIsShownCutToItsRoom(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	c := f.consumer(t)
	c.ReportError(errors.New("disk full"))
	c.ReportError(errors.New(string(make([]byte, 1000))))
	c.ReportError(errors.New("disk still full"))
	in := f.inspect(t)
	if s := in.Reader(); s.LastError != "disk still full" || s.Errors != 3 || s.PID == 0 || s.ErrorTime == 0 || s.Heartbeat == 0 {
		t.Errorf("status %+v", s)
	}
}
