package ring

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// closedAndDrained is a ring whose one lane had an owner that closed it.
func closedAndDrained(t testing.TB, laneSize uint64) (*heapFile, *worker, *Consumer, *Lane) {
	t.Helper()
	f := newHeapFile(t, 1, laneSize)
	w := f.attach(t, "first")
	w.append(t, "of the first")
	w.CountLost(LostFull, 0)
	c, l := f.reader(t, 0)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	drain(t, c, l, LaneClosed)
	return f, w, c, l
}

func TestClosedLaneGoesToTheNextOwnerWithItsCountersGoingOn(t *testing.T) {
	t.Parallel()
	f, _, _, l := closedAndDrained(t, 1024)
	begin, closed := l.Produced()
	if l.State() != LaneClosed || !closed {
		t.Fatalf("state %v, closed %v", l.State(), closed)
	}
	w := f.attach(t, "second")
	o, ok := l.Owner()
	lost := LossCounts{1}
	if !ok || o.Generation != 2 || o.Label != "second" || o.Begin != begin || o.BeginLost != lost || o.PID == 0 {
		t.Errorf("owner %+v, ok %v", o, ok)
	}
	if end, closed := l.Produced(); closed || end != begin+ownerRecordSize || l.State() != LaneOwned {
		t.Errorf("producer %d, closed %v, state %v", end, closed, l.State())
	}
	w.append(t, "of the second")
	all := finally(l)
	if len(all) != 2 || all[0].Payload != "owner" || all[1].Payload != "of the second" {
		t.Errorf("read %v", all)
	}
}

func TestLaneIsNotReusedBeforeAllIsInTheOutputs(t *testing.T) {
	t.Parallel()
	refused := func(what string, prepare func(f *heapFile, w *worker, c *Consumer, l *Lane)) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newHeapFile(t, 1, 1024)
			w := f.attach(t, "first")
			c, l := f.reader(t, 0)
			prepare(f, w, c, l)
			if _, err := attach(f.open(), f.head, AttachOptions{}); !errors.Is(err, ErrNoFreeLane) {
				t.Errorf("attached: %v", err)
			}
		})
	}
	refused("owned", func(*heapFile, *worker, *Consumer, *Lane) {})
	refused("owner dead", func(_ *heapFile, w *worker, _ *Consumer, _ *Lane) { w.process.die() })
	refused("closed and undrained", func(_ *heapFile, w *worker, _ *Consumer, _ *Lane) { w.Close() })
	refused("closed with losses unseen", func(_ *heapFile, w *worker, c *Consumer, l *Lane) {
		w.CountLost(LostFull, 0)
		w.Close()
		p, _ := l.Progress()
		p.Consumer, _ = l.Produced()
		c.Publish(&Batch{Lanes: []LaneChange{{Generation: 1, To: p, State: LaneClosed}}})
	})
	refused("damaged for good", func(_ *heapFile, w *worker, c *Consumer, l *Lane) {
		w.process.die()
		drain(t, c, l, LaneDamaged)
	})
	refused("progress fails its check", func(f *heapFile, w *worker, c *Consumer, l *Lane) {
		w.Close()
		drain(t, c, l, LaneClosed)
		wordAt(f.entry(0), lanDelivered).add(failpoint.CountLost, 1)
	})
	refused("consumer beyond producer", func(f *heapFile, w *worker, c *Consumer, l *Lane) {
		w.Close()
		p, _ := l.Progress()
		p.Consumer, _ = l.Produced()
		p.Consumer += 4096
		l.entry.setProgress(p, l.seed)
		l.entry.state().store(failpoint.OwnIdentity, uint64(LaneFree))
	})
}

func TestRetiredOrUnlinkedRingRefusesToBeAttachedTo(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 2, 1024)
	wordAt(f.front, f.head.ControlOffset+ctlRetired).store(failpoint.OwnIdentity, markRetired)
	if _, err := attach(f.open(), f.head, AttachOptions{}); !errors.Is(err, ErrRetired) {
		t.Errorf("retired: %v", err)
	}
	wordAt(f.front, f.head.ControlOffset+ctlRetired).store(failpoint.OwnIdentity, 0)
	f.unlinked = true
	if _, err := attach(f.open(), f.head, AttachOptions{}); !errors.Is(err, ErrRetired) {
		t.Errorf("unlinked: %v", err)
	}
	if len(f.holder) != 0 {
		t.Errorf("%d locks left", len(f.holder))
	}
	f.unlinked = false
	f.attach(t, "now")
}

