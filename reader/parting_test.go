//go:build linux

package reader

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// A lane that has no record has only its end to be merged by.
func TestTheEndOfALaneWithoutRecordsComesAmongThoseOfOthersByItsTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lost   int
		killed bool
		ahead  time.Duration // of the reader's clock, all others
		end    string
	}{
		{3, false, 0, "[lost 3]\n"},
		{3, true, 0, "[lost 3]\n[vanished]\n"},
		{0, true, 0, "[vanished]\n"},
		{3, false, 24 * time.Hour, "[lost 3]\n"}, // then all are due at once
	} {
		t.Run(fmt.Sprintf("%d lost, killed %v, ahead %v", c.lost, c.killed, c.ahead), func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 4)
			s := operate(t, path)
			out, o := jsonOut(t)
			empty := attach(t, path, "empty") // the first lane, so that no order of the lanes is right
			lose(empty, c.lost, ring.LostTooLarge)
			if c.killed {
				s.kill(empty)
			} else {
				closeLane(t, empty)
			}
			early, late := attach(t, path, "early"), attach(t, path, "late")
			s.setClock(early.Lane(), -time.Hour)
			say(t, late, "late")
			say(t, early, "early")
			r, _ := openReader(t, path, o)
			r.stopping = true // so that the dead are found at once
			look(t, r, time.Now().Add(-c.ahead))
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			drain(t, path, o)
			if got, want := short(t, readFile(t, out)), "early\n"+c.end+"late\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// The merge takes no time before 1970, and a damaged description may say any.
func TestTheEndOfALaneThatSaysThatItIsFromLongAgoComesFirst(t *testing.T) {
	t.Parallel()
	path := newRing(t, 4)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	var ps []*ring.Producer
	for i := range 3 {
		p := attach(t, path, fmt.Sprint(i))
		ps = append(ps, p)
	}
	look(t, r, time.Now())
	lose(ps[1], 2, ring.LostFull)
	closeLane(t, ps[1])
	r.streams[ps[1].Lane()].lastTime = math.MinInt64
	say(t, ps[0], "0")
	say(t, ps[2], "2")
	look(t, r, time.Now())
	if got := short(t, readFile(t, out)); got != "[lost 2]\n0\n2\n" {
		t.Errorf("got %q", got)
	}
}

// The reader may also die there: what was not said yet must be the next one's to say.
func TestAnEndForWhichABatchHasNoRoomIsSaidOnceByALaterBatchAndItsLaneIsNobodysUntilThen(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		for _, dies := range []bool{false, true} {
			t.Run(fmt.Sprintf("killed %v, reader dies %v", killed, dies), func(t *testing.T) {
				t.Parallel()
				path := newRing(t, 2)
				s := operate(t, path)
				out, o := jsonOut(t)
				rotating(&o, 10, 0) // each line fills a batch
				o.Grace = time.Millisecond
				lost := attach(t, path, "lost")
				lose(lost, 3, ring.LostTooLarge)
				left, want, vanished := ring.LaneClosed, "0\n1\n2\n[lost 3]\n", uint64(0)
				if killed {
					s.kill(lost)
					left, want, vanished = ring.LaneOwned, want+"[vanished]\n", 1
				} else {
					closeLane(t, lost)
				}
				early := attach(t, path, "early")
				s.setClock(early.Lane(), -time.Hour)
				say(t, early, "0", "1", "2")
				r, _ := openReader(t, path, o)
				r.stopping = true // so that the dead are found at once
				for range 2 {
					look(t, r, time.Now())
					if st := r.Stats(); r.consumer.State(lost.Lane()) != left || st.Lost+st.Vanished > 0 || strings.Contains(readAll(t, out), `"event"`) {
						t.Errorf("the lane is %v, and its end said, before it was due: %+v", r.consumer.State(lost.Lane()), st)
					}
					if p, err := ring.Attach(path, ring.AttachOptions{}); err == nil {
						t.Fatalf("lane %d was claimed before its end was said", p.Lane())
					}
				}
				if dies {
					if err := r.Close(); err != nil {
						t.Fatal(err)
					}
					r, _ = openReader(t, path, o)
				}
				for range 5 {
					r.stopping = true
					look(t, r, time.Now())
				}
				if got := short(t, readAll(t, out)); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
				if st := r.Stats(); st.Lost != 3 || st.Vanished != vanished || st.Waiting != 0 {
					t.Errorf("%+v", st)
				}
				if p := attach(t, path, "next"); p.Lane() != lost.Lane() {
					t.Errorf("the next owner has lane %d", p.Lane())
				}
			})
		}
	}
}

func TestTheEndOfALaneWaitsForTheGracePeriodAndNoLongerWhateverTheClockOfItsOwnerSays(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Grace = time.Hour
	p := attach(t, path, "ahead") // by a day, of the time at which the reader looks
	lose(p, 1, ring.LostFull)
	closeLane(t, p)
	r, _ := openReader(t, path, o)
	now := time.Now().Add(-24 * time.Hour)
	for i, want := range []string{"", "[lost 1]\n", "[lost 1]\n"} {
		cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
		if got := short(t, readFile(t, out)); got != want {
			t.Errorf("look %d: got %q, want %q", i, got, want)
		}
		now = now.Add(2 * time.Hour)
	}
}

// Its next owner may claim it as soon as all of it is published, and what that one loses and
// logs is not the former one's.
func TestTheEndOfAClosedLaneWithNothingToSayWaitsForNobody(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	o.Grace = time.Hour
	p := attach(t, path, "first")
	closeLane(t, p)
	r, _ := openReader(t, path, o)
	now := time.Now()
	cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
	if s := r.streams[p.Lane()]; s != nil {
		t.Errorf("the lane is still followed: %+v", s)
	}
	next := attach(t, path, "next")
	lose(next, 1, ring.LostFull)
	closeLane(t, next)
	if err := r.drainRest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := parse(t, readFile(t, out)); len(e) != 1 || e[0].Worker != "next" {
		t.Errorf("%+v", e)
	}
}
