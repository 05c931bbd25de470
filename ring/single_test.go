package ring

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func (f *heapFile) attachSingle(t testing.TB) *Producer {
	t.Helper()
	p, err := attach(f.open(), f.head, AttachOptions{SingleProducer: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRecordsOfASingleProducerAreReadBackOverManyLaps(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 4096)
	p := f.attachSingle(t)
	c, l := f.reader(t, 0)
	r := rand.New(rand.NewPCG(3, 4))
	var want, found []string
	for n := range 3000 {
		s := strings.Repeat("x", r.IntN(400)) + fmt.Sprint(n)
		for p.Append([]byte(s), int16(10*r.IntN(3)), KindRaw) != nil {
			all, _ := lively(l)
			found = append(found, payloads(all)...)
			drain(t, c, l, LaneOwned)
		}
		want = append(want, s)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if found = append(found, payloads(finally(l))...); !slices.Equal(found, want) {
		t.Errorf("%d records, want %d", len(found), len(want))
	}
	if err := p.Append(nil, 0, KindRaw); err != ErrClosed {
		t.Errorf("an append after Close: %v", err)
	}
}

func TestASecondGoroutineInTheMiddleOfASingleProducersAppendIsRefused(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 4096)
	p := f.attachSingle(t)
	for _, end := range []func(Claim){p.Commit, p.Abort} {
		claim, err := p.Claim(8, 0, KindRaw)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Append([]byte("second"), 0, KindRaw); err != ErrConcurrent {
			t.Errorf("a second append: %v", err)
		}
		if _, err := p.Claim(8, 0, KindRaw); err != ErrConcurrent {
			t.Errorf("a second claim: %v", err)
		}
		end(claim)
		if err := p.Append([]byte("next"), 0, KindRaw); err != nil {
			t.Errorf("the next append: %v", err)
		}
	}
	// What is refused is not in the way of what follows.
	if _, err := p.Claim(1<<20, 0, KindRaw); err != ErrTooLarge {
		t.Error(err)
	}
	for p.Append(make([]byte, 400), 0, KindRaw) == nil {
	}
	if err := p.Append(nil, WarningLevel, KindRaw); err != nil {
		t.Errorf("after a full lane: %v", err)
	}
}

// W10
func TestASingleProducersInfoLeavesTheLastEighthOfTheLaneToWarnings(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	p := f.attachSingle(t)
	for _, c := range []struct {
		level int16
		upTo  uint64
	}{{0, 1024 - 128}, {WarningLevel, 1024}, {0, 1024}} {
		for p.Append(nil, c.level, KindRaw) == nil {
		}
		if err := p.Append(nil, c.level, KindRaw); err != ErrFull || p.Backlog() != c.upTo {
			t.Errorf("level %d: full at %d bytes, want %d: %v", c.level, p.Backlog(), c.upTo, err)
		}
	}
}

func TestTheCounterRunsForward(t *testing.T) {
	t.Parallel()
	if !hasCounter {
		t.Skip("no counter here")
	}
	last := readCounter()
	for range 1000 {
		next := readCounter()
		if next < last {
			t.Fatalf("%d after %d", next, last)
		}
		last = next
	}
}

func TestASingleProducerMayBeClosedFromAnotherGoroutineAtAnyTime(t *testing.T) {
	t.Parallel()
	rounds := 2500
	if testing.Short() {
		rounds = 500
	}
	for round := range rounds {
		f := newHeapFile(t, 1, 128<<10)
		p := f.attachSingle(t)
		accepted := make(chan int)
		begun := make(chan struct{})
		go func() {
			n := 0
			for ; p.Append([]byte("xxxxxxxx"), WarningLevel, KindRaw) == nil; n++ {
				if n == 0 {
					close(begun)
				}
			}
			accepted <- n
		}()
		<-begun
		for range round * 7 % 1000 {
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		n := <-accepted
		if end := f.entry(0).producer().load(); end&closedBit == 0 {
			t.Fatalf("round %d: the closed bit is gone", round)
		}
		_, l := f.reader(t, 0)
		if got := len(payloads(finally(l))); got != n {
			t.Fatalf("round %d: %d records, accepted %d", round, got, n)
		}
	}
}
