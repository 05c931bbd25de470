package host

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/bench/internal/stats"
)

// Noise is what else the machine did while it was measured.
type Noise struct {
	Spin   []float64 `json:"spin_ns"` // a loop that should always take the same, between the rounds
	Steal  float64   `json:"steal"`   // share of the CPUs that other virtual machines took
	Others float64   `json:"others"`  // share of the CPUs that other processes took
}

// What a machine may do besides before it is called a noisy one.
const (
	spinSpread = 0.05
	stealShare = 0.01
	otherShare = 0.05
)

// Verdict says whether the machine was a noisy one, with the figures.
func (n Noise) Verdict() (noisy bool, why string) {
	if len(n.Spin) == 0 {
		return true, "it is not known how noisy the machine was"
	}
	s := stats.Summarize(n.Spin)
	spread := (s.Q3 - s.Q1) / s.Median
	why = fmt.Sprintf("the middle half of %d looks at a fixed loop spans %.1f %% of its median, the longest took %.2f times the median; "+
		"%.1f %% of the CPUs were stolen by other virtual machines, other processes used %.1f %%",
		s.N, 100*spread, s.Max/s.Median, 100*n.Steal, 100*n.Others)
	return spread > spinSpread || n.Steal > stealShare || n.Others > otherShare, why
}

// Meter measures Noise. It is used by one goroutine.
type Meter struct {
	began  time.Time
	before counters
	own    time.Duration
	spin   []float64
}

// NewMeter begins.
func NewMeter() *Meter {
	m := &Meter{began: time.Now(), before: readCounters(), own: used()}
	m.Look()
	return m
}

// Look times the fixed loop, which takes about a millisecond: not longer than a time
// slice, and much longer than a look at the clock.
func (m *Meter) Look() {
	begin := time.Now()
	x := uint64(begin.UnixNano()) | 1
	for range 1_000_000 {
		x = x*6364136223846793005 + 1442695040888963407
	}
	took := time.Since(begin)
	if x == 0 { // never, but the compiler does not know
		took++
	}
	m.spin = append(m.spin, float64(took))
}

// Noise is what there was since the meter was made, of the children those that have ended.
func (m *Meter) Noise() Noise {
	m.Look()
	now, cpus := readCounters(), time.Since(m.began)*time.Duration(runtime.NumCPU())
	// The kernel counts in hundredths of a second, so over a short time its sums may be more than there was.
	share := func(d time.Duration) float64 { return min(max(0, float64(d)/float64(cpus)), 1) }
	return Noise{
		Spin:   m.spin,
		Steal:  share(now.steal - m.before.steal),
		Others: share(now.busy - m.before.busy - (used() - m.own)),
	}
}

// counters are of all CPUs together, since the machine began.
type counters struct{ busy, steal time.Duration }

// readCounters returns zeros where the kernel does not say.
func readCounters() counters {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return counters{}
	}
	return parseCounters(string(b))
}

// parseCounters reads the first line: cpu user nice system idle iowait irq softirq steal,
// in hundredths of a second.
func parseCounters(stat string) counters {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return counters{}
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return counters{busy: ticks(1) + ticks(2) + ticks(3) + ticks(6) + ticks(7), steal: ticks(8)}
}

// used is the processor time of this process and of its children that have ended.
func used() time.Duration { return rusage(unix.RUSAGE_SELF) + rusage(unix.RUSAGE_CHILDREN) }

// ProcessorTime is what this process has used, in user and in system mode.
func ProcessorTime() time.Duration { return rusage(unix.RUSAGE_SELF) }

func rusage(who int) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(who, &u); err != nil {
		return 0 // cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// PrivateMemory is what this process has of memory that is not a file's: of a
// reader all but the ring's pages. In bytes; 0 where the kernel does not say.
func PrivateMemory() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}
