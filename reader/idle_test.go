//go:build linux

package reader

import (
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// asleep says whether the ring's reader said that it sleeps.
func (s *surgeon) asleep() bool { return s.word(4096+0x280) == 1 }

// The reader sleeps without a bound here: nothing but the wake-up ends it.
func TestASleepingReaderIsWokenByACommit(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	r, _ := openReader(t, path, o)
	s := operate(t, path)
	now := time.Now()
	for range 50 {
		look(t, r, now)
		woken := make(chan bool)
		go func() {
			for !r.ready() { // a signal may end a sleep early
				r.consumer.Sleep(time.Hour, r.ready)
			}
			close(woken)
		}()
		until(t, "sleep", s.asleep)
		say(t, p, "x")
		<-woken
	}
	look(t, r, now)
	if got := strings.Count(readFile(t, out), "\n"); got != 50 {
		t.Errorf("%d lines", got)
	}
}

func TestARunningReaderIsWokenByItsContext(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	_, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	finish := start(t, r)
	until(t, "sleep", operate(t, path).asleep)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
}

// Whatever the state of the lanes, ready says whether a look finds work, so that
// neither work is slept over nor sleep is refused for nothing.
func TestReadyIsTrueExactlyWhenThereIsWork(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	_, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	now := time.Now()
	settle := func() {
		for range 3 {
			now = now.Add(time.Second)
			look(t, r, now)
		}
	}
	expect := func(want bool, when string) {
		t.Helper()
		if got := r.ready(); got != want {
			t.Errorf("%s: ready is %v", when, got)
		}
	}
	settle()
	expect(false, "in a virgin ring")
	p := attach(t, path, "p")
	expect(true, "with a new owner")
	settle()
	expect(false, "when the owner is known")
	say(t, p, "a")
	expect(true, "with a record")
	settle()
	expect(false, "when it is drained")
	c, err := p.Claim(1, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	settle()
	expect(false, "with an owner stopped in mid-append")
	say(t, p, "behind it")
	settle()
	expect(false, "with a record behind a claim")
	q := attach(t, path, "q")
	say(t, q, "of another")
	expect(true, "with a record of another lane")
	settle()
	expect(false, "when that is drained")
	p.Commit(c)
	expect(true, "when the claim is committed")
	settle()
	expect(false, "when all is drained")
	p.CountLost(ring.LostFull, 0)
	closeLane(t, p)
	expect(true, "with a closed lane")
	settle()
	expect(false, "when its losses are reported")
	operate(t, path).kill(q)
	settle()
	expect(false, "when the dead are buried")
	if st := r.consumer.State(q.Lane()); st != ring.LaneFree {
		t.Errorf("a dead owner's lane is %v", st)
	}
}
