//go:build linux

package reader

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/upkeep"
)

func TestReloadUnderLoadLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const reloads = 50
	path, dir := newRing(t, 2), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	same := Output{Path: file("same.log"), Format: raw}
	r, said := openReader(t, path, Options{Outputs: []Output{same, {Path: file("0.log"), Format: raw}}})
	finish := start(t, r)
	p := attach(t, path, "w")
	var stop atomic.Bool
	logged := make(chan int)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			for p.Backlog() > 30<<10 {
			}
			trial(t, p, n%5, fmt.Sprint("record number ", n))
		}
		logged <- n
	}()
	for i := range reloads {
		seen := r.Stats().Records
		until(t, "records", func() bool { return r.Stats().Records > seen })
		if i%2 == 1 { // as logrotate does
			if err := os.Rename(same.Path, fmt.Sprintf("%s.%03d", same.Path, i)); err != nil {
				t.Fatal(err)
			}
		}
		outputs := []Output{same, {Path: file(fmt.Sprint(i%3) + ".log"), Format: raw}, {Path: file("trial-{trial}"), Format: raw}}
		if err := r.Reload(Options{Outputs: outputs[:2+i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	n := <-logged
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	names, _ := filepath.Glob(same.Path + ".*")
	for _, name := range append(names, same.Path) {
		all.WriteString(readFile(t, name))
	}
	if all.String() != numbers(0, n) {
		t.Errorf("%d bytes in same.log, want %d records", all.Len(), n)
	}
	count := 0
	for i := range 3 {
		count += strings.Count(readFile(t, file(fmt.Sprint(i)+".log")), "\n")
	}
	if count != n {
		t.Errorf("%d lines in the others, want %d", count, n)
	}
	if text := said.String(); text != "" {
		t.Errorf("said %s", text)
	}
}

func TestAReloadThatIsWrongChangesNothing(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	good := Options{Outputs: []Output{{Path: file("a.log"), Format: raw}, {Path: file("{trial}.log"), Format: raw}}}
	r, _ := openReader(t, path, good)
	other, _ := openReader(t, newRing(t, 1), Options{Outputs: []Output{{Path: file("taken.log")}}})
	defer other.Close()
	start(t, r)
	p := attach(t, path, "w")
	// Not to be touched: not pruned, and not rotated.
	for _, name := range []string{"b.log", "b.log.20260101T000000.000000000Z", "b.log.20260102T000000.000000000Z"} {
		if err := os.WriteFile(file(name), []byte("of before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	small := Output{Path: file("b.log"), Rotation: Rotation{Size: 1}, Rotated: upkeep.Settings{Keep: logfile.Retention{Count: 1}}}
	for i, bad := range [][]Output{
		nil,
		{{Path: file("b.log"), Format: format.Options{Name: "xml"}}},
		{small, {Path: dir}},
		{small, {Path: file("taken.log")}},
		{{Path: file("a.log")}, {Path: file("./a.log")}},
	} {
		if err := r.Reload(Options{Outputs: bad}); err == nil {
			t.Fatalf("reload %d was taken", i)
		}
		trial(t, p, 1, fmt.Sprint("record number ", i))
		until(t, "the record", func() bool { return r.Stats().Records == uint64(i)+1 })
	}
	if got := readFile(t, file("a.log")) + readFile(t, file("1.log")); got != numbers(0, 5)+numbers(0, 5) {
		t.Errorf("%q", got)
	}
	if names := backups(t, file("b.log")); len(names) != 2 {
		t.Errorf("rotated files of an output that was refused: %q", names)
	}
	// And what was opened for it is free again.
	drain(t, newRing(t, 1), Options{Outputs: []Output{{Path: file("b.log")}}})
	if out := r.OutputStats(); len(out) != 2 || out[0].Records != 5 || out[1].Records != 5 {
		t.Errorf("%+v", out)
	}
}

func TestAReloadRemediesAnOutputThatCannotBeOpenedAgain(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	out := filepath.Join(dir, "logs", "a.log")
	r, said := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: raw}}})
	start(t, r)
	p := attach(t, path, "w")
	say(t, p, "0")
	until(t, "0", func() bool { return r.Stats().Records == 1 })
	// The folder becomes a file.
	if err := os.Rename(filepath.Dir(out), filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Dir(out), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	say(t, p, "1") // finds out
	until(t, "trouble", func() bool { return said.count("output trouble") > 0 })
	if err := r.Reload(Options{Outputs: []Output{{Path: filepath.Join(dir, "b.log"), Format: raw}}}); err != nil {
		t.Fatal(err)
	}
	say(t, p, "2")
	until(t, "2", func() bool { return r.Stats().Records == 3 })
	if got := readFile(t, filepath.Join(dir, "old", "a.log")) + readFile(t, filepath.Join(dir, "b.log")); got != "0\n1\n2\n" {
		t.Errorf("%q", got)
	}
}

func TestReloadOfADrainThatIsNotRunningSaysSo(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	_, o := rawOut(t.TempDir())
	r, _ := openReader(t, path, o)
	if err := r.Reload(o); err == nil {
		t.Error("taken before Run")
	}
	finish := start(t, r)
	until(t, "Run", func() bool { return r.Reload(o) == nil })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(o); err == nil {
		t.Error("taken after Run")
	}
}

func TestAsManyOutputsAsStartCanBeLoadedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "default.ring")
	if err := ring.Create(path, ring.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fixed", "{trial}"} {
		var o Options
		for i := range maxOutputs {
			o.Outputs = append(o.Outputs, Output{Path: filepath.Join(dir, name, fmt.Sprint(i))})
		}
		r, _ := openReader(t, path, o)
		finish := start(t, r)
		until(t, "Run", func() bool { return !errors.Is(r.Reload(o), errNotRunning) })
		if err := r.Reload(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(finish(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
