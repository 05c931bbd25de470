package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
)

// figures are what a run counts beside what the judge does.
type figures struct {
	workers, workerKillsRandom, workerKillsPoint, workerStops atomic.Int64
	readers, readerKillsRandom, readerKillsPoint, readerStops atomic.Int64

	refusals               atomic.Int64 // second readers
	episodes, calmEpisodes atomic.Int64 // of a full disk; those in which nobody was killed
	removed, renamed       atomic.Int64 // outputs

	mu   sync.Mutex
	seen struct{ records, bytes, judged, bad uint64 } // by the judge
}

func (f *figures) observe(j *judge) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen.records, f.seen.bytes, f.seen.judged, f.seen.bad = j.records, j.bytes, j.judged, j.bad()
}

// progress is the run so far in one line.
func (f *figures) progress(since time.Time) string {
	f.mu.Lock()
	seen := f.seen
	f.mu.Unlock()
	return fmt.Sprintf("%5.0f s  %s records, %s, %d workers judged, %d worker kills, %d reader kills, %d full disks, %d outputs taken, %d faults",
		time.Since(since).Seconds(), humanize.Comma(int64(seen.records)), humanize.IBytes(seen.bytes), seen.judged,
		f.workerKillsRandom.Load()+f.workerKillsPoint.Load(), f.readerKillsRandom.Load()+f.readerKillsPoint.Load(),
		f.episodes.Load(), f.removed.Load()+f.renamed.Load(), seen.bad)
}

// show prints progress until done is closed: on a terminal in one line that is written
// again and again, else every half minute.
func (f *figures) show(w *os.File, done <-chan struct{}) {
	start, every, before, after := time.Now(), 30*time.Second, "", "\n"
	if st, err := w.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		every, before, after = time.Second, "\r", "\x1b[K"
		defer fmt.Fprintln(w)
	}
	for tick := time.NewTicker(every); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
			fmt.Fprint(w, before, f.progress(start), after)
		}
	}
}

// fired is how often which action was taken, by failpoint.
type fired map[string]map[string]int

// readFired reads a log of failpoints.
func readFired(path string) (fired, error) {
	all := fired{}
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		point, action, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			return nil, fmt.Errorf("%s: line %q", path, lines.Text())
		}
		action, _, _ = strings.Cut(action, "@")
		action, _, _ = strings.Cut(action, "%")
		switch {
		case strings.HasPrefix(action, "delay"):
			action = "delay"
		case action != "kill" && action != "stop":
			action = "errno"
		}
		if all[point] == nil {
			all[point] = map[string]int{}
		}
		all[point][action]++
	}
	return all, lines.Err()
}

// sum is how often the action was taken, at all points or at some.
func (f fired) sum(action string, points ...string) (n int) {
	for point, actions := range f {
		if len(points) == 0 || slices.Contains(points, point) {
			n += actions[action]
		}
	}
	return n
}

// report prints what was done and what came of it.
func (r *run) report(w io.Writer, took time.Duration) error {
	workers, err := readFired(r.workerLog())
	if err != nil {
		return err
	}
	readers, err := readFired(r.readerLog())
	if err != nil {
		return err
	}
	f, j := &r.figures, r.judge
	row := func(what, format string, args ...any) {
		fmt.Fprintf(w, "%-22s %s\n", what, fmt.Sprintf(format, args...))
	}
	row("seed", "%d", r.Seed)
	row("time", "%.0f s", took.Seconds())
	row("records", "%s (%s a second), %s in %d outputs", humanize.Comma(int64(j.records)),
		humanize.Comma(int64(float64(j.records)/took.Seconds())), humanize.IBytes(j.bytes), len(outputNames))
	row("workers", "%d, %d stopped", f.workers.Load(), f.workerStops.Load())
	row("worker kills", "%d: %d at random, %d at failpoints, of these %d from claim to commit",
		f.workerKillsRandom.Load()+f.workerKillsPoint.Load(), f.workerKillsRandom.Load(), f.workerKillsPoint.Load(), workers.sum("kill", steps...))
	row("", "%d named as vanished, %d torn gaps", j.vanished, j.tornGaps)
	row("dropped by policy", "%s, as noted and as marked", humanize.Comma(int64(j.lostByPolicy)))
	row("readers", "%d, %d stopped, %d second ones refused", f.readers.Load(), f.readerStops.Load(), f.refusals.Load())
	row("reader kills", "%d: %d at random, %d at failpoints", f.readerKillsRandom.Load()+f.readerKillsPoint.Load(), f.readerKillsRandom.Load(), f.readerKillsPoint.Load())
	row("errnos injected", "%d", readers.sum("errno"))
	row("full disks", "%d, in %d of them nobody was killed: said once when it began and once when it ended", f.episodes.Load(), f.calmEpisodes.Load())
	row("outputs taken", "%d removed, %d renamed; %d lines of removed ones came again, %d were unfinished",
		f.removed.Load(), f.renamed.Load(), j.repeated, j.unfinishedLines)
	table(w, "worker", workers, workerTargets)
	table(w, "reader", readers, readerTargets)
	table(w, "level", workers, levelTargets)
	for _, point := range slices.Sorted(maps.Keys(elsewhere)) {
		row("not here", "%s: %s", point, elsewhere[point])
	}
	verdict := []string{}
	for k, n := range j.count {
		verdict = append(verdict, fmt.Sprintf("%v %d", kind(k), n))
	}
	row("judged", "%d workers: %s", j.judged, strings.Join(verdict, ", "))
	for _, f := range j.faults {
		fmt.Fprintln(w, " ", f)
	}
	return nil
}

// table prints how often which failpoint fired, and which did not.
func table(w io.Writer, who string, all fired, targets []target) {
	fmt.Fprintf(w, "%-22s %7s %7s %7s\n", who+" failpoints", "kills", "stops", "errnos")
	var never []string
	for _, t := range targets {
		a := all[t.point]
		if len(a) == 0 {
			never = append(never, t.point)
			continue
		}
		fmt.Fprintf(w, "  %-20s %7d %7d %7d\n", t.point, a["kill"], a["stop"], a["errno"])
	}
	if len(never) > 0 {
		fmt.Fprintf(w, "  never: %s\n", strings.Join(never, ", "))
	}
}
