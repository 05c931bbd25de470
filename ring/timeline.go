package ring

import (
	"math"
	"math/bits"
	"slices"
)

// Timeline converts readings of the cycle counter to Unix time, for all lanes of a ring
// alike. The counter does not know what time it is and how fast it runs; so the reader
// looks at both clocks now and then, and bends a line through what it saw. The line is one
// for all that convert by it, never runs backwards while the counter does not, and what
// it says of a moment stays as it is once that has passed.
//
// This is what kernels do to their clocks (and NTP clients to kernels): errors are
// steered away, not jumped over, unless they are too large for that.
//
// The zero Timeline converts by a lane's own clock. It is not safe for concurrent use.
type Timeline struct {
	pieces []piece // oldest first; the last one goes on for ever
	// latest is the counter at the last look, and reach the largest reading of the present
	// count that a record can have: not far above that.
	latest, reach uint64
	// fix is the look from which the counter's pace is measured, and pace what came out
	// last, in nanoseconds per unit, times 2³². doubt is what came out instead, if that is
	// another pace altogether: a machine that was moved to another may run at another.
	fix         reading
	pace, doubt uint64
}

// piece is the line from one reading of the counter to the next piece's.
type piece struct {
	counter uint64
	unix    int64  // nanoseconds since 1970 there
	mult    uint64 // nanoseconds per unit, times 2³²
}

// reading is both clocks at one moment.
type reading struct {
	counter uint64
	unix    int64 // nanoseconds since 1970
}

const (
	// tolerance is how far, in nanoseconds, the line may be off before it is bent. Two
	// looks at the clock of one moment differ by some 50.
	tolerance = 2000
	// stepAbove is how far, in nanoseconds, the line is off where it is not bent but
	// broken: the wall clock was set, or the counter began anew.
	stepAbove = 1_000_000
	// steerFor is how long, in nanoseconds, it takes to steer an error away: stepAbove in
	// that time makes a clock that is a thousandth too fast or too slow.
	steerFor = 1_000_000_000
	// restate is how far, in nanoseconds, the last piece may lie back before a reader that
	// runs repeats it: what lies farther behind it has not been shown by any reader.
	restate = 60_000_000_000
	// ahead is how far, in nanoseconds, a record may lie above the latest look. What
	// lies farther ahead is of an earlier count: of before a suspension that reset the
	// counter.
	ahead = 60_000_000_000
)

func (p *piece) at(counter uint64) int64 {
	return Clock{Unix: p.unix, Base: p.counter, Mult: p.mult}.UnixNano(counter)
}

// UnixNano converts a timestamp of a lane with clock c. One of the counter that is older
// than all the reader saw lies between what the lane's owner saw when it attached and that.
func (t *Timeline) UnixNano(c *Clock, at uint64) int64 {
	if c.Kind != ClockCounter || len(t.pieces) == 0 {
		return c.UnixNano(at)
	}
	if p := &t.pieces[len(t.pieces)-1]; at >= p.counter && at <= t.reach {
		return p.at(at)
	}
	return t.earlier(c, at)
}

// earlier converts what is not on the last piece.
func (t *Timeline) earlier(c *Clock, at uint64) int64 {
	reach := t.reach
	for i, p := range slices.Backward(t.pieces) {
		if at >= p.counter && at <= reach {
			return p.at(at)
		}
		if i > 0 && p.counter < t.pieces[i-1].counter {
			// The counter began anew before p. What lies between the two is of the new
			// count if it is also later.
			if unix := p.at(at); at < p.counter && unix >= t.pieces[i-1].unix {
				return unix
			}
			reach = math.MaxUint64
		}
	}
	return t.between(c, at)
}

// between converts a reading older than all pieces by the straight line from where the
// owner attached to the first of them, if it runs about as fast as the counter does.
func (t *Timeline) between(c *Clock, at uint64) int64 {
	p := &t.pieces[0]
	if d, ns := p.counter-c.Base, p.unix-c.Unix; c.Base < p.counter && ns > 0 {
		if mult, ok := ratio(uint64(ns), d); ok && alike(mult, p.mult) {
			return Clock{Unix: c.Unix, Base: c.Base, Mult: mult}.UnixNano(at)
		}
	}
	return c.UnixNano(at)
}

// ratio is ns nanoseconds per d units, times 2³².
func ratio(ns, d uint64) (mult uint64, ok bool) {
	hi, lo := ns>>32, ns<<32
	if d <= hi {
		return 0, false
	}
	mult, _ = bits.Div64(hi, lo, d)
	return mult, mult > 0
}

// units is how far the counter goes in ns nanoseconds.
func units(ns, mult uint64) uint64 {
	n, _ := ratio(ns, mult)
	return n
}

