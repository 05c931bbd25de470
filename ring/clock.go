package ring

import (
	"fmt"
	"math/bits"
	"time"
)

// ClockKind says what a lane's timestamps count.
type ClockKind uint32

// Clock kinds. Go writes ClockCounter or, where that cannot be trusted, ClockMonotonic;
// Python writes ClockUnix.
const (
	ClockUnix      ClockKind = 1 // nanoseconds since 1970, UTC
	ClockMonotonic ClockKind = 2 // nanoseconds of CLOCK_MONOTONIC since boot
	ClockCounter   ClockKind = 3 // the machine's cycle counter
)

// Clock is what converts a lane's timestamps: at the reading Base the time was
// Unix, and each unit is Mult/2³² nanoseconds.
type Clock struct {
	Kind ClockKind
	Unix int64  // nanoseconds since 1970, UTC
	Base uint64 // units of the clock
	Mult uint64 // nanoseconds per unit, times 2³²
}

const nanosecondMult = 1 << 32

// unixClock is the clock whose timestamps are Unix nanoseconds already.
var unixClock = Clock{Kind: ClockUnix, Mult: nanosecondMult}

// UnixNano converts a timestamp of this clock to nanoseconds since 1970. The
// product is 128 bits wide; readings before Base count backwards. A clock read
// from a hostile file gives some number, never a fault.
func (c Clock) UnixNano(t uint64) int64 {
	d := t - c.Base
	if int64(d) < 0 {
		return c.Unix - scale(-d, c.Mult)
	}
	return c.Unix + scale(d, c.Mult)
}

func scale(d, mult uint64) int64 {
	hi, lo := bits.Mul64(d, mult)
	return int64(hi<<32 | lo>>32)
}

func (c Clock) String() string {
	switch c.Kind {
	case ClockUnix:
		return "unix"
	case ClockMonotonic:
		return "monotonic"
	case ClockCounter:
		return "counter"
	}
	return fmt.Sprintf("unknown clock %d", uint32(c.Kind))
}

// laneClock is the clock of a lane that this process owns: the cycle counter, which takes
// a third of the time, where the kernel goes by it too; else CLOCK_MONOTONIC. Either is one
// clock for all processes of a boot, so records of those that use the same one merge rightly
// even if the wall clock was set between their starts.
type laneClock struct {
	counter bool
	start   time.Time // carries a monotonic reading
	base    uint64    // the clock at start
	mult    uint64
}

// now is small enough to be part of an append.
func (c *laneClock) now() uint64 {
	if c.counter {
		return readCounter()
	}
	// time.Since reads the monotonic clock alone, at half the cost of time.Now.
	return c.base + uint64(clockSince(c.start))
}

// describe is what readers need to convert this clock's timestamps.
func (c *laneClock) describe() Clock {
	kind := ClockMonotonic
	if c.counter {
		kind = ClockCounter
	}
	return Clock{Kind: kind, Unix: c.start.UnixNano(), Base: c.base, Mult: c.mult}
}
