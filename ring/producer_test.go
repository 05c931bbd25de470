package ring

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAppendedRecordIsReadBackWhole(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	if err := w.Append([]byte("hello"), -20, KindLog); err != nil {
		t.Fatal(err)
	}
	_, l := f.reader(t, 0)
	it := l.Live(ownerRecordSize, ownerRecordSize+40)
	if it.Outcome != OutcomeRecord || it.Kind != KindLog || it.Level != -20 || string(it.Payload) != "hello" ||
		it.Position != ownerRecordSize || it.Next != ownerRecordSize+40 {
		t.Errorf("read %+v", it)
	}
}

func TestRecordThatWouldStraddleTheEndIsPrecededByPadding(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for range 7 { // 128 + 7*120 = 968: 56 bytes are left
		w.fill(t, strings.Repeat("x", 88))
	}
	drain(t, c, l, LaneOwned)
	w.append(t, strings.Repeat("y", 30)) // 64 bytes
	if s := l.mem.stateAt(968); s != statePadding {
		t.Errorf("state %d at 968, want padding", s)
	}
	want := []got{{OutcomeRecord, 1024, 1088, strings.Repeat("y", 30)}}
	if all, last := lively(l); !slices.Equal(all, want) || last.Outcome != OutcomeEnd || last.Position != 1088 {
		t.Errorf("live: %v, then %v at %d", all, last.Outcome, last.Position)
	}
	if all := finally(l); !slices.Equal(all, want) {
		t.Errorf("final: %v", all)
	}
}

func TestRecordThatEndsAtTheLanesEndNeedsNoPadding(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for range 7 {
		w.fill(t, strings.Repeat("x", 96)) // 128 bytes, the largest
	}
	drain(t, c, l, LaneOwned)
	w.append(t, "z")
	if all, _ := lively(l); !slices.Equal(all, []got{{OutcomeRecord, 1024, 1064, "z"}}) {
		t.Errorf("read %v", all)
	}
}

func TestFullLaneRefusesUntilTheReaderMoves(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	n := 0
	for w.Append(make([]byte, 32), WarningLevel, KindRaw) == nil {
		n++
	}
	if n != (1024-ownerRecordSize)/64 {
		t.Errorf("%d records fitted", n)
	}
	if err := w.Append(make([]byte, 32), WarningLevel, KindRaw); !errors.Is(err, ErrFull) {
		t.Errorf("full lane: %v", err)
	}
	if w.Backlog() != 1024 {
		t.Errorf("backlog %d", w.Backlog())
	}
	drain(t, c, l, LaneOwned)
	if l.HighWater() != 1024 || w.Backlog() != 0 {
		t.Errorf("high-water mark %d, backlog %d", l.HighWater(), w.Backlog())
	}
	w.append(t, "again")
}

