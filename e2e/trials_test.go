package e2e

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

const (
	trialWorkers = 4
	perTrial     = 20 // records
	atOnce       = 8  // trials of one worker that log in turns, as threads do
)

// trials ring worker count: logs trials worker, worker+trialWorkers, … below count.
func trials(args []string) error {
	worker, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	w, err := open(args[0], "worker-"+args[1])
	if err != nil {
		return err
	}
	for first := worker; first < count; first += atOnce * trialWorkers {
		for n := range perTrial {
			for trial := first; trial < min(first+atOnce*trialWorkers, count); trial += trialWorkers {
				e := record.Entry{
					Logger: "objective", Message: fmt.Sprintf("record %d of trial %d", n, trial),
					Attrs: []slog.Attr{slog.String("study", "kills"), slog.Int("trial", trial)},
				}
				if err := w.Log(record.LevelInfo, &e); err != nil {
					return err
				}
			}
		}
	}
	return w.Close()
}

func TestEachOfThousandsOfTrialsHasExactlyItsRecordsInItsFileHoweverOftenTheReaderIsKilled(t *testing.T) {
	t.Parallel()
	for _, kills := range []int{0, 50} {
		t.Run(fmt.Sprint(kills, " kills"), func(t *testing.T) {
			t.Parallel()
			count := rounds(5000, 400)
			path, dir := newRing(t, 8), t.TempDir()
			options := reader.Options{
				MaxOpenFiles: 64,
				Outputs: []reader.Output{
					{Path: filepath.Join(dir, "{study}", "{trial}.log"), Format: format.Options{Name: "raw"}},
					{Path: filepath.Join(dir, "all.log"), Format: format.Options{Name: "raw"}},
				},
			}
			var workers []*process
			for i := range trialWorkers {
				workers = append(workers, spawn(t, "trials", path, fmt.Sprint(i), fmt.Sprint(count)))
			}
			rnd := rand.New(rand.NewPCG(1, 9))
			left := map[ring.IntentState]int{}
			for range kills {
				r := spawn(t, "drain", path, optionsJSON(t, options))
				r.line(t) // it drains
				time.Sleep(time.Duration(rnd.Int64N(int64(15 * time.Millisecond))))
				r.kill()
				left[intentState(t, path)]++
			}
			r := spawn(t, "drain", path, optionsJSON(t, options))
			r.line(t)
			for _, w := range workers {
				w.finish(t)
			}
			options.Until = reader.UntilEmpty
			r.kill()
			spawn(t, "drain", path, optionsJSON(t, options)).finish(t)

			for trial := range count {
				var want strings.Builder
				for n := range perTrial {
					fmt.Fprintf(&want, "record %d of trial %d\n", n, trial)
				}
				got, err := os.ReadFile(filepath.Join(dir, "kills", fmt.Sprint(trial)+".log"))
				if err != nil || string(got) != want.String() {
					t.Fatalf("trial %d: %v, %q", trial, err, got)
				}
			}
			all, err := os.ReadFile(filepath.Join(dir, "all.log"))
			if err != nil {
				t.Fatal(err)
			}
			if lines := strings.Count(string(all), "\n"); lines != count*perTrial {
				t.Errorf("%d lines in all.log, want %d", lines, count*perTrial)
			}
			t.Logf("%d trials; readers were killed %d times, with a batch prepared %d times and applied %d", count, kills,
				left[ring.IntentPrepared], left[ring.IntentApplied])
		})
	}
}
