package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// Configurations of a drain that is reloaded again and again.
const (
	configBegin = "outputs:\n  - path: all.log\n    format: raw\n  - "
	configA     = configBegin + "path: a.log\n    format: raw\n"
	configB     = configBegin + "path: b.log\n    format: raw\n"
	configBad   = configBegin + "path: bad.log\n    formt: raw\n" // line 5, column 5
)

// At each SIGHUP there is another configuration file: one good, another good, a broken
// one. all.log is in all of them, and every record in one of a.log and b.log.
func TestAHundredReloadsUnderLoadCostAndRepeatNoRecordAndABrokenFileChangesNothing(t *testing.T) {
	t.Parallel()
	for name, rename := range map[string]bool{"the outputs stay": false, "the outputs are renamed, as by logrotate": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reloads := 100
			if testing.Short() {
				reloads = 20
			}
			d := newDaemon(t, 3)
			config := d.configure(configA)
			d.runUntilReady("--config", config)
			l, w := d.load(2, 20), d.worker("probe")

			now := "a.log" // where records go besides all.log
			probes := map[string][]string{}
			bad := 0
			for i := range reloads {
				if rename {
					for _, path := range []string{"all.log", now} {
						// It takes the drain up to a batch to notice that a file was renamed.
						d.until("the output is there", func() bool { return len(d.glob(path)) > 0 })
						d.rename(path, fmt.Sprintf("%s-%03d", path, i), i%2 == 0)
					}
				}
				switch i % 3 {
				case 0:
					d.configure(configB)
					now = "b.log"
				case 1:
					d.configure(configBad)
					bad++
				case 2:
					d.configure(configA)
					now = "a.log"
				}
				// The next signal is sent when this one was answered: of those that come at
				// once one is enough, and that would not be a hundred.
				d.signal(syscall.SIGHUP)
				d.until("the drain has reloaded, or said why not", func() bool {
					return d.says("ringlog: reloaded: draining to 2 outputs\n")+d.says("ringlog: not reloaded: outputs and settings stay as they were\n") == i+1
				})
				probe := fmt.Sprint("probe ", i)
				if err := w.Append(record.LevelInfo, []byte(probe)); err != nil {
					t.Fatal(err)
				}
				probes[now] = append(probes[now], probe)
				// Else the next configuration might send it elsewhere.
				d.until("the probe is drained", func() bool {
					return strings.Contains(d.read(d.glob(now+"*")...), probe+"\n")
				})
			}
			l.end()
			d.end()

			text, seen := map[string]string{}, map[string][]string{}
			for _, out := range []string{"all.log", "a.log", "b.log"} {
				names := append(d.glob(out+"-*"), d.glob(out)...)
				text[out], seen[out] = withoutProbes(d.read(names...))
			}
			l.wantEach("all.log", text["all.log"])
			l.wantEachSomewhere("a.log and b.log", text["a.log"]+text["b.log"])
			for out, want := range probes {
				if !slices.Equal(seen[out], want) {
					t.Errorf("%s has %q, want %q", out, seen[out], want)
				}
			}
			if got := len(seen["all.log"]); got != reloads {
				t.Errorf("all.log has %d probes, want %d", got, reloads)
			}
			mistake := fmt.Sprintf("ringlog: %s:5:5: unknown key \"formt\" in output 2: did you mean \"format\"?\nringlog: not reloaded: ", config)
			if got := d.says(mistake); got != bad {
				t.Errorf("the mistake was said %d times, want %d", got, bad)
			}
			if _, err := os.Stat(d.file("bad.log")); err == nil {
				t.Error("the output of the broken file was made")
			}
			t.Logf("%d records, %d probes", l.accepted[0]+l.accepted[1], reloads)
		})
	}
}

// rename does what logrotate does, with its option create or without: then the drain makes
// the next file.
func (d *daemon) rename(path, to string, create bool) {
	d.t.Helper()
	if err := os.Rename(d.file(path), d.file(to)); err != nil {
		d.t.Fatal(err)
	}
	if !create {
		return
	}
	f, err := os.OpenFile(d.file(path), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	f.Close()
}

// What it does when its terminal hangs up is shown in package e2e.
func TestARenamedOutputIsOpenedAgainAtSIGHUPBeforeAnythingIsLogged(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]bool{"there is none": false, "there is a new one": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDaemon(t, 1)
			d.runUntilReady("--out", "x.log", "--format", "raw")
			w := d.worker("w")
			log := func(text string) {
				t.Helper()
				if err := w.Append(record.LevelInfo, []byte(text)); err != nil {
					t.Fatal(err)
				}
				d.until(text+" is drained", func() bool { return strings.Contains(d.read(d.glob("x.log*")...), text) })
			}
			log("one")
			d.rename("x.log", "x.log.1", create)
			d.signal(syscall.SIGHUP)
			d.until("it has reloaded", func() bool { return d.says("ringlog: reloaded: draining to 1 output\n") == 1 })
			wantHeld(t, d.file("x.log"))
			log("two")
			d.end()
			if old, next := d.read(d.file("x.log.1")), d.read(d.file("x.log")); old != "one\n" || next != "two\n" {
				t.Errorf("%q is in the renamed file, and %q in the new one", old, next)
			}
		})
	}
}

func TestASIGHUPIsAnsweredFromTheMomentAtWhichTheDrainHasTheRing(t *testing.T) {
	t.Parallel()
	starts := 50
	if testing.Short() {
		starts = 10
	}
	d := newDaemon(t, 1)
	config := d.configure(configA)
	for i := range starts {
		before := 0
		if i > 0 {
			before = d.says("ringlog: reloaded: ")
		}
		d.configure(configA)
		if i%2 == 0 {
			d.runUntilReady("--config", config)
		} else {
			d.run("--config", config)
			for !d.hasRing() { // at once, while it opens its outputs
				d.wantRunning()
			}
		}
		d.configure(configB)
		d.signal(syscall.SIGHUP)
		d.until("it has reloaded", func() bool {
			if d.says("not reloaded") > 0 {
				t.Fatalf("it has refused to, at start %d", i)
			}
			return d.says("ringlog: reloaded: draining to 2 outputs\n") > before
		})
		wantHeld(t, d.file("b.log"))
		d.end()
	}
}

func TestAReloadThatComesTooLateIsNotSaidToHaveFailed(t *testing.T) {
	t.Parallel()
	ends := 30
	if testing.Short() {
		ends = 5
	}
	d := newDaemon(t, 1)
	for range ends {
		d.runUntilReady("--out", "x.log")
		for range 20 {
			d.signal(syscall.SIGHUP)
			d.signal(syscall.SIGHUP)
		}
		d.end()
	}
	if said := d.said(); strings.Contains(said, "not reloaded") || strings.Contains(said, "has ended") {
		t.Errorf("%s", said)
	}
}

// hasRing says whether the drain has locked the ring.
func (d *daemon) hasRing() bool {
	d.t.Helper()
	in, err := ring.Inspect(d.ring)
	if err != nil {
		d.t.Fatal(err)
	}
	defer in.Close()
	r := in.Reader()
	return r.Running && r.PID == d.Process.Pid
}

// withoutProbes takes the probes out of a text.
func withoutProbes(text string) (rest string, probes []string) {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "probe ") {
			probes = append(probes, strings.TrimSuffix(line, "\n"))
			continue
		}
		b.WriteString(line)
	}
	return b.String(), probes
}
