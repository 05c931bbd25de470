//go:build linux && failpoints

package reader

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// The promise of a ring on disk, in a machine whose power may fail at any failpoint of
// workers and reader: see disk for what such a loss leaves. Everything runs in one
// goroutine, and so a seed is a run. These tests are not parallel: failpoint.Hook is
// there once.

// powerLoss is a run of workers and a reader, with losses of power all along.
type powerLoss struct {
	*disk
	policy Sync
	boot   int // counts the machine's boots

	number   map[string]int // by worker: records begun
	accepted []mark         // by every boot
	required map[mark]bool  // what must survive a loss now; of the moment of the last sync
	asked    map[mark]bool  // what will, if the sync under way ends
	strict   bool           // everything that was published is required, whatever was synced
	kept     map[mark]bool  // what was required at the loss that is next
	lively   *ring.Producer // logs while the reader works
	step     int

	hits     map[failpoint.Point]int
	losses   int
	missing  int
	clock    time.Time
	busy     bool // the hook is at work
	recovers bool // a loss is being recovered from
}

// mark is a record in an output.
type mark struct{ file, msg string }

func (m mark) String() string { return m.file + ": " + m.msg[:min(len(m.msg), 40)] }

// message is what worker's record n says, so that not a byte of it can be another's.
func message(worker string, n int) string {
	size := 20 + n*7919%2500
	part := fmt.Sprintf("%s/%d ", worker, n)
	return strings.Repeat(part, size/len(part)+1)
}

