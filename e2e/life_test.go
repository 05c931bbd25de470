package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

func attach(t testing.TB, path, label string) *writer.Writer {
	t.Helper()
	w, err := writer.Open(path, writer.Options{Label: label, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t testing.TB, w *writer.Writer, message string) {
	t.Helper()
	if err := w.Append(record.LevelInfo, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// runReader drains in this process until the test's end, or until finish.
func runReader(t testing.TB, path string, o reader.Options) (finish func() error) {
	t.Helper()
	r, err := reader.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	finish = sync.OnceValue(func() error {
		cancel()
		err := <-done
		r.Close()
		return err
	})
	t.Cleanup(func() { finish() })
	return finish
}

// state is the kernel's letter for what a process does: T stopped, Z dead and not
// yet waited for; empty if there is none.
func state(pid int) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(b), ") ")
	return after[:min(1, len(after))]
}

func TestAWorkerStoppedInMidAppendHoldsNobodyUpAndItsRecordArrivesIntact(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 4), filepath.Join(t.TempDir(), "out.log")
	finish := runReader(t, path, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}}}})
	p := spawn(t, "stop", path)
	p.line(t)
	until(t, "the stop", func() bool { return state(p.Process.Pid) == "T" })
	w := attach(t, path, "other")
	const laps = 20
	n := 0
	for filler := strings.Repeat("f", 1000); n*1000 < laps*ring.MinLaneSize; n++ {
		write(t, w, fmt.Sprint(n, " ", filler))
	}
	if err := w.Close(); err != nil { // all of it was taken, or Append had not returned
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGCONT)
	p.finish(t)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	others, intact := 0, 0
	each(t, out, func(l *line) {
		switch {
		case l.Worker == "other" && strings.HasPrefix(l.Msg, fmt.Sprint(others, " ")):
			others++
		case l.Worker == "stopped" && l.Msg == "claimed before the stop, written after it":
			intact++
		default:
			t.Errorf("%+v", l)
		}
	})
	if others != n || intact != 1 {
		t.Errorf("%d of %d records of the other, %d of the stopped one", others, n, intact)
	}
}

func TestAKilledParentsLaneIsRepairedWhileItsChildLives(t *testing.T) {
	t.Parallel()
	for name, command := range map[string][]string{
		"child":           {os.Args[0]},
		"child's child":   {"/bin/sh", "-c", `"$0" & wait`, os.Args[0]},
		"child of a fork": {"/bin/sh", "-c", `("$0" &) ; sleep 1000 & wait`, os.Args[0]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, out := newRing(t, 1), filepath.Join(t.TempDir(), "out.log")
			runReader(t, path, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}}}})
			p := spawnGroup(t, "parent", append([]string{path}, command...)...)
			child, err := strconv.Atoi(p.line(t))
			if err != nil {
				t.Fatal(err)
			}
			p.kill()
			vanished := 0
			until(t, "the parent's end in the log", func() bool {
				b, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				vanished = strings.Count(string(b), `"event":"vanished"`)
				return vanished > 0
			})
			if st := state(child); st == "" || st == "Z" {
				t.Errorf("the child is gone (state %q)", st)
			}
			var next *writer.Writer
			until(t, "the lane", func() bool {
				next, err = writer.Open(path, writer.Options{})
				return err == nil
			})
			next.Close()
		})
	}
}

func TestWritersAndReaderOfOneProcessShareARing(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 2), filepath.Join(t.TempDir(), "out.log")
	finish := runReader(t, path, reader.Options{Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: 1 << 20}}}})
	const perWorker = 20000
	var wg sync.WaitGroup
	for _, label := range []string{"a", "b"} {
		w := attach(t, path, label)
		wg.Go(func() {
			for i := range perWorker {
				if err := w.Append(record.LevelInfo, fmt.Append(nil, i)); err != nil {
					t.Error(err)
					return
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	each(t, out, func(l *line) {
		if l.Msg != fmt.Sprint(next[l.Worker]) {
			t.Fatalf("%s: %q where %d was to come", l.Worker, l.Msg, next[l.Worker])
		}
		next[l.Worker]++
	})
	if next["a"] != perWorker || next["b"] != perWorker {
		t.Error(next)
	}
}

func TestAReaderOfAnotherProcessIsRefusedWithFileAndPid(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 1), t.TempDir()
	out := filepath.Join(dir, "out.log")
	options := optionsJSON(t, reader.Options{Outputs: []reader.Output{{Path: out}}})
	first := spawn(t, "drain", path, options)
	first.line(t)
	pid := fmt.Sprint(first.Process.Pid)
	for name, c := range map[string]struct{ ring, out, file string }{
		"a second reader of a ring":          {path, filepath.Join(dir, "other.log"), path},
		"a second ring with the same output": {newRing(t, 1), out, out},
	} {
		second := spawn(t, "drain", c.ring, optionsJSON(t, reader.Options{Outputs: []reader.Output{{Path: c.out}}}))
		<-second.ended
		said := second.errors.String()
		if second.err == nil || !strings.Contains(said, c.file) || !strings.Contains(said, pid) {
			t.Errorf("%s: %v: %s; want file %s and pid %s in it", name, second.err, said, c.file, pid)
		}
	}
	first.signal(t, syscall.SIGTERM)
	first.finish(t)
}
