package sched

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Scenario is something to try in all orders.
type Scenario struct {
	Name string
	// Setup makes the processes and threads of w, which begin when it returns. It is
	// called before each schedule and must make the same each time.
	Setup func(w *World)
	// Check judges what a schedule left; it is not called if the schedule failed.
	Check func() error
	// Deaths is how many deaths a schedule may have at most.
	Deaths int
	// Point and Address name what Step is told, for printing.
	Point   func(uint8) string
	Address func(uint64) string
}

// Config says how much to explore.
type Config struct {
	Schedules int    // all together, at least 1
	Seed      uint64 // of the random ones
}

// Bound is a search of all schedules with exactly so many preemptions and deaths.
type Bound struct {
	Preemptions, Deaths int
	Schedules           int
	Complete            bool // else the number of schedules did not allow it
}

// Report says what was explored.
type Report struct {
	Bounds     []Bound
	Exhaustive int // schedules of all bounds
	Random     int
	Steps      int            // accesses, all together
	Deaths     map[string]int // by process
	Points     map[string]int // by process: how many different stores it was about to make
	Elapsed    time.Duration
	Failure    *Failure // nil: all went well
}

// Failure is a schedule that must not be.
type Failure struct {
	Err      error
	Schedule int    // its number, from 1
	Moves    string // for Replay
	How      string // which search found it
}

func (f *Failure) Error() string {
	return fmt.Sprintf("schedule %d (%s): %v\nreplay: %s", f.Schedule, f.How, f.Err, f.Moves)
}

// explorer makes schedules of one scenario.
type explorer struct {
	Scenario
	Config
	world  World
	report Report
}

func newExplorer(s Scenario, c Config) *explorer {
	e := &explorer{Scenario: s, Config: c}
	e.world = World{scenario: &e.Scenario, tally: newTally(), shared: new(conflicts)}
	return e
}

// Explore makes schedules of s until one fails or there were as many as c says: all
// that few preemptions and deaths allow, in up to half of them, and then random ones.
func Explore(s Scenario, c Config) Report {
	begun := time.Now()
	e := newExplorer(s, c)
	e.explore()
	r := &e.report
	r.Elapsed, r.Deaths, r.Points = time.Since(begun), e.world.tally.Deaths, map[string]int{}
	for name, points := range e.world.tally.points {
		r.Points[name] = len(points)
	}
	return *r
}

// mostChoices is how many preemptions and deaths together are searched exhaustively:
// with more, no budget goes far.
const mostChoices = 3

func (e *explorer) explore() {
	// One schedule tells how long they are, some more at random where threads
	// conflict.
	if !e.once(&replay{}, "first") {
		return
	}
	length := e.world.steps
	rnd := newRandom(length, e.Deaths)
	number := uint64(0)
	random := func(n int) bool {
		for ; n > 0; n-- {
			number++
			rnd.seed(e.Seed, number)
			if !e.once(rnd, fmt.Sprintf("random, seed %d, number %d", e.Seed, number)) {
				return false
			}
			e.report.Random++
		}
		return true
	}
	if !random(e.Schedules/10 + 1) {
		return
	}
	for total := 0; total <= mostChoices; total++ {
		for deaths := 0; deaths <= min(total, e.Deaths); deaths++ {
			room := e.Schedules/2 - e.report.Exhaustive
			if room <= 0 {
				break
			}
			b, ok := e.bound(total-deaths, deaths, room/2+1)
			e.report.Bounds = append(e.report.Bounds, b)
			if !ok {
				return
			}
		}
	}
	random(e.Schedules - e.report.Exhaustive - e.report.Random)
}

// bound searches the schedules with exactly so many preemptions and deaths, at most
// room of them.
func (e *explorer) bound(preemptions, deaths, room int) (b Bound, ok bool) {
	b = Bound{Preemptions: preemptions, Deaths: deaths}
	e.world.shared.freeze()
	d := &dfs{preemptions: preemptions, kills: deaths}
	how := fmt.Sprintf("exhaustive, %d preemptions, %d deaths", preemptions, deaths)
	for range room {
		if !e.once(d, how) {
			return b, false
		}
		if d.exact() {
			b.Schedules++
			e.report.Exhaustive++
		}
		if !d.advance() {
			b.Complete = true
			break
		}
	}
	return b, true
}

// once makes one schedule and judges it.
func (e *explorer) once(s strategy, how string) bool {
	w := &e.world
	w.reset(s)
	e.Setup(w)
	if w.failure == nil {
		w.run()
	}
	e.report.Steps += w.steps
	err := w.failure
	if err == nil {
		err = e.Check()
	}
	if err == nil {
		err = w.failure
	}
	if err == nil {
		return true
	}
	e.report.Failure = &Failure{
		Err: err, How: how, Moves: formatMoves(w.moves),
		Schedule: e.report.Exhaustive + e.report.Random + 1,
	}
	return false
}

// Replay makes the one schedule that moves, a Failure's, describes, prints its steps to
// out, and returns what is wrong with it.
func Replay(s Scenario, moves string, out io.Writer) error {
	m, err := parseMoves(moves)
	if err != nil {
		return err
	}
	e := newExplorer(s, Config{})
	w := &e.world
	w.trace = func(t *thread, a access) {
		if t == nil {
			fmt.Fprintf(out, "%6d  %s dies\n", w.steps, w.processes[a.value].Name)
			return
		}
		line := fmt.Sprintf("%6d  %-12v %-5v %-18s", w.steps, t, a.kind, e.Address(a.address))
		if a.kind != Load {
			line += fmt.Sprintf(" %-16s %#x", e.Point(a.point), a.value)
		}
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	e.once(&replay{moves: m}, "replay")
	if f := e.report.Failure; f != nil {
		return f.Err
	}
	return nil
}
