package ring

import (
	"errors"
	"strings"
	"testing"
)

func TestPaddingBeforeARecordTakesRoomTooWhenTheLaneIsNearlyFull(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 2048)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for range 15 {
		w.fill(t, strings.Repeat("x", 88))
	}
	p, _ := l.Progress()
	p.Consumer = ownerRecordSize // 128 bytes free at the start, 120 at the end
	if err := c.Publish(&Batch{Lanes: []LaneChange{{Generation: 1, To: p, State: LaneOwned}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Append(make([]byte, 104), WarningLevel, KindRaw); !errors.Is(err, ErrFull) {
		t.Errorf("120 bytes of padding and 136 of record where 248 are free: %v, want %v", err, ErrFull)
	}
	if got := len(payloads(finally(l))); got != 15 {
		t.Errorf("%d of 15 unread records are left", got)
	}
}
