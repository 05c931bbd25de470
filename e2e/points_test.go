//go:build failpoints

package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/upkeep"
	"github.com/ringlog/ringlog/writer"
)

// unreached are the points that no process reaches before the machine is started
// again.
var unreached = map[failpoint.Point]string{
	failpoint.OwnZero: "the lane has to hold what an earlier boot left",
}

// visits notes which points are reached.
type visits struct {
	reached [256]atomic.Bool
	die     atomic.Int64 // the point at which whoever reaches it panics, once; 0: none
}

// death is what a goroutine panics with that is to die.
type death failpoint.Point

func (v *visits) hook(p failpoint.Point) {
	v.reached[p].Store(true)
	if p != 0 && v.die.CompareAndSwap(int64(p), 0) {
		panic(death(p))
	}
}

func (v *visits) at(p failpoint.Point) bool { return v.reached[p].Load() }

// A failpoint that nobody reaches proves nothing. The workload does everything that
// there is to do with a ring.
func TestEveryFailpointIsReached(t *testing.T) { // not parallel: the hook is the process's
	v := new(visits)
	failpoint.Hook = v.hook
	defer func() { failpoint.Hook = nil }()
	dir := t.TempDir()
	o := reader.Options{
		Outputs: []reader.Output{{
			Path: filepath.Join(dir, "all.log"), Format: format.Options{Name: "json"},
			Rotation: reader.Rotation{Size: 20 << 10}, Rotated: upkeep.Settings{Keep: logfile.Retention{Count: 1}},
		}},
		Sync: reader.SyncBatch, Until: reader.UntilEmpty,
		Log: slog.New(slog.DiscardHandler),
	}
	path := newRing(t, 4)
	v.workers(t, path, o)
	v.deadWorker(t, path, o)
	v.deadReaders(t, path, o)
	v.removedOutput(t, path, o)
	v.rotatedFiles(t, path, o)
	v.levelsAndRemoval(t, path, o)
	for _, p := range failpoint.All() {
		why, exempt := unreached[p]
		switch reached := v.at(p); {
		case !reached && !exempt:
			t.Errorf("%v is never reached", p)
		case reached && exempt:
			t.Errorf("%v is reached, though %s", p, why)
		}
	}
}

// workers attach, wrap, find the lane full under either policy, wake a reader that
// sleeps, and close.
func (v *visits) workers(t *testing.T, path string, o reader.Options) {
	t.Helper()
	dropping, err := writer.Open(path, writer.Options{Label: "dropping", Policy: writer.PolicyDrop})
	if err != nil {
		t.Fatal(err)
	}
	for !v.at(failpoint.CountLost) {
		_ = dropping.Append(record.LevelInfo, make([]byte, 1000)) // full in the end
	}
	if err := dropping.Close(); err != nil {
		t.Fatal(err)
	}
	drainOnce(t, path, o)

	w := attach(t, path, "blocking")
	o.Until, o.Sync = reader.UntilStopped, reader.SyncNone // there is much to do
	finish := runReader(t, path, o)
	until(t, "a writer that waits, is woken, and wakes the reader", func() bool {
		for range 200 {
			write(t, w, strings.Repeat("f", 1001))
		}
		time.Sleep(10 * time.Millisecond) // longer than a reader lingers
		write(t, w, "wake up")
		return v.at(failpoint.WaitFlag) && v.at(failpoint.PublishWake) && v.at(failpoint.WakeReader) && v.at(failpoint.FilePrune)
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// An owner record that does not fit before the lane's end: owner after owner moves on
	// by another length, so that each lap ends elsewhere.
	length := 0
	until(t, "padding before an owner record", func() bool {
		length = (length + 8) % 1000
		w, err := open(path, "short-lived") // again and again: lanes have to be drained first
		if err != nil {
			t.Fatal(err)
		}
		write(t, w, strings.Repeat("f", length))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return v.at(failpoint.OwnPadding)
	})
	if err := finish(); err != nil {
		t.Fatal(err)
	}
}

// deadWorker is one that is killed while it appends.
func (v *visits) deadWorker(t *testing.T, path string, o reader.Options) {
	t.Helper()
	n := newNotes(t, 1)
	p := n.counter(t, path, 0)
	until(t, "the first record", func() bool { return n.of(0) > 0 })
	p.kill()
	until(t, "its lane to be free", func() bool { drainOnce(t, path, o); return v.at(failpoint.PublishState) })
}

// deadReaders die with a batch half written, and with one applied. The next ones undo
// and redo.
func (v *visits) deadReaders(t *testing.T, path string, o reader.Options) {
	t.Helper()
	w := attach(t, path, "steady")
	for _, p := range []failpoint.Point{failpoint.DrainCheck, failpoint.DrainPublish} {
		write(t, w, fmt.Sprint("drained by a reader that dies at ", p))
		v.die.Store(int64(p))
		func() {
			r, err := reader.Open(path, o)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() // the locks end with a process; here it goes on
			defer func() {
				if got := recover(); got != death(p) {
					t.Fatalf("%v: %v", p, got)
				}
			}()
			t.Error(r.Run(context.Background()))
		}()
		drainOnce(t, path, o)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// removedOutput is removed under a reader.
func (v *visits) removedOutput(t *testing.T, path string, o reader.Options) {
	t.Helper()
	o.Until, o.Outputs[0].Rotation = reader.UntilStopped, reader.Rotation{}
	finish := runReader(t, path, o)
	if err := os.Remove(o.Outputs[0].Path); err != nil {
		t.Fatal(err)
	}
	w := attach(t, path, "steady")
	write(t, w, "to a file without a name")
	until(t, "the output to be made again", func() bool { return v.at(failpoint.DrainReopen) && v.at(failpoint.ReaderError) })
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
}

// rotatedFiles are compressed, and a hook is told of them. An earlier compression was
// killed before it had removed its temporary, and another one before it removed the file.
func (v *visits) rotatedFiles(t *testing.T, path string, o reader.Options) {
	t.Helper()
	out := &o.Outputs[0]
	out.Path = filepath.Join(t.TempDir(), "packed.log")
	out.Rotation = reader.Rotation{}
	out.Rotated = upkeep.Settings{Compression: logfile.Gzip, Hook: upkeep.Hook{Command: []string{"true"}}}
	for name, text := range map[string]string{
		".packed.log.20260101T000000.000000000Z~":  "half an archive",
		"packed.log.20260101T000000.000000000Z":    "of which that was made",
		"packed.log.20260102T000000.000000000Z":    "one that is not cleared",
		"packed.log.20260102T000000.000000000Z.gz": "no archive at all",
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(out.Path), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Until = reader.UntilStopped
	finish := runReader(t, path, o)
	w := attach(t, path, "steady")
	write(t, w, "to be set aside")
	if err := ring.Rotate(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the hook", func() bool { return v.at(failpoint.HookStart) })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
}

// levelsAndRemoval set a minimum level, and remove the ring.
func (v *visits) levelsAndRemoval(t *testing.T, path string, o reader.Options) {
	t.Helper()
	err := ring.SetLevels(path, func([]ring.LevelRule) []ring.LevelRule {
		return []ring.LevelRule{{Prefix: "app", Level: int16(record.LevelWarning)}}
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if removed, why, err := r.Remove(context.Background()); !removed || err != nil {
		t.Fatalf("the ring stays: %s, %v", why, err)
	}
}

// drainOnce drains what is in the ring now.
func drainOnce(t *testing.T, path string, o reader.Options) {
	t.Helper()
	r, err := reader.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}
