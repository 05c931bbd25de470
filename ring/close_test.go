package ring

import (
	"errors"
	"slices"
	"testing"
)

func TestCloseRefusesAppendsAndIsHarmlessTwice(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Append(nil, 0, KindRaw); !errors.Is(err, ErrClosed) {
			t.Errorf("append: %v", err)
		}
	}
	if len(f.holder) != 0 {
		t.Error("the lane's lock is still held")
	}
}

func TestCloseWaitsForAnAppendUnderWay(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	_, l := f.reader(t, 0)
	claim, err := w.Claim(3, 0, KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error)
	go func() { closed <- w.Close() }()
	for { // Close is under way as soon as claims fail
		if _, shut := l.Produced(); shut {
			break
		}
	}
	if l.State() != LaneOwned {
		t.Errorf("state %v while an append is under way", l.State())
	}
	copy(claim.Payload, "yes")
	w.Commit(claim)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if all := finally(l); l.State() != LaneClosed || !slices.Equal(payloads(all), []string{"yes"}) {
		t.Errorf("state %v, %v", l.State(), all)
	}
}

func TestCloseGivesUpOnAnAppendThatDoesNotEndAndKeepsTheLane(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	claim, err := w.Claim(3, 0, KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, ErrBusy) {
		t.Errorf("close: %v", err)
	}
	if e := f.entry(0); LaneState(e.state().load()) != LaneOwned || len(f.holder) != 1 {
		t.Errorf("state %v, %d locks", LaneState(e.state().load()), len(f.holder))
	}
	copy(claim.Payload, "yes")
	w.Commit(claim)
	w.process.die()
	_, l := f.reader(t, 0)
	if all := finally(l); !slices.Equal(payloads(all), []string{"yes"}) {
		t.Errorf("read %v", all)
	}
	keptUntilExit.Delete(w.Producer)
}
