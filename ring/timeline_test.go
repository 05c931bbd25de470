package ring

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// machine has a wall clock and a cycle counter, both to be meddled with.
type machine struct {
	unix, counter float64 // nanoseconds since 1970, less born; units
	hertz         float64 // of the counter, a nanosecond
	drift         float64 // of the wall clock, against true time
}

const born = 1_700_000_000_000_000_000

func (m *machine) wait(d time.Duration) {
	m.counter += m.hertz * float64(d)
	m.unix += (1 + m.drift) * float64(d)
}

// read is a look at both clocks, less exact by what a look costs.
func (m *machine) read(r *rand.Rand) reading {
	return reading{uint64(m.counter), born + int64(m.unix) + r.Int64N(40) - 20}
}

// shown is a record whose time was asked for.
type shown struct {
	counter    uint64
	unix, said int64
	epoch      int
}

// life is a machine with a reader, and what its lanes' records were shown with.
type life struct {
	machine
	r        *rand.Rand
	clock    Clock // of a lane that was claimed at the beginning
	timeline *Timeline
	looked   uint64
	ring     anchors // where the reader keeps the timeline
	epoch    int     // ends where the line may be broken
	all      []shown
}

func newLife(seed uint64) *life {
	l := &life{machine: machine{hertz: 2.4, counter: 1e12}, r: rand.New(rand.NewPCG(seed, 1))}
	l.clock = Clock{ClockCounter, born + int64(l.unix), uint64(l.counter), l.guess()}
	l.timeline = restore(nil, l.guess())
	l.ring = anchors{new(word), make([]byte, anchorCount*anchorSize)}
	return l
}

// guess is the pace as a short measurement has it.
func (l *life) guess() uint64 {
	return uint64(nanosecondMult / l.hertz * (1 + 5e-5*(2*l.r.Float64()-1)))
}

// cycle is what a reader does.
func (l *life) cycle() {
	if uint64(l.counter)-l.looked >= units(lookEvery, l.timeline.pace) {
		now := l.read(l.r)
		l.looked = now.counter
		if p := l.timeline.look(now); len(p) > 0 {
			l.ring.publish(p, [16]byte{1})
		}
	}
}

// follow is the next reader.
func (l *life) follow() {
	l.timeline, l.looked = restore(l.ring.load([16]byte{1}), l.guess()), 0
}

// run lets records be written and read for a while. The longest that the reader sleeps is
// a tenth of a second.
func (l *life) run(d time.Duration) {
	for d > 0 {
		nap := time.Duration(l.r.Int64N(int64(100 * time.Millisecond)))
		d -= nap
		var written []shown
		for range 3 {
			l.wait(nap / 3)
			written = append(written, shown{counter: uint64(l.counter), unix: born + int64(l.unix), epoch: l.epoch})
		}
		l.cycle()
		for _, w := range written {
			w.said = l.timeline.UnixNano(&l.clock, w.counter)
			l.all = append(l.all, w)
		}
	}
}

// judge fails if a time was off by more than most, or the line ran backwards. The first
// seconds, in which the pace is not known well, may be off by settle; after a step the line
// may even break again in them.
func (l *life) judge(t *testing.T, most, settle time.Duration) {
	t.Helper()
	var worst int64
	began := map[int]int64{}
	for i, s := range l.all {
		if _, ok := began[s.epoch]; !ok {
			began[s.epoch] = s.unix
		}
		off, allowed := max(s.said-s.unix, s.unix-s.said), int64(most)
		if s.unix-began[s.epoch] < int64(3500*time.Millisecond) {
			allowed = int64(settle)
		} else {
			worst = max(worst, off)
		}
		if off > allowed {
			t.Fatalf("record %d of %d, %v after the beginning, is %v off", i, len(l.all), time.Duration(s.unix-l.all[0].unix), time.Duration(s.said-s.unix))
		}
		if i > 0 && s.epoch == l.all[i-1].epoch && (s.epoch == 0 || s.unix-began[s.epoch] > int64(3*time.Second)) && s.said < l.all[i-1].said {
			t.Fatalf("record %d is %v before the one before it", i, time.Duration(l.all[i-1].said-s.said))
		}
	}
	t.Logf("%d records, off by %v at most; %d pieces at the end", len(l.all), time.Duration(worst), len(l.timeline.pieces))
}

