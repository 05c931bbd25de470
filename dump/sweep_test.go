package dump

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/ring"
)

// victim is a ring's bytes, and where in them its undrained records lie.
type victim struct {
	bytes   []byte
	records map[string][2]int // by message: first byte and the byte behind
	drained map[string]bool   // messages that were drained before
}

// newVictim makes a ring with a lane that was closed with losses, a lane that
// wrapped, a lane whose owner died in mid-append, and one never used.
func newVictim(t *testing.T) *victim {
	path := newRing(t, 4)
	v := &victim{records: map[string][2]int{}, drained: map[string]bool{}}
	wraps := attach(t, path, "wraps")
	say(t, wraps, "wraps", 0, 700)
	early := filepath.Join(t.TempDir(), "early")
	if _, err := drain(path, early); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(image(t, early))) {
		v.drained[strings.TrimSuffix(line, "\n")] = true
	}
	say(t, wraps, "wraps", 700, 800)
	closed, dead := attach(t, path, "closed"), attach(t, path, "dead")
	say(t, closed, "closed", 0, 10)
	closed.CountLost(ring.LostFull, 0)
	say(t, closed, "closed", 10, 40)
	closed.CountLost(ring.LostTooLarge, 0)
	closeLane(t, closed)
	closeLane(t, wraps)
	say(t, dead, "dead", 0, 20)
	unfinished, err := dead.Claim(100, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	say(t, dead, "dead", 20, 40)
	v.bytes = image(t, path)
	dead.Commit(unfinished) // so that the lane can be given back

	in, err := inspectBytes(v.bytes)
	if err != nil {
		t.Fatal(err)
	}
	for l := range Scan(in, Options{}).Lines() {
		if l.Marker != nil {
			continue
		}
		at := lanesOffset + l.Origin.Lane*laneSize + int(l.Position%laneSize)
		v.records[string(l.Record.Message())] = [2]int{at, at + 32 + (len(l.Record.Message())+7)&^7}
	}
	if got := len(v.records); got != 100+40+40 {
		t.Fatalf("%d records are undrained, want 180", got)
	}
	if got := in.Ring().LanesOffset; got != lanesOffset {
		t.Fatalf("lanes begin at %d", got)
	}
	return v
}

// The lane table of a ring with a few lanes, and its entries.
const (
	table     = 384 << 10
	entrySize = 1 << 10
)

// places are where a byte is flipped: all of the header's checked part, of the
// control area and the intent area in use, of the used entries of the lane table,
// and of the first records of each lane and its end; and a sample of the rest.
func (v *victim) places() []int {
	set := map[int]bool{}
	add := func(from, n, step int) {
		for i := from; i < from+n; i += step {
			set[i] = true
		}
	}
	add(0, 256, 1)
	add(4096, 0x400, 5)
	add(64<<10, 0x140, 1)
	add(table, 3*entrySize, 1)
	add(table+3*entrySize, entrySize, 31)
	for lane := range 3 {
		at := lanesOffset + lane*laneSize
		add(at, 300, 1)
		add(at+laneSize-100, 100, 1)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		set[lanesOffset+random.IntN(3*laneSize)] = true
		set[random.IntN(lanesOffset)] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// check says what is wrong with what came out of the ring with byte at flipped,
// or "". noticed: more was reported than without the flip.
func (v *victim) check(at int, got []string, noticed bool) string {
	count := make(map[string]int, len(got))
	for _, m := range got {
		count[m]++
		if _, ok := v.records[m]; !ok && !v.drained[m] {
			return fmt.Sprintf("%q came out, which nobody logged", m)
		}
	}
	missing := 0
	for m, span := range v.records {
		hit := span[0] <= at && at < span[1]
		switch n := count[m]; {
		case n > 1:
			return fmt.Sprintf("%q came out %d times", m, n)
		case n == 0 && !hit:
			missing++
		case n == 0 && !noticed:
			return fmt.Sprintf("%q did not come out, without a word", m)
		}
	}
	if missing > 0 {
		return fmt.Sprintf("%d whole records did not come out", missing)
	}
	return ""
}

func TestDumpGivesEveryWholeRecordWhenAByteIsFlipped(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	places := v.places()
	b := bytes.Clone(v.bytes)
	for i, at := range places {
		b[at] ^= 1 << (at % 8)
		in, err := inspectBytes(b)
		switch {
		case at < 256:
			if err == nil {
				t.Errorf("byte %#x of the header flipped, and the ring was opened", at)
			}
		case err != nil:
			t.Errorf("byte %#x flipped: %v", at, err)
		default:
			d := Scan(in, Options{})
			got := messages(d)
			// The unfinished record of the dead lane is always there.
			if wrong := v.check(at, got, len(d.Issues()) > 2); wrong != "" {
				t.Errorf("byte %#x flipped: %s", at, wrong)
			}
			if i%16 == 0 {
				messages(Scan(in, Options{All: true})) // must end
			}
		}
		b[at] = v.bytes[at]
	}
	t.Logf("%d bytes flipped", len(places))
}

func TestDrainGivesEveryWholeRecordWhenAByteIsFlipped(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	dir := t.TempDir()
	path, out := filepath.Join(dir, "r"), filepath.Join(dir, "out")
	n := 0
	for i, at := range v.places() {
		if i%5 != 0 {
			continue
		}
		n++
		b := bytes.Clone(v.bytes)
		b[at] ^= 1 << (at % 8)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		stats, err := drain(path, out)
		switch {
		case at < 256:
			if err == nil {
				t.Errorf("byte %#x of the header flipped, and the ring was drained", at)
			}
		case err != nil:
			t.Errorf("byte %#x flipped: %v", at, err)
		default:
			got := strings.Split(strings.TrimSuffix(string(image(t, out)), "\n"), "\n")
			if wrong := v.check(at, got, stats.Torn+stats.Damaged > 1); wrong != "" {
				t.Errorf("byte %#x flipped: %s", at, wrong)
			}
		}
		os.Remove(path)
		os.Remove(out)
	}
	t.Logf("%d bytes flipped", n)
}
