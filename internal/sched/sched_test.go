package sched

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// counter is memory that two threads share: a word, and a lock of one's own making.
type counter struct {
	w     *World
	value uint64
	dead  bool
}

func (c *counter) load() uint64 {
	c.w.Step(Load, 0, 1, 0)
	return c.value
}

func (c *counter) store(v uint64) {
	if c.w.Step(Store, 1, 1, v) {
		c.value = v
	}
}

// racy is a scenario in which so many threads add one by a load and a store.
func racy(threads, deaths int) (Scenario, *counter) {
	c := new(counter)
	return Scenario{
		Name: "racy", Deaths: deaths,
		Setup: func(w *World) {
			*c = counter{w: w}
			p := w.Process("p", deaths > 0)
			p.OnDeath(func() { c.dead = true })
			for i := range threads {
				p.Go(fmt.Sprint(i), func() { c.store(c.load() + 1) })
			}
		},
		Check: func() error {
			if c.value != uint64(threads) && !c.dead {
				return fmt.Errorf("an addition is lost: %d", c.value)
			}
			return nil
		},
		Point:   func(p uint8) string { return fmt.Sprint("point ", p) },
		Address: func(a uint64) string { return fmt.Sprint("word ", a) },
	}, c
}

func TestALostUpdateIsFoundAndMadeAgainFromItsMoves(t *testing.T) {
	t.Parallel()
	s, _ := racy(2, 0)
	r := Explore(s, Config{Schedules: 100, Seed: 1})
	if r.Failure == nil || !strings.Contains(r.Failure.Err.Error(), "an addition is lost: 1") {
		t.Fatalf("got %+v, want a lost addition", r.Failure)
	}
	again, _ := racy(2, 0)
	var steps strings.Builder
	if err := Replay(again, r.Failure.Moves, &steps); err == nil || err.Error() != r.Failure.Err.Error() {
		t.Errorf("replayed: %v, want %v", err, r.Failure.Err)
	}
	if n := strings.Count(steps.String(), "\n"); n != 4 || !strings.Contains(steps.String(), "store word 1") {
		t.Errorf("want its 4 steps, got\n%s", &steps)
	}
}

func TestTheSearchFindsTheLostUpdateWithOnePreemptionAndNotWithNone(t *testing.T) {
	t.Parallel()
	for preemptions, want := range []bool{false, true} {
		s, _ := racy(2, 0)
		e := newExplorer(s, Config{})
		for range 100 { // learns that the threads conflict
			e.once(newRandom(4, 0), "random")
		}
		e.report = Report{}
		b, ok := e.bound(preemptions, 0, 100)
		if ok == want || !want && !b.Complete {
			t.Errorf("%d preemptions: %+v, passed %v", preemptions, b, ok)
		}
	}
}

// With no preemption three threads of two steps can come in 3! orders; a death may come
// before each of the three stores, or between two threads.
func TestTheSearchMakesEachScheduleOnce(t *testing.T) {
	t.Parallel()
	s, c := racy(3, 1)
	seen := map[string]bool{}
	s.Check = func() error {
		moves := formatMoves(c.w.moves)
		if seen[moves] {
			return fmt.Errorf("again %s", moves)
		}
		seen[moves] = true
		return nil
	}
	e := newExplorer(s, Config{})
	if b, ok := e.bound(0, 0, 100); !ok || !b.Complete || b.Schedules != 6 {
		t.Errorf("without a death: %+v, %v", b, e.report.Failure)
	}
	clear(seen)
	if b, ok := e.bound(0, 1, 100); !ok || !b.Complete || b.Schedules < 3+6+6 {
		t.Errorf("with one: %+v, %v", b, e.report.Failure)
	}
}

func TestADeadProcessStoresNothingMore(t *testing.T) {
	t.Parallel()
	var c counter
	s := Scenario{
		Deaths: 1,
		Setup: func(w *World) {
			c = counter{w: w}
			p := w.Process("p", true)
			p.OnDeath(func() { c.dead = true })
			p.Go("main", func() {
				defer func() {
					if c.dead {
						c.store(7)
					}
				}()
				c.store(1)
			})
		},
		Check: func() error {
			if c.value == 7 || c.value == 0 && !c.dead {
				return fmt.Errorf("value %d, dead %v", c.value, c.dead)
			}
			return nil
		},
	}
	r := Explore(s, Config{Schedules: 100, Seed: 1})
	if r.Failure != nil || r.Deaths["p"] == 0 || r.Points["p"] != 1 {
		t.Errorf("%+v, failure %v", r, r.Failure)
	}
}

func TestWhoWaitsForNobodyIsADeadlock(t *testing.T) {
	t.Parallel()
	s := Scenario{
		Setup: func(w *World) {
			w.Process("p", false).Go("main", w.Pause)
		},
		Check: func() error { return nil },
	}
	if r := Explore(s, Config{Schedules: 1}); r.Failure == nil || !strings.Contains(r.Failure.Error(), "deadlock: p/main") {
		t.Errorf("got %v, want a deadlock", r.Failure)
	}
}

func TestASleeperGoesOnWhenItIsWoken(t *testing.T) {
	t.Parallel()
	s := Scenario{
		Setup: func(w *World) {
			c := &counter{w: w}
			p := w.Process("p", false)
			p.Go("sleeper", func() {
				if c.load() == 0 { // and nothing can come between this and the next
					w.Sleep(1)
				}
			})
			p.Go("waker", func() {
				c.store(1)
				w.Wake(1)
			})
		},
		Check: func() error { return nil },
	}
	if r := Explore(s, Config{Schedules: 200, Seed: 1}); r.Failure != nil {
		t.Error(r.Failure)
	}
}

func TestAPanicIsAFailureWithItsPlace(t *testing.T) {
	t.Parallel()
	s := Scenario{
		Setup: func(w *World) { w.Process("p", false).Go("main", func() { panic("oh") }) },
		Check: func() error { return nil },
	}
	if r := Explore(s, Config{Schedules: 1}); r.Failure == nil || !strings.Contains(r.Failure.Error(), "p/main panics: oh") {
		t.Errorf("got %v, want the panic", r.Failure)
	}
}

func TestMovesThatDoNotParseAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := racy(2, 0)
	for _, moves := range []string{"1", "x>1", "1>x", "1:", "1:2"} {
		if err := Replay(s, moves, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "sched: ") {
			t.Errorf("%q: %v", moves, err)
		}
	}
	const moves = "12>2 40!1 41:>0 41:!3"
	if m, err := parseMoves(moves); err != nil || formatMoves(m) != moves {
		t.Errorf("%v gives %q, want %q", err, formatMoves(m), moves)
	}
}
