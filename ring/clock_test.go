package ring

import (
	"math"
	"testing"
	"time"
)

func TestTimestampsAreConvertedByTheLanesClock(t *testing.T) {
	t.Parallel()
	const ghz3 = nanosecondMult / 3
	for _, c := range []struct {
		name  string
		clock Clock
		t     uint64
		want  int64
	}{
		{"unix", unixClock, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789},
		{"at the base", Clock{ClockMonotonic, 1000, 5000, nanosecondMult}, 5000, 1000},
		{"behind the base", Clock{ClockMonotonic, 1000, 5000, nanosecondMult}, 5123, 1123},
		{"before the base", Clock{ClockMonotonic, 1000, 5000, nanosecondMult}, 4900, 900},
		{"counter, rounded towards zero", Clock{ClockCounter, 1000, 0, ghz3 + 1}, 3_000_000_000, 1_000_000_000 + 1000},
		{"before the base, rounded towards zero", Clock{ClockCounter, 1000, 10, nanosecondMult / 2}, 7, 999},
		{"wrapped counter", Clock{ClockCounter, 0, math.MaxUint64 - 4, nanosecondMult}, 5, 10},
	} {
		if got := c.clock.UnixNano(c.t); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	for _, v := range []uint64{0, 1, 1 << 63, math.MaxUint64} {
		for _, mult := range []uint64{0, 1, math.MaxUint64} {
			_ = Clock{ClockCounter, math.MinInt64, v, mult}.UnixNano(^v) // some number, no fault
		}
	}
}

func TestLaneClockReadsTheTime(t *testing.T) {
	t.Parallel()
	for _, pace := range []uint64{0, counterPace()} {
		before := time.Now()
		c, err := newLaneClock(pace)
		if err != nil {
			t.Fatal(err)
		}
		got := c.describe().UnixNano(c.now())
		if after := time.Now(); got < before.UnixNano() || got > after.UnixNano()+int64(time.Second) {
			t.Errorf("pace %d: it is %d, between %d and %d", pace, got, before.UnixNano(), after.UnixNano())
		}
	}
}
