//go:build linux

package upkeep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

var gzip5 = Settings{Compression: logfile.Gzip, Keep: logfile.Retention{Count: 5}}

func TestARotatedFileIsCompressedAndPrunedAndThenItsHookIsRun(t *testing.T) {
	t.Parallel()
	for _, c := range []logfile.Compression{logfile.None, logfile.Gzip, logfile.Zstd} {
		dir := t.TempDir()
		path, out := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out")
		setAside(t, path, time.Now().Add(-time.Hour), "old\n")
		f := open(t, path)
		k, s := keeper(t)
		backup := rotate(t, f, "new\n")
		// What the hook sees when it runs.
		hook := shell(`echo "$RINGLOG_ROTATED" "$RINGLOG_OUTPUT" $(ls -d %s.2*) > %s`, path, out)
		k.Rotated(path, backup, Settings{logfile.Retention{Count: 1}, c, hook})
		k.Close()
		rotated := backup + map[logfile.Compression]string{logfile.Gzip: ".gz", logfile.Zstd: ".zst"}[c]
		wantNames(t, dir, path, rotated)
		if got := content(t, rotated); got != "new\n" {
			t.Errorf("%v: %s has %q", c, rotated, got)
		}
		if got := lines(t, out); !slices.Equal(got, []string{rotated, path, rotated}) {
			t.Errorf("%v: the hook saw %q", c, got)
		}
		want := Stats{Removed: 1, Hooks: 1}
		if c != logfile.None {
			want.Compressed = 1
		}
		if got := k.Stats(); got != want {
			t.Errorf("%v: %+v, want %+v", c, got, want)
		}
		if s.String() != "" {
			t.Errorf("said %s", s)
		}
	}
}