func TestCounterTimesStayRightForHoursWhateverNTPDoes(t *testing.T) {
	t.Parallel()
	for _, ppm := range []float64{0, 17, -80} {
		t.Run(fmt.Sprint(ppm), func(t *testing.T) {
			t.Parallel()
			l := newLife(1)
			l.drift = ppm / 1e6
			l.run(6 * time.Hour)
			l.judge(t, 10*time.Microsecond, 200*time.Microsecond)
		})
	}
	t.Run("changing", func(t *testing.T) {
		t.Parallel()
		l := newLife(2)
		for range 60 {
			l.drift = (l.r.Float64() - 0.5) / 1000 // the most that NTP does
			l.run(3 * time.Minute)
		}
		l.judge(t, 1300*time.Microsecond, 1300*time.Microsecond)
	})
}

func TestCounterTimesAreRightAgainASecondAfterTheMachineWasSuspendedOrMovedOrItsClockSet(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(l *life){
		"suspended, the counter went on": func(l *life) { l.unix, l.counter = l.unix+3600e9, l.counter+3600e9*l.hertz },
		"suspended, the counter stopped": func(l *life) { l.unix += 3600e9 },
		"suspended, the counter reset":   func(l *life) { l.unix, l.counter = l.unix+3600e9, 5e6 },
		"the clock was set forward":      func(l *life) { l.unix += 7200e9 },
		"the clock was set back":         func(l *life) { l.unix -= 7200e9 },
		"moved, another counter":         func(l *life) { l.unix, l.counter = l.unix+0.3e9, l.counter*3+77 },
		"moved, a smaller counter":       func(l *life) { l.unix, l.counter = l.unix+0.3e9, l.counter/1000 },
		"moved, another pace":            func(l *life) { l.hertz, l.counter = 3.1, l.counter*2 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(3)
			for range 4 {
				l.run(20 * time.Minute)
				meddle(l)
				l.epoch++
			}
			l.run(20 * time.Minute)
			// What was written between the meddling and the next look is as far off as the
			// meddling is large; the look comes with the next cycle or, if the counter stood
			// still for it, within a second.
			l.all = l.afterTheFirstLook()
			l.judge(t, 15*time.Microsecond, 300*time.Millisecond)
			if last := l.timeline.pieces[len(l.timeline.pieces)-1]; !alike(last.mult, uint64(nanosecondMult/l.hertz)) {
				t.Errorf("the pace is %d, want about %.0f", last.mult, nanosecondMult/l.hertz)
			}
		})
	}
}

// afterTheFirstLook leaves out what each epoch began with.
func (l *life) afterTheFirstLook() (kept []shown) {
	began := map[int]int64{}
	for _, s := range l.all {
		if _, ok := began[s.epoch]; !ok {
			began[s.epoch] = s.unix
		}
		if s.epoch == 0 || s.unix-began[s.epoch] > int64(1200*time.Millisecond) {
			kept = append(kept, s)
		}
	}
	return kept
}

func TestReadersThatFollowHaveTheSameLine(t *testing.T) {
	t.Parallel()
	l := newLife(4)
	l.drift = 3e-5
	for range 20 {
		l.run(5 * time.Minute)
		l.follow()
		for _, s := range l.all[len(l.all)-1000:] {
			if s.counter < l.timeline.pieces[0].counter {
				continue
			}
			if got := l.timeline.UnixNano(&l.clock, s.counter); got != s.said {
				t.Fatalf("%d was %d, is %d", s.counter, s.said, got)
			}
		}
		l.wait(time.Duration(l.r.Int64N(int64(time.Minute)))) // nobody reads
	}
	l.judge(t, 20*time.Microsecond, 200*time.Microsecond)
}

