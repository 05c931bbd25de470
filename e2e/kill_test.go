package e2e

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
	"golang.org/x/sys/unix"
)

// notes are the last numbers that counters had accepted, in a file that they map.
type notes struct {
	path string
	m    []byte
}

func newNotes(t testing.TB, n int) *notes {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notes")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(8 * n)); err != nil {
		t.Fatal(err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, 8*n, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	return &notes{path: path, m: m}
}

func (n *notes) of(i int) uint64 { return binary.LittleEndian.Uint64(n.m[8*i:]) }

func label(i int) string { return fmt.Sprint("w", i) }

// counter starts counter number i.
func (n *notes) counter(t testing.TB, path string, i int) *process {
	t.Helper()
	return spawn(t, "count", path, label(i), n.path, fmt.Sprint(i))
}

// killSoon kills counter i at a random moment: of its whole life, or of its life
// as an appender.
func (n *notes) killSoon(t testing.TB, p *process, i int, rnd *rand.Rand) {
	t.Helper()
	if rnd.IntN(4) > 0 {
		until(t, "the first record of "+label(i), func() bool { return n.of(i) > 0 || !p.alive() })
	}
	time.Sleep(time.Duration(rnd.Int64N(int64(10 * time.Millisecond))))
	if !p.alive() {
		t.Errorf("%s ended by itself: %v: %s", label(i), p.err, p.errors.String())
	}
	p.kill()
}

// check compares what came out of killed and of living counters with the notes.
func (n *notes) check(t testing.TB, c *tally, killed func(i int) bool) (records uint64) {
	t.Helper()
	for i := range len(n.m) / 8 {
		noted, got := n.of(i), c.last[label(i)]
		records += noted
		if !killed(i) {
			if got != noted || c.vanished[label(i)] != 0 {
				t.Errorf("%s lives: %d of %d records, named as vanished %d times", label(i), got, noted, c.vanished[label(i)])
			}
			continue
		}
		if got != noted && got != noted+1 {
			t.Errorf("%s: %d records came out, %d were accepted", label(i), got, noted)
		}
		// Who was killed before it attached, or in mid-claim, has nothing to be missed by.
		if v := c.vanished[label(i)]; v > 1 || v == 0 && noted > 0 {
			t.Errorf("%s: named as vanished %d times", label(i), v)
		}
	}
	return records
}

func TestEveryAcceptedRecordOfKilledWorkersComesOut(t *testing.T) {
	t.Parallel()
	const atOnce, steady, lanes = 4, 2, 16
	kills := rounds(2000, 150)
	path, out := newRing(t, lanes), filepath.Join(t.TempDir(), "out.log")
	n := newNotes(t, kills+steady)
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{
		Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: 4 << 20}}}, Until: reader.UntilDetached,
	}))
	var survivors []*process
	for i := range steady {
		survivors = append(survivors, n.counter(t, path, kills+i))
	}
	for i := range steady {
		until(t, "the survivors", func() bool { return n.of(kills+i) > 0 })
	}
	t.Run("killed", func(t *testing.T) {
		for slot := range atOnce {
			t.Run(fmt.Sprint(slot), func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(uint64(slot), 3))
				for i := slot; i < kills && !t.Failed(); i += atOnce {
					n.killSoon(t, n.counter(t, path, i), i, rnd)
				}
			})
		}
	})
	for _, p := range survivors {
		p.signal(t, syscall.SIGTERM)
		p.finish(t)
	}
	r.finish(t)
	c := newTally(t, 1)
	lines := each(t, out, c.add)
	accepted := n.check(t, c, func(i int) bool { return i < kills })
	t.Logf("%d kills, %d records accepted, %d lines in %d files, %d torn, %d named", kills, accepted, lines, len(files(t, out)), c.torn, len(c.vanished))
}

// intentState is how far the transaction was that a killed reader had under way.
func intentState(t testing.TB, path string) ring.IntentState {
	t.Helper()
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	intent, err := in.Intent()
	if err != nil {
		t.Error(err) // no kill leaves one that cannot be understood
	}
	return intent.State
}

func TestAReaderKilledAtAnyMomentDeliversEveryRecordOnce(t *testing.T) {
	t.Parallel()
	const steady = 2
	kills := rounds(200, 20)
	path, dir := newRing(t, 16), t.TempDir()
	out, trades := filepath.Join(dir, "all.log"), filepath.Join(dir, "trades.log")
	n := newNotes(t, kills+steady)
	options := reader.Options{
		Outputs: []reader.Output{
			{Path: out, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: 1 << 20}},
			{Path: trades, Format: format.Options{Name: "json"}, Loggers: []string{"trades"}, Rotation: reader.Rotation{Size: 1 << 20}},
		},
	}
	var survivors []*process
	for i := range steady {
		survivors = append(survivors, n.counter(t, path, kills+i))
	}
	rnd := rand.New(rand.NewPCG(1, 4))
	left := map[ring.IntentState]int{} // what the killed readers were at
	for i := range kills {
		r := spawn(t, "drain", path, optionsJSON(t, options))
		w := n.counter(t, path, i) // killed too, so that there are lanes to repair
		if rnd.IntN(3) > 0 {
			r.line(t) // it drains
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(40 * time.Millisecond))))
		if !r.alive() {
			t.Fatalf("the reader ended by itself: %v: %s", r.err, r.errors.String())
		}
		if rnd.IntN(2) > 0 {
			w.kill()
		}
		r.kill()
		w.kill()
		left[intentState(t, path)]++
	}
	options.Until = reader.UntilDetached
	last := spawn(t, "drain", path, optionsJSON(t, options))
	last.line(t) // so that it finds somebody attached
	for _, p := range survivors {
		p.signal(t, syscall.SIGTERM)
		p.finish(t)
	}
	last.finish(t)
	c, routed := newTally(t, 1), newTally(t, 2)
	lines := each(t, out, c.add)
	accepted := n.check(t, c, func(i int) bool { return i < kills })
	each(t, trades, routed.add) // the even numbers only, and no markers
	for worker, last := range c.last {
		if got := routed.last[worker]; got != last&^1 {
			t.Errorf("trades has %s up to %d, not %d", worker, got, last&^1)
		}
	}
	t.Logf("%d kills (%d with a batch prepared, %d applied), %d records accepted, %d lines in %d files, %d torn, %d named", kills,
		left[ring.IntentPrepared], left[ring.IntentApplied], accepted, lines, len(files(t, out)), c.torn, len(c.vanished))
}