func newPowerLoss(t *testing.T, policy Sync, seed uint64) *powerLoss {
	t.Helper()
	// In memory, where a sync costs nothing; it is here that it means something.
	base := "/dev/shm"
	if _, err := os.Stat(base); err != nil {
		base = t.TempDir()
	}
	root, err := os.MkdirTemp(base, "ringlog-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	t.Logf("policy %v, seed %d", policy, seed)
	l := &powerLoss{
		disk:   &disk{t: t, rng: rand.New(rand.NewPCG(seed, 0)), root: root},
		policy: policy, number: map[string]int{}, hits: map[failpoint.Point]int{},
		required: map[mark]bool{}, clock: time.Now(),
	}
	l.must(os.MkdirAll(filepath.Join(l.live(), "out"), 0o700))
	l.must(ring.Create(filepath.Join(l.live(), "ring"), ring.CreateOptions{Lanes: 9, LaneSize: ring.MinLaneSize}))
	return l
}

// options are those of a drain in folder dir.
func (l *powerLoss) options(dir string) Options {
	o := Options{
		Outputs: []Output{
			{Path: filepath.Join(dir, "out", "all.log"), Format: format.Options{Name: "json"}},
			{Path: filepath.Join(dir, "out", "trades.log"), Format: format.Options{Name: "json"}, Loggers: []string{"trades"}},
		},
		Sync: l.policy, SyncEvery: time.Nanosecond, Until: UntilEmpty,
		Log: slog.New(slog.DiscardHandler),
	}
	rotating(&o, 20<<10, 0)
	return o
}

// hook is failpoint.Hook.
func (l *powerLoss) hook(p failpoint.Point) {
	if l.recovers || l.busy {
		return
	}
	l.busy = true
	defer func() { l.busy = false }()
	if l.lively != nil && p >= failpoint.DrainPrepare && p <= failpoint.DrainClear && l.rng.IntN(2) == 0 {
		l.log(l.lively, fmt.Sprint("b", l.boot, "live"), "app") // while the reader works
	}
	if l.reached(p) {
		l.required = l.asked
	}
	if p == failpoint.RingSync && l.atSync != nil {
		l.asked = l.promised()
	}
	rare := 100
	if testing.Short() {
		rare = 1000
	}
	if l.hits[p]++; l.hits[p] <= 2 || l.rng.IntN(rare) == 0 {
		l.lose(l.copy(), func() { l.recover(p) })
	}
	if p == failpoint.DrainCheck && l.step == 48 {
		l.lose(l.live(), func() {}) // of which copy has the last one now
		l.must(os.RemoveAll(l.next()))
		l.must(os.Rename(l.copy(), l.next()))
		l.kept = maps.Clone(l.required)
	}
	if l.strict && p == failpoint.DrainRotate {
		l.required, _ = l.outputs(l.live())
	}
}

// log appends the worker's next record.
func (l *powerLoss) log(w *ring.Producer, worker, logger string) {
	l.number[worker]++
	msg := message(worker, l.number[worker])
	e := record.Entry{Logger: logger, Message: msg}
	n, err := e.Size()
	l.must(err)
	payload := make([]byte, n)
	l.must(e.Encode(payload))
	if w.Append(payload, int16(record.LevelInfo), ring.KindLog) != nil {
		return // full, and counted
	}
	l.accepted = append(l.accepted, mark{"all", msg})
	if logger == "trades" {
		l.accepted = append(l.accepted, mark{"trades", msg})
	}
}

func (l *powerLoss) attach(label string) *ring.Producer {
	return attach(l.t, filepath.Join(l.live(), "ring"), label)
}

func (l *powerLoss) open() {
	r, err := newReader(filepath.Join(l.live(), "ring"), l.options(l.live()))
	l.must(err)
	l.t.Cleanup(func() { r.Close() })
	l.reader = r // before it is open: that syncs and rotates, too
	l.must(r.consumer.Guard(r.open))
}

// kill ends the reader where it stands.
func (l *powerLoss) kill() {
	l.must(l.reader.Close())
	l.reader = nil
}

// look makes one batch.
func (l *powerLoss) look() {
	l.clock = l.clock.Add(200 * time.Millisecond) // so that locks are tried
	look(l.t, l.reader, l.clock)
}

// run is one boot of the machine: everything that happens to a ring and its outputs.
func (l *powerLoss) run() {
	l.boot++
	l.begin()
	defer l.ring.Close()
	failpoint.Hook = l.hook
	defer func() { failpoint.Hook = nil }()
	name := func(who string) string { return fmt.Sprint("b", l.boot, who) }
	s := operate(l.t, filepath.Join(l.live(), "ring"))
	l.open()
	for range 3 {
		l.look() // lanes of an earlier boot become free
	}
	live, trades, closer, dead := l.attach(name("live")), l.attach(name("trades")), l.attach(name("closer")), l.attach(name("dead"))
	l.lively = live
	for i := range 60 {
		l.step = i
		for range 1 + l.rng.IntN(4) {
			l.log(live, name("live"), "app")
			l.log(trades, name("trades"), "trades")
		}
		switch i {
		case 10:
			lose(live, 3, ring.LostFull)
			l.log(closer, name("closer"), "app")
			l.must(closer.Close())
		case 15:
			l.log(dead, name("dead"), "trades")
			s.kill(dead)
		case 35: // somebody else renames an output
			out := filepath.Join(l.live(), "out", "all.log")
			l.must(os.Rename(out, fmt.Sprint(out, ".moved", l.boot)))
		case 20, 40:
			closer = l.attach(name("closer"))
			l.log(closer, name("closer"), "app")
			l.must(closer.Close())
		case 25: // killed in mid-batch: prepared, and in part written
			v := &victim{Reader: l.reader}
			l.reader.stopping = true
			collect(l.t, l.reader)
			v.writeUpTo(l.t, l.reader.batch(), 1000)
			l.kill()
			l.open()
		case 30: // and when it was applied
			v := &victim{Reader: l.reader}
			collect(l.t, l.reader)
			v.writeUpTo(l.t, l.reader.batch(), v.bytes())
			if l.policy == SyncBatch {
				for _, o := range l.reader.outputs {
					l.must(o.file.Sync())
				}
			}
			l.reader.consumer.MarkApplied()
			l.kill()
			l.open()
		}
		if i%3 != 0 {
			continue // a backlog
		}
		l.look()
		if l.policy == SyncInterval && i%9 == 0 {
			l.reader.syncDue(l.clock)
		}
	}
	l.must(l.reader.drainRest(context.Background()))
	l.kill()
	l.lively, l.recovers = nil, true // what remains is to let go of the lanes
	for _, p := range []*ring.Producer{live, trades, closer} {
		l.must(p.Close())
	}
	l.recovers = false
}

func (l *powerLoss) next() string { return filepath.Join(l.root, "next") }

// again boots the machine after a loss of power in the middle of the last run.
func (l *powerLoss) again() {
	l.must(os.RemoveAll(l.live()))
	l.must(os.Rename(l.next(), l.live()))
	l.required, l.accepted = l.kept, slices.Collect(maps.Keys(l.kept))
	l.run()
}

// elsewhere are the points that this workload may not reach, and why.
var elsewhere = map[failpoint.Point]string{
	failpoint.WakeReader:     "the reader never sleeps",
	failpoint.WaitFlag:       "nobody waits for room: the reader would have to come from another goroutine",
	failpoint.OwnPadding:     "no lane changes hands within 128 bytes of its end",
	failpoint.ReaderError:    "nothing fails, unless a loss of power damaged something",
	failpoint.LevelVersion:   "no rule is changed",
	failpoint.LevelRule:      "no rule is changed",
	failpoint.FilePrune:      "all files are kept, to be judged",
	failpoint.RotateAsk:      "nobody asks for a rotation",
	failpoint.RotateServe:    "nobody asks for a rotation",
	failpoint.ArchiveCompare: "nothing is compressed",
	failpoint.ArchiveCreate:  "nothing is compressed",
	failpoint.ArchiveWrite:   "nothing is compressed",
	failpoint.ArchiveSync:    "nothing is compressed",
	failpoint.ArchivePlace:   "nothing is compressed",
	failpoint.ArchiveClear:   "nothing is compressed",
	failpoint.ArchiveTidy:    "nothing is compressed",
	failpoint.HookStart:      "there is no hook",
	failpoint.OwnZero:        "in the second boot, if a lane of the first is claimed",
}

// syncs are the points that only a policy leads to.
var syncs = map[failpoint.Point]bool{
	failpoint.DrainSync: true, failpoint.RingSync: true, failpoint.FileSync: true, failpoint.DirSync: true,
}

func TestAPowerLossAtAnyFailpointKeepsWhatTheSyncPolicyPromises(t *testing.T) {
	for _, policy := range []Sync{SyncNone, SyncInterval, SyncBatch} {
		t.Run(policy.String(), func(t *testing.T) {
			l := newPowerLoss(t, policy, 1)
			l.run()
			l.again()
			for _, p := range failpoint.All() {
				if l.hits[p] == 0 && elsewhere[p] == "" && (policy != SyncNone || !syncs[p]) {
					t.Errorf("%v was never reached", p)
				}
			}
			t.Logf("%d losses of power", l.losses)
		})
	}
}

// A judge that cannot find anything proves nothing.
func TestAPowerLossWithoutSyncLosesWhatWasPublished(t *testing.T) {
	l := newPowerLoss(t, SyncNone, 1)
	l.strict = true
	l.run()
	if l.missing == 0 {
		t.Errorf("nothing was missing after %d losses of power", l.losses)
	}
}