func TestNothingUnreadIsOverwrittenForPadding(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for range 7 {
		w.fill(t, strings.Repeat("x", 88))
	}
	p, _ := l.Progress()
	p.Consumer = ownerRecordSize // 128 bytes free at the start, 56 at the end
	if err := c.Publish(&Batch{Lanes: []LaneChange{{Generation: 1, To: p, State: LaneOwned}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(make([]byte, 96), WarningLevel, KindRaw); err != nil {
		t.Errorf("56 bytes of padding and 128 of record where 184 are free: %v", err)
	}
	if err := w.Append(nil, WarningLevel, KindRaw); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if got := len(payloads(finally(l))); got != 8 {
		t.Errorf("%d records, want 8", got)
	}
}

func TestTooLargeRecordIsRefusedAndTheLargestIsNot(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	if err := w.Append(make([]byte, w.MaxPayload()+1), 0, KindRaw); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte too many: %v", err)
	}
	if err := w.Append(make([]byte, w.MaxPayload()), 0, KindRaw); err != nil {
		t.Errorf("the largest: %v", err)
	}
}

// W1 and W2, seen from the crash: whatever store is the last one that a dying
// writer made, what was accepted before is whole, its own record is torn or
// whole, and nothing is invented.
func TestWriterThatDiesAtAnyStoreLeavesAtMostOneTornGap(t *testing.T) {
	t.Parallel()
	const size = 16384
	shapes := map[string]bool{}
	// The record begins at page-split, for every split inside it: each pair of
	// its words is told apart by one of them.
	for split := uint64(0); split <= 64; split += 8 {
		for _, half := range []string{"before", "from"} {
			f := newHeapFile(t, 1, size)
			m := pages(t, size)
			// An earlier lap: a long record whose length a torn one must not inherit.
			f.lanes[0] = m
			w := f.attach(t, "w")
			c, l := f.reader(t, 0)
			for w.Append(make([]byte, 1000), 0, KindRaw) == nil {
			}
			drain(t, c, l, LaneOwned)
			for w.producer.load() < size+pageSize-split-48 {
				pos := w.producer.load()
				n := min(1000, size+pageSize-split-48-pos-recordHeader)
				if err := w.Append(make([]byte, n), 0, KindRaw); err != nil {
					t.Fatal(err)
				}
			}
			drain(t, c, l, LaneOwned)
			w.append(t, "accepted") // 40 bytes, and then 8 to the split's record
			w2 := w.producer.load()
			page := m[:pageSize]
			if half == "from" {
				page = m[pageSize : 2*pageSize]
			}
			protect(t, page, true)
			_, died := dies(func() { w.Append([]byte("it was the last record of all"), 0, KindRaw) })
			protect(t, page, false)
			w.process.die()
			end, _ := l.Produced()
			if died && end == w2 {
				t.Errorf("split %d %s: a byte was written before the producer position moved", split, half)
			}
			all := finally(l)
			if len(all) == 0 || all[0].Payload != "accepted" || len(all) > 2 {
				t.Fatalf("split %d %s: %v", split, half, all)
			}
			if len(all) == 2 {
				shapes[all[1].Outcome.String()] = true
				if all[1].Next != end {
					t.Errorf("split %d %s: %v, want up to %d", split, half, all, end)
				}
				if all[1].Outcome == OutcomeDamaged {
					t.Errorf("split %d %s: a crash looks like damage: %v", split, half, all)
				}
			}
		}
	}
	if !shapes["torn"] || !shapes["record"] {
		t.Errorf("the faults never hit: %v", shapes)
	}
}

// The length must be in its place before the stamp that vouches for it (W2). The
// stamp's page is closed, so the writer dies on the first stamp; the length,
// on the next page, must be there by then.
func TestLengthIsStoredBeforeTheClaimedStamp(t *testing.T) {
	t.Parallel()
	const size = 16384
	f := newHeapFile(t, 1, size)
	f.lanes[0] = pages(t, size)
	w := f.attach(t, "w")
	for pos := w.producer.load(); pos < pageSize-8; pos = w.producer.load() {
		if err := w.Append(make([]byte, min(1000, pageSize-8-pos-recordHeader)), 0, KindRaw); err != nil {
			t.Fatal(err)
		}
	}
	protect(t, f.lanes[0][:pageSize], true)
	_, died := dies(func() { w.Append([]byte("abc"), 0, KindRaw) })
	protect(t, f.lanes[0][:pageSize], false)
	if n := le.Uint32(f.lanes[0][pageSize-8+recLength:]); !died || n != 3 {
		t.Errorf("died %v with the length %d, want 3", died, n)
	}
}

func TestPositionMovesOverPaddingAndRecordInOneStep(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 16384)
	f.lanes[0] = pages(t, 16384)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for w.Append(make([]byte, 992), WarningLevel, KindRaw) == nil {
	}
	drain(t, c, l, LaneOwned)
	before, _ := l.Produced()
	protect(t, f.lanes[0], true)
	_, died := dies(func() { w.Append(make([]byte, 1992), 0, KindRaw) })
	protect(t, f.lanes[0], false)
	after, _ := l.Produced()
	if want := l.mem.place(before, 2024) + 2024; !died || after != want || want == before+2024 {
		t.Errorf("died %v, producer position %d → %d, want %d", died, before, after, want)
	}
	if all := finally(l); len(all) != 1 || all[0].Outcome != OutcomeTorn || all[0].Next != after {
		t.Errorf("unstamped padding: %v", all)
	}
}

func TestAbortedRecordIsSkipped(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	_, l := f.reader(t, 0)
	claim, err := w.Claim(10, 0, KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	w.append(t, "next")
	if all, last := lively(l); len(payloads(all)) != 0 || last.Outcome != OutcomeNotYet || last.Next != 128 {
		t.Errorf("claimed: %v, then %v", all, last)
	}
	w.Abort(claim)
	if all, _ := lively(l); !slices.Equal(payloads(all), []string{"next"}) {
		t.Errorf("live: %v", all)
	}
	if all := finally(l); len(all) != 2 || !slices.Equal(payloads(all), []string{"next"}) {
		t.Errorf("final: %v", all)
	}
}

// A goroutine that loaded the producer position, and then did not run while others
// appended and the reader drained, must not take the lane for full: here at most
// eight small records are unread at any time.
func TestNobodyIsRefusedWhileTheLaneIsNearlyEmpty(t *testing.T) {
	// More threads than processors: the kernel then stops some of them anywhere,
	// also between the load and the compare-and-swap.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4 * runtime.NumCPU()))
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	_, l := f.reader(t, 0)
	const goroutines = 8
	rounds := int64(50_000)
	if raceEnabled {
		rounds = 5000 // it is ten times slower, and looks for something else
	}
	refused := make(chan error, goroutines)
	drained := make([]atomic.Int64, goroutines)
	var begun, appended atomic.Int64
	total := int64(0)
	for g := range goroutines {
		go func() {
			for i := range rounds {
				begun.Add(1)
				if err := w.Append([]byte{byte(g)}, 0, KindRaw); err != nil {
					refused <- fmt.Errorf("append %d: %w", i, err)
					return
				}
				appended.Add(1)
				for drained[g].Load() <= i {
					runtime.Gosched()
				}
			}
			refused <- nil
		}()
	}
	for ended := 0; ended < goroutines; {
		accepted := appended.Load()
		p, _ := l.Progress()
		end, _ := l.Produced()
		idle := begun.Load() == accepted // all claims below end are of appends that returned
		var seen [goroutines]int64
		for it := l.Live(p.Consumer, end); ; it = l.Live(it.Next, end) {
			p.Consumer = it.Next
			if it.Outcome != OutcomeRecord {
				if it.Outcome != OutcomeNotYet && it.Outcome != OutcomeEnd {
					t.Fatalf("read %+v", it)
				}
				if it.Outcome == OutcomeEnd && total < accepted || it.Outcome == OutcomeNotYet && idle {
					t.Fatalf("%d records were accepted, and %d read", accepted, total)
				}
				break
			}
			if it.Kind == KindRaw {
				seen[it.Payload[0]]++
				total++
			}
		}
		l.entry.setProgress(p, l.seed)
		for g := range drained {
			drained[g].Add(seen[g])
		}
		select {
		case err := <-refused:
			ended++
			if err != nil {
				t.Fatal(err)
			}
		default:
			runtime.Gosched()
		}
	}
}

func TestClaimsAllocateNothing(t *testing.T) {
	f := newHeapFile(t, 1, 1<<20)
	w := f.attach(t, "w")
	payload := []byte("some payload")
	if n := testing.AllocsPerRun(1000, func() { w.Append(payload, 0, KindRaw) }); n != 0 {
		t.Errorf("%v allocations an append", n)
	}
}
