package ring

import (
	"errors"
	"strings"
	"testing"
)

// W10
func TestLaneThatRefusesInfoTakesWarningsUntilItsLastEighthIsFull(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	for _, c := range []struct {
		level  int16
		upTo   uint64
		reason LossReason
	}{
		{WarningLevel - 1, 1024 - 128, LostFull},
		{-32768, 1024 - 128, LostTimeout},
		{WarningLevel, 1024, LostFull},
		{32767, 1024, LostTimeout},
		{0, 1024, LostNoReader},
	} {
		for w.Append(nil, c.level, KindRaw) == nil {
		}
		if err := w.Append(nil, c.level, KindRaw); !errors.Is(err, ErrFull) || w.Backlog() != c.upTo {
			t.Errorf("level %d: full at %d bytes, want %d: %v", c.level, w.Backlog(), c.upTo, err)
		}
		w.CountLost(c.reason, c.level)
	}
	c, l := f.reader(t, 0)
	lost := l.Lost()
	for reason, want := range map[LossReason][2]uint64{LostFull: {1, 1}, LostTimeout: {1, 1}, LostNoReader: {1, 0}} {
		if below, above := lost.Of(reason); below != want[0] || above != want[1] {
			t.Errorf("%v: %d below WARNING, %d from there on; want %v", reason, below, above, want)
		}
	}
	drain(t, c, l, LaneOwned)
	w.append(t, "again")
}

// Padding and the largest record take less than a quarter of the lane, which an
// ordinary record has from anywhere in an empty one.
func TestTheLargestInfoFitsAnEmptyLaneFromAnyPosition(t *testing.T) {
	t.Parallel()
	const size = 2048
	f := newHeapFile(t, 1, size)
	w := f.attach(t, "w")
	c, l := f.reader(t, 0)
	for n := 0; n < 2*size; n += recordHeader + 8 {
		w.append(t, "8 bytes.")
		drain(t, c, l, LaneOwned)
		w.append(t, strings.Repeat("x", w.MaxPayload()))
		drain(t, c, l, LaneOwned)
	}
}

// What is in the reserved eighth does not hold up ordinary records once as much is
// drained: the lane is full by what is unread, whatever its level.
func TestInfoIsTakenAgainAsSoonAsAnEighthIsFree(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	for w.Append(nil, WarningLevel, KindRaw) == nil {
	}
	c, l := f.reader(t, 0)
	for free := uint64(0); free <= 128+recordHeader; free += recordHeader {
		p, _ := l.Progress()
		p.Consumer = free
		if err := c.Publish(&Batch{Lanes: []LaneChange{{Generation: 1, To: p, State: LaneOwned}}}); err != nil {
			t.Fatal(err)
		}
		err := w.Append(nil, 0, KindRaw)
		if taken := err == nil; taken != (free >= 128+recordHeader) {
			t.Errorf("with %d bytes free: %v", free, err)
		}
	}
}