// alike says that two paces are of one counter: what a short measurement gets wrong, what
// NTP does to a clock, and what a bend adds, is two thousandths at most.
func alike(a, b uint64) bool { return max(a, b)-min(a, b) <= b>>8 }

// look compares the line with both clocks as they are now, and bends it if need be. It
// returns the pieces that are new: none, one, or one and what it leads to.
func (t *Timeline) look(now reading) []piece {
	before := t.latest
	t.seen(now.counter)
	if len(t.pieces) == 0 {
		t.fix = now
		return t.add(piece{now.counter, now.unix, t.pace})
	}
	last := t.pieces[len(t.pieces)-1]
	// The counter began anew, and is not just that of a processor that is a little behind.
	if now.counter+units(stepAbove, t.pace) < before || now.counter+units(steerFor, t.pace) < last.counter {
		return t.step(now)
	}
	if now.counter < last.counter {
		return nil // an error is being steered away
	}
	if p := t.catchUp(now, last); p != nil {
		return p
	}
	switch off := now.unix - last.at(now.counter); {
	case off > stepAbove || off < -stepAbove:
		return t.step(now)
	case off > tolerance || off < -tolerance:
		t.measure(now)
		return t.bend(now, now.unix-off)
	}
	t.doubt = 0
	if now.counter-last.counter > units(restate, t.pace) {
		return t.add(piece{now.counter, last.at(now.counter), last.mult})
	}
	return nil
}

// catchUp ends a time in which nobody has looked: the line goes straight from where it may have
// been shown last to now. Nil if there was none, or if the clock was set.
func (t *Timeline) catchUp(now reading, last piece) []piece {
	from := last.counter + units(2*restate, t.pace)
	if now.counter <= from {
		return nil
	}
	unix := last.at(from)
	mult, ok := ratio(uint64(max(0, now.unix-unix)), now.counter-from)
	if !ok || !alike(mult, t.pace) {
		return nil
	}
	t.measure(now)
	return t.lead(piece{from, unix, mult}, now.counter)
}

// lead adds p, which leads to the reading until, and what follows from there.
func (t *Timeline) lead(p piece, until uint64) []piece {
	return t.add(p, piece{until, p.at(until), t.pace})
}

// seen notes the counter at a look.
func (t *Timeline) seen(counter uint64) {
	t.latest = counter
	if t.reach = counter + units(ahead, t.pace); t.reach < counter {
		t.reach = math.MaxUint64
	}
}

// measure measures the pace anew, from the fix to now: the longer that is, the better it
// is known.
func (t *Timeline) measure(now reading) {
	mult, ok := ratio(uint64(max(0, now.unix-t.fix.unix)), now.counter-t.fix.counter)
	switch {
	case !ok: // the wall clock was set back
	case alike(mult, t.pace) || alike(mult, t.doubt):
		t.pace, t.doubt = mult, 0
	default: // the wall clock was set, or the pace has changed: the next look will tell
		t.doubt = mult
	}
	t.fix = now
}

// bend lets the line, which says that it is unix now, meet what the clock says it is in
// steerFor, and then go straight on.
func (t *Timeline) bend(now reading, unix int64) []piece {
	later := units(steerFor, t.pace)
	mult, ok := ratio(uint64(now.unix+scale(later, t.pace)-unix), later)
	if !ok {
		return t.step(now)
	}
	return t.lead(piece{now.counter, unix, mult}, now.counter+later)
}

// step begins a new line.
func (t *Timeline) step(now reading) []piece {
	t.measure(now)
	return t.add(piece{now.counter, now.unix, t.pace})
}

// add keeps no more pieces than the ring has room for.
func (t *Timeline) add(p ...piece) []piece {
	if over := len(t.pieces) + len(p) - 2*anchorCount; over > 0 {
		t.pieces = slices.Delete(t.pieces, 0, over)
	}
	t.pieces = append(t.pieces, p...)
	return p
}

// restore is the timeline of a machine whose counter has this pace, as far as it is known,
// from the pieces that a reader has left, which may be none. Of what cannot be this
// machine's, nothing is taken.
func restore(pieces []piece, pace uint64) *Timeline {
	t := &Timeline{pace: pace}
	for _, p := range pieces {
		if pace == 0 || alike(p.mult, pace) {
			t.pieces = append(t.pieces, p)
		}
	}
	if n := len(t.pieces); n > 0 {
		last := t.pieces[n-1]
		t.fix, t.pace = reading{last.counter, last.unix}, last.mult
		t.reach = math.MaxUint64 // until a look says more
	}
	return t
}