// With all there is to do, and with little.
func TestABurstOfRotationsLeavesExactlyTheNewest(t *testing.T) {
	t.Parallel()
	const outputs = 4
	for name, c := range map[string]struct {
		rotations int // of each output
		s         Settings
	}{
		"count":            {250, Settings{Keep: logfile.Retention{Count: 5}}},
		"count and gzip":   {250, gzip5},
		"size":             {250, Settings{Keep: logfile.Retention{Size: 5 * 10}}},
		"count and a hook": {100, Settings{Keep: logfile.Retention{Count: 5}, Hook: Hook{Command: []string{"/bin/true"}}}},
		"all there is":     {20, Settings{logfile.Retention{Count: 5, Age: time.Hour, Size: 1 << 20}, logfile.Zstd, Hook{Command: []string{"/bin/true"}}}},
		"a failing hook":   {250, Settings{Keep: logfile.Retention{Count: 5}, Hook: Hook{Command: []string{"/bin/false"}}}},
		"a hook not found": {250, Settings{logfile.Retention{Count: 5}, logfile.Gzip, Hook{Command: []string{"/no/such/hook"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, rotations := c.s, c.rotations
			dir := t.TempDir()
			k, said := keeper(t)
			var backups [outputs][]string
			var all sync.WaitGroup
			for i := range outputs {
				path := filepath.Join(dir, fmt.Sprintf("%d.log", i))
				f := open(t, path)
				k.Opened(path, s)
				all.Go(func() {
					for j := range rotations {
						backup := rotate(t, f, fmt.Sprintf("%9d\n", j))
						k.Rotated(path, backup, s)
						backups[i] = append(backups[i], backup)
					}
				})
			}
			all.Wait()
			k.Close()
			var want []string
			for i, backups := range backups {
				if unique := slices.Compact(slices.Sorted(slices.Values(backups))); len(unique) != rotations {
					t.Errorf("%d names of %d rotations", len(unique), rotations)
				}
				want = append(want, fmt.Sprintf("%d.log", i))
				for j, backup := range backups[rotations-5:] {
					backup += map[logfile.Compression]string{logfile.Gzip: ".gz", logfile.Zstd: ".zst"}[s.Compression]
					want = append(want, backup)
					if got := content(t, backup); got != fmt.Sprintf("%9d\n", rotations-5+j) {
						t.Errorf("%s has %q", backup, got)
					}
				}
			}
			wantNames(t, dir, want...)
			stats := k.Stats()
			if stats.Removed != uint64(outputs*(rotations-5)) {
				t.Errorf("%d files were removed", stats.Removed)
			}
			if healthy := !strings.HasPrefix(name, "a "); healthy != (said.String() == "") || healthy && stats.Failures > 0 {
				t.Errorf("%d failures, and it said %s", stats.Failures, said)
			}
			if want := outputs * rotations; (name == "count and a hook" || name == "all there is") && stats.Hooks != uint64(want) {
				t.Errorf("%d hooks, want %d", stats.Hooks, want)
			}
		})
	}
}

func TestHooksRunOnceForEachRotationInOrderAndFindTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, said := keeper(t)
	const outputs, rotations = 2, 30
	var want [outputs][]string
	var outs [outputs]string
	gate := gate(t)
	for i := range outputs {
		f := open(t, filepath.Join(dir, fmt.Sprintf("%d.log", i)))
		outs[i] = filepath.Join(t.TempDir(), "out")
		s := Settings{logfile.Retention{Count: 1}, logfile.Gzip, shell(`echo $RINGLOG_ROTATED $(zcat "$RINGLOG_ROTATED") >>%s`, outs[i])}
		for j := range rotations {
			backup := rotate(t, f, fmt.Sprintln(j))
			if i == 0 && j == 0 {
				held := s
				held.Hook = shell(`read x <%s; `+s.Hook.Command[2], gate) // so that all others have to wait
				k.Rotated(f.Path(), backup, held)
			} else {
				k.Rotated(f.Path(), backup, s)
			}
			want[i] = append(want[i], backup+".gz", fmt.Sprint(j))
		}
	}
	pass(t, gate)
	k.Close()
	for i := range outputs {
		if got := lines(t, outs[i]); !slices.Equal(got, want[i]) {
			t.Errorf("hooks were told %q, want %q", got, want[i])
		}
	}
	if got := k.Stats(); got.Hooks != outputs*rotations || got.Removed != outputs*(rotations-1) || said.String() != "" {
		t.Errorf("%+v, and it said %s", got, said)
	}
}

func TestNobodyWaitsForAHookAndNoMoreThanAThousandFilesDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, out, gate := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out"), gate(t)
	k, said := keeper(t)
	s := Settings{Hook: shell(`read x <%s; echo $RINGLOG_ROTATED >>%s`, gate, out)}
	start := time.Now()
	first := setAside(t, path, start, "")
	k.Rotated(path, first, s)
	held, err := os.OpenFile(gate, os.O_WRONLY, 0) // returns when the first hook is there
	check(t, err)
	const more = 2500
	for i := range more {
		k.Rotated(path, setAside(t, path, start.Add(time.Duration(i+1)), ""), Settings{Hook: shell(`echo $RINGLOG_ROTATED >>%s`, out)})
	}
	k.mu.Lock()
	waiting, room := len(k.outputs[path].waiting), cap(k.outputs[path].waiting)
	k.mu.Unlock()
	if waiting != maxWaiting || room > 4*maxWaiting {
		t.Errorf("%d wait, in %d places", waiting, room)
	}
	_, err = held.WriteString("go\n")
	check(t, errors.Join(err, held.Close()))
	k.Close()
	want := []string{first}
	for i := more - maxWaiting; i < more; i++ {
		want = append(want, logfile.BackupName(path, start.Add(time.Duration(i+1))))
	}
	if got := lines(t, out); !slices.Equal(got, want) {
		t.Errorf("%d hooks were run, from %q on; want %d", len(got), got[:2], len(want))
	}
	if said.count("hook backlog trouble: more than 1000") != 1 || said.count("hook backlog trouble is over") != 1 || said.count("") != 2 {
		t.Errorf("said %s", said)
	}
}

func TestTheSizeThatIsKeptIsThatOfArchives(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	first := setAside(t, path, time.Now(), strings.Repeat("x", 10_000))
	second := setAside(t, path, time.Now(), strings.Repeat("x", 10_000))
	k, _ := keeper(t)
	k.Opened(path, Settings{Keep: logfile.Retention{Size: 10_000}, Compression: logfile.Zstd})
	k.Close()
	wantNames(t, dir, first+".zst", second+".zst")
}

