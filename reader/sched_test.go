//go:build linux && sched

package reader

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/internal/sched"
)

var (
	schedules = flag.Int("schedules", 20_000, "how many schedules of each scenario to try")
	schedSeed = flag.Uint64("sched-seed", 1, "seed of those that are taken at random")
	replay    = flag.String("replay", "", "make the one schedule with these moves, and print its steps")
)

// inScenario names, in the environment, the scenario that this process is to explore:
// two of them run at a time, and the heap is one to a program.
const inScenario = "RINGLOG_SCENARIO"

func (s simScenario) scenario() (sched.Scenario, *rig) {
	g := newRig(s.lanes, laneSize)
	return sched.Scenario{
		Name: s.name, Deaths: s.deaths, Check: g.judge, Address: g.heap.Address,
		Setup: func(w *sched.World) { g.reset(w); s.run(g) },
		Point: func(p uint8) string {
			if p == 0 {
				return "-"
			}
			return failpoint.Point(p - 1).String()
		},
	}, g
}

func TestSchedules(t *testing.T) {
	if name := os.Getenv(inScenario); name != "" {
		exploreHere(t, name)
		return
	}
	slots := make(chan struct{}, 2)
	for _, s := range simScenarios {
		t.Run(s.name, func(t *testing.T) {
			if *replay != "" {
				sc, g := s.scenario()
				defer g.heap.Close()
				if err := sched.Replay(sc, *replay, os.Stdout); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSchedules$", "-test.v=false", "-test.timeout=20m",
				fmt.Sprint("-schedules=", *schedules), fmt.Sprint("-sched-seed=", *schedSeed))
			cmd.Env = append(os.Environ(), inScenario+"="+s.name)
			out, err := cmd.CombinedOutput()
			lines := strings.TrimSuffix(strings.TrimSuffix(string(out), "\n"), "\nPASS")
			if err != nil {
				t.Fatalf("%v\n%s", err, lines)
			}
			fmt.Println(lines)
		})
	}
}

// exploreHere explores one scenario and prints what it did.
func exploreHere(t *testing.T, name string) {
	i := slices.IndexFunc(simScenarios, func(s simScenario) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("no scenario %q", name)
	}
	// A schedule leaves little behind: collect it seldom.
	debug.SetGCPercent(1000)
	s, g := simScenarios[i].scenario()
	defer g.heap.Close()
	r := sched.Explore(s, sched.Config{Schedules: *schedules, Seed: *schedSeed})
	fmt.Println(summary(name, &r))
	if r.Failure != nil {
		t.Fatalf("%s: %v\nagain, with its steps: go test -tags sched ./reader -run 'TestSchedules/^%s$' -v -replay '%s'",
			name, r.Failure, strings.ReplaceAll(name, " ", "_"), r.Failure.Moves)
	}
}

// summary is what was explored, as a line or two.
func summary(name string, r *sched.Report) string {
	var b strings.Builder
	n := r.Exhaustive + r.Random
	fmt.Fprintf(&b, "%-30s %8d schedules in %5.1f s: %d exhaustively", name, n, r.Elapsed.Seconds(), r.Exhaustive)
	for i, bound := range r.Bounds {
		whole := ""
		if !bound.Complete {
			whole = "+" // there are more
		}
		fmt.Fprintf(&b, "%s%dp%dd %d%s", cmp.Or(map[bool]string{true: " ("}[i == 0], ", "), bound.Preemptions, bound.Deaths, bound.Schedules, whole)
	}
	fmt.Fprintf(&b, "), %d at random (seed %d); %d steps and %v each", r.Random, *schedSeed, r.Steps/max(n, 1), r.Elapsed/time.Duration(max(n, 1)))
	for _, who := range slices.Sorted(maps.Keys(r.Deaths)) {
		fmt.Fprintf(&b, "; %s died %d times at %d points", who, r.Deaths[who], r.Points[who])
	}
	return b.String()
}
