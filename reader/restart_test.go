//go:build linux

package reader

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

// ofVictim are the lines of the victim's batch, in any order.
var ofVictim = []string{"[lost 2]", "[torn]", "[vanished]", "of closed", "of dead", "of live"}

// sorted is what is in a JSON output, in order of the alphabet; nothing if it is not there.
func sorted(t testing.TB, out string) []string {
	t.Helper()
	b, err := os.ReadFile(out)
	if err != nil || len(b) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(short(t, string(b)), "\n"), "\n")
	slices.Sort(lines)
	return lines
}

// A batch that was undone goes to the outputs that there are now; one that was applied
// is not written again, wherever.
func TestAReaderRestartedWithOtherOutputsDeliversABatchOnceToThose(t *testing.T) {
	t.Parallel()
	dirs := map[string]func(v *victim, dir string) []string{
		"fewer":         func(v *victim, _ string) []string { return v.outs[:1] },
		"more":          func(v *victim, dir string) []string { return append(slices.Clone(v.outs), filepath.Join(dir, "c.log")) },
		"another order": func(v *victim, _ string) []string { return []string{v.outs[1], v.outs[0]} },
		"others": func(_ *victim, dir string) []string {
			return []string{filepath.Join(dir, "c.log"), filepath.Join(dir, "new", "d.log")}
		},
		"64": func(v *victim, dir string) (outs []string) {
			for i := range ring.MaxOutputs - 1 {
				outs = append(outs, filepath.Join(dir, fmt.Sprintf("%02d.log", i)))
			}
			return append(outs, v.outs[0])
		},
	}
	for name, choose := range dirs {
		for _, written := range []int{0, 1, 300, 900, -1} { // -1: all of it, and applied
			t.Run(fmt.Sprintf("%s, %d bytes written", name, written), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, 0)
				b := v.batch()
				if written >= 0 {
					v.writeUpTo(t, b, written)
				} else {
					v.writeUpTo(t, b, v.bytes())
					v.consumer.MarkApplied()
				}
				if err := v.Close(); err != nil {
					t.Fatal(err)
				}
				outs := choose(v, t.TempDir())
				var o Options
				for _, out := range outs {
					o.Outputs = append(o.Outputs, Output{Path: out, Format: format.Options{Name: "json"}})
				}
				for range 2 {
					drain(t, v.path, o)
				}
				p := attach(t, v.path, "later")
				say(t, p, "later")
				drain(t, v.path, o)
				for _, out := range slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(outs), v.outs...)))) {
					var want []string
					old, now := slices.Contains(v.outs, out), slices.Contains(outs, out)
					if old {
						want = append(want, "before")
					}
					if written < 0 && old || written >= 0 && now {
						want = append(want, ofVictim...)
					}
					if now {
						want = append(want, "later")
					}
					slices.Sort(want)
					if got := sorted(t, out); !slices.Equal(got, want) {
						t.Errorf("%s: got %q, want %q", filepath.Base(out), got, want)
					}
				}
			})
		}
	}
}

// The intent names files by absolute paths.
func TestAReaderRestartedFromAnotherDirectoryUndoesWhatLiesInTheFirst(t *testing.T) {
	first, second, path := t.TempDir(), t.TempDir(), newRing(t, 1)
	o := Options{Outputs: []Output{{Path: "out.log", Format: format.Options{Name: "raw"}}, {Path: "logs/more.log", Format: format.Options{Name: "raw"}}}}
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprint("applied ", applied), func(t *testing.T) {
			p := attach(t, path, "w")
			t.Chdir(first)
			r, _ := openReader(t, path, o)
			sayNumbers(t, p, 0, 10)
			r.stopping = true
			collect(t, r)
			v := &victim{Reader: r}
			if applied {
				v.writeUpTo(t, r.batch(), v.bytes())
				r.consumer.MarkApplied()
			} else {
				v.writeUpTo(t, r.batch(), v.bytes()-10)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			t.Chdir(second)
			drain(t, path, o)
			here, there := numbers(0, 10), ""
			if applied {
				here, there = numbers(0, 10), numbers(0, 10) // here from the first time
			}
			for _, name := range []string{"out.log", "logs/more.log"} {
				if got := readFile(t, filepath.Join(second, name)); got != here {
					t.Errorf("%s where the second reader ran: %q", name, got)
				}
				if got := readFile(t, filepath.Join(first, name)); got != there {
					t.Errorf("%s where the first reader ran: %q", name, got)
				}
			}
			closeLane(t, p)
		})
	}
}

func TestOutputsForWhichTheIntentHasNoRoomAreRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	path, dir := filepath.Join(t.TempDir(), "large.ring"), t.TempDir()
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: 256 << 20}); err != nil {
		t.Fatal(err)
	}
	var o Options
	for i := range ring.MaxOutputs {
		o.Outputs = append(o.Outputs, Output{Path: filepath.Join(dir, fmt.Sprint(i))})
	}
	if _, err := Open(path, o); err == nil || !strings.Contains(err.Error(), "64 outputs are too many for this ring") {
		t.Errorf("got %v", err)
	}
	o.Outputs = o.Outputs[:4]
	openReader(t, path, o)
}