func TestOpenedFinishesWhatAKilledProcessLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	var all []string
	for i := range 8 {
		all = append(all, setAside(t, path, time.Now().Add(time.Duration(i)), fmt.Sprint(i)))
	}
	check(t, os.WriteFile(filepath.Join(dir, "."+filepath.Base(all[7])+"~"), []byte("part"), 0o600))
	check(t, os.WriteFile(all[7]+".gz", []byte("part"), 0o600))
	out := filepath.Join(t.TempDir(), "out")
	k, said := keeper(t)
	s := gzip5
	s.Hook = shell("echo x >>%s", out)
	k.Opened(path, s)
	k.Close()
	var want []string
	for i, backup := range all[3:] {
		want = append(want, backup+".gz")
		if got := content(t, backup+".gz"); got != fmt.Sprint(i+3) {
			t.Errorf("%s has %q", backup, got)
		}
	}
	wantNames(t, dir, want...)
	if got := k.Stats(); got != (Stats{Removed: 3, Compressed: 5}) || said.String() != "" {
		t.Errorf("%+v, and it said %s", got, said)
	}
	if got := lines(t, out); len(got) > 0 {
		t.Error("there were hooks")
	}
}

func TestAfterCloseNothingIsTakenOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	k, _ := keeper(t)
	k.Opened(path, gzip5)
	k.Close()
	k.Close()
	backup := setAside(t, path, time.Now(), "")
	k.Opened(path, gzip5)
	k.Rotated(path, backup, gzip5)
	k.Close()
	wantNames(t, dir, backup)
	if len(k.outputs) > 0 {
		t.Errorf("it knows %v", k.outputs)
	}
}

func TestAKeeperThatIsAskedNothingHasNoGoroutine(t *testing.T) {
	t.Parallel()
	k := New(slog.New(slog.DiscardHandler))
	k.Rotated("/x/app.log", "/x/app.log.20261123T184701.123456789Z", Settings{})
	if k.running || len(k.outputs) > 0 {
		t.Errorf("running %v, knows %v", k.running, k.outputs)
	}
	k.Close()
}

// Thousands of trials have each an output of their own.
func TestOutputsWithNothingToComeAreForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, said := keeper(t)
	s := gzip5
	s.Hook = Hook{Command: []string{"/bin/true"}}
	for i := range 50 {
		path := filepath.Join(dir, fmt.Sprintf("%d.log", i))
		k.Rotated(path, setAside(t, path, time.Now(), "x"), s)
		k.Opened(path+"x", gzip5)
	}
	k.Close()
	if len(k.outputs) > 0 {
		t.Errorf("%d outputs are still known", len(k.outputs))
	}
	if said.String() != "" {
		t.Errorf("said %s", said)
	}
}

func TestAFolderThatIsGoneIsNoTrouble(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gone", "app.log")
	k, said := keeper(t)
	k.Opened(path, Settings{logfile.Retention{Age: time.Hour}, logfile.Zstd, Hook{}})
	k.Rotated(path, path+".20261123T184701.123456789Z", gzip5)
	k.Close()
	if said.String() != "" || k.Stats() != (Stats{}) {
		t.Errorf("%+v, and it said %s", k.Stats(), said)
	}
}

func TestShutdownThatGivesUpEndsTheHookAndSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, gate := filepath.Join(dir, "app.log"), gate(t)
	k, said := keeper(t)
	s := Settings{Hook: shell("read x <%s; exec sleep 1000", gate)}
	start := time.Now()
	var all []string
	for i := range 3 {
		all = append(all, setAside(t, path, start.Add(time.Duration(i)), ""))
		k.Rotated(path, all[i], s)
	}
	pass(t, gate) // the first hook runs, and waits for ever
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- k.Shutdown(ctx) }()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if want := fmt.Sprintf("the hook was not run for the last 3 rotated files of %s, from %s on", path, all[0]); said.String() != want {
		t.Errorf("said %s, want %s", said, want)
	}
	if got := k.Stats(); got != (Stats{}) {
		t.Errorf("%+v", got)
	}
	wantNames(t, dir, all...)
}

func TestShutdownThatGivesUpLeavesAFileThatIsBeingCompressed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	backup := setAside(t, path, time.Now(), strings.Repeat("text\n", 1<<20))
	k, said := keeper(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k.Rotated(path, backup, gzip5)
	err := k.Shutdown(ctx)
	if k.Stats().Compressed > 0 { // it was quicker
		backup += ".gz"
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	wantNames(t, dir, backup)
	if said.String() != "" {
		t.Errorf("said %s", said)
	}
}

func TestStatsMayBeAskedAtAnyTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.log")
	k, _ := keeper(t)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for k.Stats().Compressed < 20 {
			_ = k.Stats()
		}
	}()
	start := time.Now()
	for i := range 20 {
		k.Rotated(path, setAside(t, path, start.Add(time.Duration(i)), "x"), Settings{Compression: logfile.Gzip})
	}
	<-asked
}
