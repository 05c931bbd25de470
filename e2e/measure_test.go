package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// measuring skips tests that judge nothing and print figures.
func measuring(t *testing.T) {
	t.Helper()
	if os.Getenv("RINGLOG_MEASURE") != "1" {
		t.Skip("prints figures if RINGLOG_MEASURE=1")
	}
}

// ticks is the processor time of a process so far, in hundredths of a second.
func ticks(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return user + system
}

func TestMeasureIdleReader(t *testing.T) {
	measuring(t)
	path := newRing(t, 64)
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{
		Outputs: []reader.Output{{Path: filepath.Join(t.TempDir(), "out.log")}},
	}))
	r.line(t)
	for _, workers := range []int{0, 16} {
		for range workers {
			attach(t, path, "idle")
		}
		time.Sleep(time.Second)
		before := ticks(t, r.Process.Pid)
		const window = 20
		time.Sleep(window * time.Second)
		used := ticks(t, r.Process.Pid) - before
		t.Logf("idle reader, %d idle workers: %.2f %% of a core (%d ticks of 10 ms in %d s)", workers, float64(used)/window, used, window)
	}
}

func TestMeasureLatency(t *testing.T) {
	measuring(t)
	path, out := newRing(t, 4), filepath.Join(t.TempDir(), "out.log")
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "raw"}}}}))
	r.line(t)
	w := attach(t, path, "w")
	for _, pause := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 150 * time.Millisecond} {
		var took []time.Duration
		for range 100 {
			time.Sleep(pause)
			before, err := os.Stat(out)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			write(t, w, "x")
			until(t, "the record", func() bool {
				for range 1000 {
					if st, err := os.Stat(out); err != nil || st.Size() > before.Size() {
						return true
					}
				}
				return false
			})
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		t.Logf("append to file, after a pause of %v: median %v, 95 %% %v, longest %v", pause, took[50], took[95], took[99])
	}
}
