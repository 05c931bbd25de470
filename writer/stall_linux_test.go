package writer

import (
	"testing"
	"time"
)

func TestStallHasOneDeadlineForEachConsumerPosition(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second
	begin := time.Unix(1_800_000_000, 0)
	var s stall
	for i, step := range []struct {
		at       time.Duration
		position uint64
		left     time.Duration
	}{
		{0, 0, 10 * time.Second}, // position 0 is a stall like any other
		{4 * time.Second, 0, 6 * time.Second},
		{10 * time.Second, 0, 0},
		{25 * time.Second, 0, -15 * time.Second},
		{25 * time.Second, 64, 10 * time.Second},
		{30 * time.Second, 64, 5 * time.Second},
		{31 * time.Second, 128, 10 * time.Second},
		{99 * time.Second, 128, -58 * time.Second},
	} {
		if got := s.left(step.position, begin.Add(step.at), timeout); got != step.left {
			t.Errorf("step %d: %v left, want %v", i, got, step.left)
		}
	}
}

func TestStallAsksForTheReaderOnceAStall(t *testing.T) {
	t.Parallel()
	var s stall
	for position, running := range []bool{true, false} {
		s.left(uint64(position), time.Time{}.Add(time.Second), time.Second)
		asked, want := 0, reasonNoReader
		if running {
			want = reasonTimeout
		}
		for range 3 {
			if got := s.reason(func() bool { asked++; return running }); got != want {
				t.Errorf("reader running %v: reason %v", running, got)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	}
}