func TestTimesGoStraightThroughATimeWithoutAReader(t *testing.T) {
	t.Parallel()
	for _, away := range []time.Duration{time.Second, 90 * time.Second, 3 * time.Minute, time.Hour, 24 * time.Hour} {
		for _, before := range []time.Duration{time.Millisecond, 5 * time.Second, time.Hour} {
			l := newLife(uint64(away + before))
			l.drift = 2e-5
			l.run(before) // "ringlog drain --once" ends after a look or two
			seen := len(l.all)
			var missed []shown
			for range 1000 {
				l.wait(away / 1000)
				missed = append(missed, shown{counter: uint64(l.counter), unix: born + int64(l.unix)})
			}
			l.follow()
			l.cycle()
			for _, m := range missed {
				m.said = l.timeline.UnixNano(&l.clock, m.counter)
				l.all = append(l.all, m)
			}
			l.run(5 * time.Second)
			for i, s := range l.all[1:] {
				if s.said < l.all[i].said {
					t.Fatalf("away for %v after %v: record %d, %d of which were shown before, is %v before the one before it", away, before, i, seen, time.Duration(l.all[i].said-s.said))
				}
				// At its worst the pace is that of a short measurement, until two minutes later.
				if off := s.said - s.unix; off > 13_000_000 || off < -13_000_000 {
					t.Fatalf("away for %v after %v: record %d is %v off", away, before, i, time.Duration(off))
				}
			}
			if last := l.all[len(l.all)-1]; last.said-last.unix > 10_000 || last.unix-last.said > 10_000 {
				t.Errorf("away for %v after %v: in the end it is %v off", away, before, time.Duration(last.said-last.unix))
			}
		}
	}
}

func TestRecordsOfBeforeTheFirstReaderLieOnTheWayToItsFirstLook(t *testing.T) {
	t.Parallel()
	l := newLife(5)
	l.drift = 4e-5
	var before []shown
	for range 3600 {
		l.wait(time.Second)
		before = append(before, shown{counter: uint64(l.counter), unix: born + int64(l.unix)})
	}
	l.cycle()
	for _, s := range before {
		got := l.timeline.UnixNano(&l.clock, s.counter)
		if off := got - s.unix; off > 1000 || off < -1000 {
			t.Fatalf("%d ns off after an hour without a reader", off)
		}
		l.all = append(l.all, shown{s.counter, s.unix, got, 0})
	}
	l.run(time.Minute)
	l.judge(t, 150*time.Microsecond, 150*time.Microsecond)
}

func TestRecordsThatWaitedOverAResetOfTheCounterKeepTheirTime(t *testing.T) {
	t.Parallel()
	l := newLife(6)
	l.run(time.Hour)
	var old []shown
	for range 100 { // the reader does not come to them
		l.wait(10 * time.Millisecond)
		old = append(old, shown{counter: uint64(l.counter), unix: born + int64(l.unix)})
	}
	l.unix, l.counter = l.unix+3600e9, 1e6
	l.wait(50 * time.Millisecond)
	early := shown{counter: uint64(l.counter), unix: born + int64(l.unix)}
	l.wait(30 * time.Millisecond)
	l.cycle()
	for _, s := range append(old, early) {
		if off := l.timeline.UnixNano(&l.clock, s.counter) - s.unix; off > 100_000 || off < -100_000 {
			t.Fatalf("%v off", time.Duration(off))
		}
	}
}

func TestAHostileTimelineGivesSomeTimeAndNoFault(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	odd := []uint64{0, 1, 1 << 31, 1 << 32, 1 << 63, math.MaxInt64, math.MaxUint64}
	pick := func() uint64 {
		if r.IntN(2) == 0 {
			return r.Uint64()
		}
		return odd[r.IntN(len(odd))]
	}
	for range 200_000 {
		var pieces []piece
		for range r.IntN(4) {
			pieces = append(pieces, piece{pick(), int64(pick()), pick()})
		}
		t := restore(pieces, pick())
		c := Clock{ClockKind(r.IntN(5)), int64(pick()), pick(), pick()}
		for range 3 {
			t.UnixNano(&c, pick())
			t.look(reading{pick(), int64(pick())})
		}
	}
}

func TestAnchorsOfAnotherPaceAreNotThisMachines(t *testing.T) {
	t.Parallel()
	l := newLife(8)
	l.timeline = restore([]piece{{1, 1, 77}, {2, 2, math.MaxUint64}}, l.guess())
	l.run(time.Minute)
	l.judge(t, 10*time.Microsecond, 200*time.Microsecond)
}
