package ring

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func TestLossesAreCountedExactlyByReasonAndBandUnderConcurrency(t *testing.T) {
	t.Parallel()
	const goroutines, each = 8, 28_000
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	levels := []int16{-20, WarningLevel - 1, WarningLevel, 60}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range goroutines {
		wg.Go(func() {
			<-start
			for i := range each {
				w.CountLost(LossReason(i%lossReasons), levels[i%len(levels)])
			}
		})
	}
	close(start)
	wg.Wait()
	var want LossCounts
	for i := range each {
		want[2*(i%lossReasons)+i%len(levels)/2] += goroutines
	}
	_, l := f.reader(t, 0)
	lost := l.Lost()
	if lost != want || lost.Total() != goroutines*each {
		t.Errorf("counted %v, want %v", lost, want)
	}
	w.append(t, "after")
	if it := l.Live(ownerRecordSize, 1024); it.Lost != goroutines*each {
		t.Errorf("the next record carries %d", it.Lost)
	}
	if below, above := want.Of(LostTimeout); below+above != goroutines*each/uint64(lossReasons) {
		t.Errorf("timeouts: %d and %d", below, above)
	}
}

func TestLossCountsOfOneOwnerAreADifference(t *testing.T) {
	t.Parallel()
	f, _, _, l := closedAndDrained(t, 1024)
	w := f.attach(t, "second")
	w.CountLost(LostTooLarge, 40)
	w.CountLost(LostTooLarge, 0)
	o, _ := l.Owner()
	since := l.Lost().Since(o.BeginLost)
	var reasons []LossReason
	for r, n := range since.Reasons {
		reasons = append(reasons, r)
		if n != 2 {
			t.Errorf("%v: %d", r, n)
		}
	}
	if !slices.Equal(reasons, []LossReason{LostTooLarge}) || since.Total() != 2 {
		t.Errorf("since the second began: %v", since)
	}
	w.append(t, "x")
	all := finally(l)
	if it := l.Live(all[1].Pos, all[1].Next); it.Lost != 3 {
		t.Errorf("the record carries %d, want the lane's total 3", it.Lost)
	}
}

func TestCarriedTotalIsExtendedAndHostileOnesAreIgnored(t *testing.T) {
	t.Parallel()
	const lap = 1 << 32
	for _, c := range []struct {
		carried     uint32
		lane, seen  uint64
		want        uint64
		description string
	}{
		{0, 0, 0, 0, "nothing lost"},
		{3, 3, 0, 3, "all that the lane has"},
		{2, 3, 0, 2, "older than the lane's"},
		{2, 3, 2, 2, "seen already"},
		{1, 3, 2, 2, "older than seen: another thread's record"},
		{4, 3, 2, 2, "more than the lane has"},
		{math.MaxUint32, 3, 2, 2, "far more than the lane has"},
		{math.MaxUint32, lap + 5, 0, lap - 1, "before the wrap, lane behind it"},
		{0, lap + 5, lap - 1, lap, "at the wrap"},
		{5, lap + 5, lap - 1, lap + 5, "behind the wrap"},
		{7, 3*lap + 5, 2*lap + 6, 2*lap + 7, "almost a lap behind"},
		{7, 3*lap + 5, 3 * lap, 3 * lap, "more than the lane has, above 2³²"},
		{1, math.MaxUint64, 5, math.MaxUint64 - lap + 2, "a hostile counter"},
	} {
		f := newHeapFile(t, 1, 1024)
		f.attach(t, "w")
		_, l := f.reader(t, 0)
		wordAt(l.entry, lanLost).store(failpoint.OwnIdentity, c.lane)
		if got := l.Extend(c.carried, c.seen); got != c.want {
			t.Errorf("%s: %d carried, lane at %d, seen %d: %d, want %d", c.description, c.carried, c.lane, c.seen, got, c.want)
		}
	}
}

// However threads interleave, a reader that extends what it meets counts each
// loss once and never more than there are.
func TestMarkersAddUpToTheLossesUnderConcurrency(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1<<16)
	w := f.attach(t, "w")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 300 {
				w.CountLost(LostFull, 0)
				w.append(t, "x")
			}
		})
	}
	_, l := f.reader(t, 0)
	seen := uint64(0)
	pos := uint64(0)
	read := func() {
		for end, _ := l.Produced(); ; {
			it := l.Live(pos, end)
			pos = it.Next
			if it.Outcome != OutcomeRecord {
				return
			}
			now := l.Extend(it.Lost, seen)
			if lost := l.Lost(); now < seen || now > lost.Total() {
				t.Fatalf("extended to %d after %d, the lane has %d", now, seen, lost.Total())
			}
			seen = now
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		read()
	}
	lost := l.Lost()
	if lost.Total() != 1200 || seen > 1200 {
		t.Errorf("lost %d, seen %d", lost.Total(), seen)
	}
	w.append(t, "last")
	if read(); seen != 1200 {
		t.Errorf("the last record brings it to %d", seen)
	}
}