func TestEveryProcessGetsALaneOfItsOwnUntilNoneIsLeft(t *testing.T) {
	t.Parallel()
	const lanes = 16
	f := newHeapFile(t, lanes, 1024)
	var wg sync.WaitGroup
	got := make([]int, 2*lanes)
	for i := range got {
		wg.Go(func() {
			p, err := attach(f.open(), f.head, AttachOptions{Label: fmt.Sprint(i)})
			got[i] = -1
			if err == nil {
				got[i] = p.Lane()
			} else if !errors.Is(err, ErrNoFreeLane) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	slices.Sort(got)
	for i, lane := range got {
		if want := max(i-lanes, -1); lane != want {
			t.Fatalf("lanes %v", got)
		}
	}
}

// O5: the position is cleared of its closed bit and moved in one store. Were it
// not moved, the compare-and-swap of the preempted append would succeed.
func TestAppendPreemptedBeforeItsCompareAndSwapFailsInALaterOwnersLane(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "first")
	loaded := w.producer.load() // an append of the first owner comes this far
	c, l := f.reader(t, 0)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	drain(t, c, l, LaneClosed)
	f.attach(t, "second")
	if w.producer.cas(failpoint.OwnIdentity, loaded, loaded+64) {
		t.Error("it succeeded in the lane of the second")
	}
}

func TestLossCountedAfterCloseDoesNotReachALaterOwnersLane(t *testing.T) {
	t.Parallel()
	f, w, _, l := closedAndDrained(t, 1024)
	f.attach(t, "second")
	before := l.Lost()
	w.CountLost(LostFull, 0)
	w.Wait(w.Consumed(), 0)
	if after := l.Lost(); after != before || f.entry(0).futex().load() != futexAwake {
		t.Errorf("counters %v → %v, futex %d", before, after, f.entry(0).futex().load())
	}
}

// O2: what a claimant saw before it had the lock counts for nothing.
func TestLaneThatChangedBeforeItsLockWasTakenIsNotClaimed(t *testing.T) {
	t.Parallel()
	for _, died := range []bool{false, true} {
		f := newHeapFile(t, 1, 1024)
		late := f.open()
		late.beforeLock = func() {
			w := f.attach(t, "quick")
			w.append(t, "undrained")
			if died {
				w.process.die()
			} else if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := attach(late, f.head, AttachOptions{Label: "late"}); !errors.Is(err, ErrNoFreeLane) {
			t.Errorf("died %v: attached with error %v", died, err)
		}
		_, l := f.reader(t, 0)
		if all := finally(l); !slices.Equal(payloads(all), []string{"undrained"}) || len(f.holder) != 1 {
			t.Errorf("died %v: read %v, %d locks", died, all, len(f.holder))
		}
	}
}

// O5, with the preempted append trying all the time.
func TestNoAppendOfAFormerOwnerSlipsInWhileTheLaneChangesHands(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "owner")
	c, l := f.reader(t, 0)
	var loaded atomic.Uint64
	loaded.Store(closedBit) // not to be tried yet
	stop, stopped := make(chan struct{}), make(chan struct{})
	slipped := false
	go func() {
		defer close(stopped)
		producer := f.entry(0).producer()
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 1000 {
				if pos := loaded.Load(); pos&closedBit == 0 && producer.cas(failpoint.OwnIdentity, pos, pos+64) {
					slipped = true
					return
				}
			}
		}
	}()
	for range 2000 {
		position := w.producer.load()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		loaded.Store(position)
		drain(t, c, l, LaneClosed)
		w = f.attach(t, "owner")
		loaded.Store(closedBit)
	}
	close(stop)
	<-stopped
	if slipped {
		t.Error("an append of a former owner moved the position")
	}
}

// A claimant may die at any store. Whatever it leaves, the lane goes to the next
// claimant, whole, and no append of the former owner gets through.
func TestLaneOfAClaimantThatDiedAtAnyStoreIsClaimedOverRightly(t *testing.T) {
	t.Parallel()
	deaths := map[string]bool{}
	for x := uint64(0); x <= laneEntrySize; x += 8 {
		for half := range 3 {
			f, former, _, _ := closedAndDrained(t, 8192)
			before, from := f.splitAt(t, x)
			closedAt := former.producer.load() &^ closedBit
			f.lanes[0] = append(pages(t, 8192)[:0], f.lanes[0]...)
			b := f.open()
			target := [][]byte{before, from, f.lanes[0]}[half]
			protect(t, target, true)
			var p *Producer
			_, died := dies(func() { p, _ = attach(b, f.head, AttachOptions{Label: "claimant"}) })
			protect(t, target, false)
			l := newLane(0, f.entry(0), f.lanes[0], f.head)
			at := fmt.Sprintf("split %#x, half %d", x, half)
			if !died {
				if p == nil || l.State() != LaneOwned {
					t.Fatalf("%s: not died, not claimed", at)
				}
				continue
			}
			deaths[l.State().String()] = true
			if l.State() == LaneOwned {
				t.Fatalf("%s: OWNED was not the last store", at)
			}
			end, closed := l.Produced()
			if !closed && end == closedAt {
				t.Errorf("%s: the closed bit was cleared before the position moved", at)
			}
			if half == 2 && end == closedAt {
				t.Errorf("%s: the lane's memory was written before the position moved", at)
			}
			b.die()
			w := f.attach(t, "heir")
			w.append(t, "of the heir")
			o, ok := l.Owner()
			if !ok || o.Label != "heir" || o.Generation < 2 || o.Generation > 3 || o.Begin != closedAt {
				t.Fatalf("%s: owner %+v, ok %v", at, o, ok)
			}
			all := finally(l)
			if len(all) != 2 || all[0].Payload != "owner" || all[1].Payload != "of the heir" {
				t.Fatalf("%s: %v", at, all)
			}
		}
	}
	if !deaths["free"] || !deaths["closed"] {
		t.Errorf("claimants died in states %v only", deaths)
	}
}

func TestLaneLastUsedInAnotherBootIsZeroedBeforeItIsOwned(t *testing.T) {
	t.Parallel()
	f, _, _, l := closedAndDrained(t, 1024)
	seed := laneSeed(testKey, 0)
	o, _ := f.entry(0).owner(seed)
	o.BootID[0] ^= 1
	f.entry(0).setOwner(&o, seed)
	// After a power loss memory may hold a record of a position still to come.
	future := l.mem
	pos := o.Begin + 1024
	future.setStamp(failpoint.CommitStamp, pos, stateCommitted)
	f.attach(t, "second")
	if future.stateAt(pos) != 0 {
		t.Error("a stamp of before the reboot is still there")
	}
	if all := finally(l); len(all) != 1 || all[0].Payload != "owner" {
		t.Errorf("read %v", all)
	}
}

func TestTwoOwnersOfALaneAreToldApartByTheirOwnerRecords(t *testing.T) {
	t.Parallel()
	f, _, _, l := closedAndDrained(t, 1024)
	f.attach(t, "zweite Ölmühle").append(t, "new")
	owners := []string{}
	for _, pos := range l.Salvage(0) {
		it, ok := l.At(pos)
		if !ok {
			t.Fatalf("no record at %d", pos)
		}
		if it.Kind != KindOwner {
			continue
		}
		o, ok := ReadOwner(it.Payload)
		if !ok {
			t.Fatal("unreadable owner record")
		}
		owners = append(owners, fmt.Sprint(o.Generation, " ", o.Label))
	}
	if want := []string{"1 first", "2 zweite Ölmühle"}; !slices.Equal(owners, want) {
		t.Errorf("owners %q", owners)
	}
	if o, _ := l.Owner(); o.Begin != 128+48 {
		t.Errorf("the second began at %d", o.Begin)
	}
}

func TestDamagedIdentityIsNoticedAndRecordsAreReadAllTheSame(t *testing.T) {
	t.Parallel()
	for off := lanIdentity; off < lanProducer; off++ {
		f := newHeapFile(t, 1, 1024)
		w := f.attach(t, "w")
		w.append(t, "whole")
		f.entry(0)[off] ^= 0x10
		_, l := f.reader1(t)
		o, ok := l.Owner()
		if ok {
			t.Fatalf("byte %#x flipped and not noticed: %+v", off, o)
		}
		if o.Label != "unknown" {
			t.Fatalf("byte %#x flipped: label %q is trusted", off, o.Label)
		}
		if all, last := lively(l); !slices.Equal(payloads(all), []string{"whole"}) || last.Outcome != OutcomeEnd {
			t.Fatalf("byte %#x flipped: live %v, then %v", off, all, last.Outcome)
		}
		if all := finally(l); !slices.Equal(payloads(all), []string{"whole"}) {
			t.Fatalf("byte %#x flipped: final %v", off, all)
		}
	}
}

// reader1 is reader for lane 0 whose allocated mark may be damaged.
func (f *heapFile) reader1(t testing.TB) (*Consumer, *Lane) {
	return f.consumer(t), newLane(0, f.entry(0), f.lanes[0], f.head)
}
