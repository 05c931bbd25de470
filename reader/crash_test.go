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
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

// A killed reader leaves the ring and the files as they are at that instant; its
// locks are gone. So a reader whose steps are made one by one and that is then
// closed, which stores nothing, is a reader killed after the last of them.

// victim is a reader with a batch of records, losses, a torn record and a dead
// owner for two outputs, collected and not committed.
type victim struct {
	*Reader
	path string
	outs []string
	opts Options
}

func newVictim(t testing.TB, size int) *victim {
	t.Helper()
	path, dir := newRing(t, 3), t.TempDir()
	v := &victim{path: path, outs: []string{filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")}}
	for _, out := range v.outs {
		v.opts.Outputs = append(v.opts.Outputs, Output{Path: out, Format: format.Options{Name: "json"}})
	}
	s := operate(t, path)
	live, closed, dead := attach(t, path, "live"), attach(t, path, "closed"), attach(t, path, "dead")
	say(t, live, "before")
	drain(t, path, v.opts)
	say(t, live, "of live")
	say(t, closed, "of closed")
	lose(closed, 2, ring.LostFull)
	closeLane(t, closed)
	for n := 0; n < size; n += 4000 {
		say(t, dead, strings.Repeat("x", 4000))
	}
	torn := s.produced(dead)
	say(t, dead, "torn", "of dead")
	s.kill(dead)
	s.tear(dead.Lane(), torn)
	v.Reader, _ = openReader(t, path, v.opts)
	v.stopping = true
	collect(t, v.Reader)
	return v
}

// check drains what the victim left, twice, and looks for each line in each output
// exactly once. Another process claims and uses the lanes that are free meanwhile,
// if claim is set.
func (v *victim) check(t testing.TB, size int, claim bool) {
	t.Helper()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"before", "of live", "of closed", "[lost 2]", "[torn]", "of dead", "[vanished]"}
	for n := 0; n < size; n += 4000 {
		want = append(want, strings.Repeat("x", 4000))
	}
	if claim {
		for {
			p, err := ring.Attach(v.path, ring.AttachOptions{Label: "next"})
			if err != nil {
				break
			}
			defer p.Close()
			say(t, p, fmt.Sprint("of next in ", p.Lane()))
			want = append(want, fmt.Sprint("of next in ", p.Lane()))
		}
	}
	for range 2 {
		drain(t, v.path, v.opts)
	}
	slices.Sort(want)
	for _, out := range v.outs {
		got := strings.Split(strings.TrimSuffix(short(t, readFile(t, out)), "\n"), "\n")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %.300q, want %.300q", out, got, want)
		}
	}
}

// writeUpTo prepares the batch and writes n bytes of all that goes to the outputs.
func (v *victim) writeUpTo(t testing.TB, b *ring.Batch, n int) {
	t.Helper()
	if err := v.consumer.Prepare(b); err != nil {
		t.Fatal(err)
	}
	for i, o := range v.outputs {
		for start := 0; start < len(o.buf) && n >= 0; start += logfile.PieceSize {
			piece := o.buf[start:min(start+logfile.PieceSize, len(o.buf))]
			v.consumer.SetWindow(i, start/logfile.PieceSize, piece)
			if _, err := o.file.Write(piece[:min(n, len(piece))]); err != nil {
				t.Fatal(err)
			}
			if n -= len(piece); n < 0 {
				return
			}
		}
	}
}

func (v *victim) bytes() (n int) {
	for _, o := range v.outputs {
		n += len(o.buf)
	}
	return n
}

func TestAReaderKilledInAnyWriteLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	probe := newVictim(t, 0)
	total := probe.bytes()
	probe.check(t, 0, false)
	step := 3
	if testing.Short() {
		step = 101
	}
	t.Run("all", func(t *testing.T) {
		for n := 0; n < total+step; n += step { // the last is the whole
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, 0)
				v.writeUpTo(t, v.batch(), n)
				v.check(t, 0, false)
			})
		}
	})
}

func TestAReaderKilledBetweenAnyTwoPiecesLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	const size, piece = 2 * logfile.PieceSize / 3, logfile.PieceSize
	probe := newVictim(t, size)
	first := len(probe.outputs[0].buf)
	total := probe.bytes()
	probe.check(t, size, false)
	for _, n := range []int{1, piece / 2, piece - 1, piece, piece + 1, first - 1, first, first + 1, first + piece/3, total - 1, total} {
		if n > total {
			continue
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, size)
			v.writeUpTo(t, v.batch(), n)
			v.check(t, size, false)
		})
	}
}

func TestAReaderKilledAfterAnyLaneIsPublishedLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	for lanes := range 4 {
		for _, claim := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d lanes, claimed anew %v", lanes, claim), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, 0)
				b := v.batch()
				v.writeUpTo(t, b, v.bytes())
				v.consumer.MarkApplied()
				part := *b
				part.Lanes = b.Lanes[:lanes]
				if err := v.consumer.Publish(&part); err != nil {
					t.Fatal(err)
				}
				v.check(t, 0, claim)
			})
		}
	}
}

// The words of a lane are stored one by one too: check, delivered, torn, sequence,
// damaged, lost-seen, consumer.
func TestAReaderKilledBetweenAnyTwoWordsOfALaneLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	order := []uint64{lanCheck, 0x310, 0x318, 0x320, 0x328, 0x308, lanConsumer}
	for lane := range 3 {
		for n := range len(order) + 1 {
			t.Run(fmt.Sprintf("lane %d, %d words", lane, n), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, 0)
				b := v.batch()
				v.writeUpTo(t, b, v.bytes())
				v.consumer.MarkApplied()
				// What the words will be, a finished publication says; then those
				// behind the first n get their old values back.
				s := operate(t, v.path)
				var old [7]uint64
				for i, field := range order {
					old[i] = s.word(s.at(lane, field))
				}
				state := s.word(s.at(lane, lanState))
				part := *b
				part.Lanes = slices.DeleteFunc(slices.Clone(b.Lanes), func(c ring.LaneChange) bool { return c.Lane != lane })
				if err := v.consumer.Publish(&part); err != nil {
					t.Fatal(err)
				}
				s.set(s.at(lane, lanState), state)
				for i := n; i < len(order); i++ {
					s.set(s.at(lane, order[i]), old[i])
				}
				v.check(t, 0, n == len(order))
			})
		}
	}
}

// The output is removed in mid-batch, the batch begun anew in another file, and the
// reader killed in the middle of that.
func TestAReaderKilledWhileItRewritesARemovedOutputLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 100, 500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, 0)
			b := v.batch()
			first := len(v.outputs[0].buf)
			v.writeUpTo(t, b, first+40) // the first is whole, the second begun
			if err := os.Remove(v.outs[1]); err != nil {
				t.Fatal(err)
			}
			if err := v.rewrite(v.outputs[1], 1, b); err != nil {
				t.Fatal(err)
			}
			v.consumer.SetWindow(1, 0, v.outputs[1].buf)
			if _, err := v.outputs[1].file.Write(v.outputs[1].buf[:n]); err != nil {
				t.Fatal(err)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			drain(t, v.path, v.opts)
			a, second := short(t, readFile(t, v.outs[0])), short(t, readFile(t, v.outs[1]))
			if a != "before\n"+second { // only what was removed is missing
				t.Errorf("first %q, second %q", a, second)
			}
		})
	}
}
