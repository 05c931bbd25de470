package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// ringsWith are rings on the heap, in states that claimants may meet.
var ringsWith = map[string]func(t *testing.T) *heapFile{
	"lanes never used": func(t *testing.T) *heapFile { return newHeapFile(t, 2, 1024) },
	"a closed lane": func(t *testing.T) *heapFile {
		f, _, c, _ := closedAndDrained(t, 1024)
		c.Close()
		return f
	},
	"a lane of a claimant that died": func(t *testing.T) *heapFile {
		f := newHeapFile(t, 1, 1024)
		end := f.head.ownerEnd(0)
		wordAt(f.entry(0), lanAllocated).store(failpoint.OwnIdentity, 1)
		f.entry(0).producer().store(failpoint.OwnIdentity, end)
		return f
	},
}

// remove removes the ring behind b as a reader does: it says whether it could.
func remove(t *testing.T, f *heapFile, b backing, read *judge) bool {
	t.Helper()
	c, err := newConsumer(b, f.head)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ok, err := c.Retire()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return false
	}
	d := drainer{c: c, judge: *read}
	var batch Batch
	for range 3 { // what there was, dead owners, and nothing
		if _, err = d.round(&batch); err != nil {
			t.Fatal(err)
		}
	}
	if c.Undrained() != "" {
		c.Unretire()
		return false
	}
	if err := c.Unlink(); err != nil {
		t.Fatal(err)
	}
	return true
}

func (f *heapFile) retired() bool {
	return wordAt(f.front, f.head.ControlOffset+ctlRetired).load() == markRetired
}

// O6: whichever step of a claimant the whole removal falls on, it is refused or the
// claimant is.
func TestClaimantStoppedAtAnyStepNeverOwnsALaneOfARemovedRing(t *testing.T) {
	t.Parallel()
	for name, make := range ringsWith {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, gone := 0, 0
			for step, done := 0, false; !done; step++ {
				synctest.Test(t, func(t *testing.T) { // the removal waits for the claimant's lock in vain
					f, steps, removed := make(t), 0, false
					b := f.open()
					b.step = func() {
						if steps++; steps == step+1 {
							removed = remove(t, f, f.open(), &judge{map[int]int{}})
						}
					}
					p, err := attach(b, f.head, AttachOptions{Label: "late"})
					if done = steps <= step; done {
						return
					}
					switch {
					case removed && (p != nil || !errors.Is(err, ErrRetired)):
						t.Errorf("step %d: it owns lane %v of a removed ring, error %v", step, p, err)
					case !removed && (p == nil || f.retired() || len(f.holder) != 1):
						t.Errorf("step %d: the ring stayed, with the mark %v, %d locks, error %v", step, f.retired(), len(f.holder), err)
					case removed:
						gone++
					default:
						kept++
					}
				})
			}
			if kept == 0 || gone == 0 {
				t.Errorf("removed %d times, kept %d times", gone, kept)
			}
		})
	}
}

// The words of a lane change under its lock, after the look at the mark. A lane that
// its claimant has not yet stored into is a closed one like others.
func TestNoRingIsRemovedWhileAClaimantStandsBeforeAnyOfItsStores(t *testing.T) {
	t.Parallel()
	states := map[LaneState]bool{}
	for x := uint64(0); x <= laneEntrySize; x += 8 {
		for half := range 3 {
			f, _, c, _ := closedAndDrained(t, 8192)
			c.Close()
			before, from := f.splitAt(t, x)
			f.lanes[0] = append(pages(t, 8192)[:0], f.lanes[0]...)
			target := [][]byte{before, from, f.lanes[0]}[half]
			b, remover := f.open(), f.open()
			protect(t, target, true)
			_, stopped := dies(func() { attach(b, f.head, AttachOptions{Label: "claimant"}) })
			protect(t, target, false)
			if !stopped {
				continue
			}
			states[LaneState(f.entry(0).state().load())] = true
			synctest.Test(t, func(t *testing.T) { // it waits for the lock in vain
				if remove(t, f, remover, &judge{map[int]int{}}) || f.retired() || len(f.holder) != 1 {
					t.Errorf("split %#x, half %d: removed %v, mark %v, %d locks", x, half, f.unlinked, f.retired(), len(f.holder))
				}
			})
		}
	}
	if !states[LaneClosed] || !states[LaneFree] {
		t.Errorf("stopped in states %v only", states)
	}
}

// The other way round: at any step of the removal a whole worker comes, logs, and
// stays, closes or dies.
func TestWorkerThatComesAtAnyStepOfARemovalIsRefusedOrReadOrKeepsTheRing(t *testing.T) {
	t.Parallel()
	ends := map[string]func(t *testing.T, w *Producer, b *heapBacking){
		"stays":  func(*testing.T, *Producer, *heapBacking) {},
		"closes": func(t *testing.T, w *Producer, _ *heapBacking) { w.Close() },
		"dies":   func(_ *testing.T, _ *Producer, b *heapBacking) { b.die() },
	}
	for name, make := range ringsWith {
		for end, do := range ends {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				outcomes := map[string]int{}
				for step, done := 0, false; !done; step++ {
					f, steps := make(t), 0
					b, other := f.open(), f.open()
					var p *Producer
					b.step = func() {
						if steps++; steps != step+1 {
							return
						}
						var err error
						if p, err = attach(other, f.head, AttachOptions{}); err != nil {
							if !errors.Is(err, ErrRetired) {
								t.Fatal(err)
							}
							return
						}
						if err := p.Append(message(rand.New(rand.NewPCG(1, 1)), 7, 0, 20), 0, KindRaw); err != nil {
							t.Fatal(err)
						}
						do(t, p, other)
					}
					read := judge{map[int]int{}}
					removed := remove(t, f, b, &read)
					if done = steps <= step; done {
						break
					}
					_, alive := f.holder[f.head.entryOffset(0)]
					switch {
					case p == nil:
						outcomes["refused"]++
						if !removed {
							t.Errorf("step %d: refused, and the ring stayed", step)
						}
					case removed:
						outcomes["read"]++
						if read.next[7] != 1 || alive {
							t.Errorf("step %d: removed with %d of 1 records read, its owner alive: %v", step, read.next[7], alive)
						}
					default:
						outcomes["kept"]++
						if f.retired() || f.unlinked {
							t.Errorf("step %d: kept, with the mark %v, unlinked %v", step, f.retired(), f.unlinked)
						}
					}
				}
				if outcomes["refused"] == 0 || (end == "stays") != (outcomes["kept"] > 0) || (end != "stays") != (outcomes["read"] > 0) {
					t.Errorf("outcomes %v", outcomes)
				}
			})
		}
	}
}

func TestRetireIsRefusedByALivingOwnerAndLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 3, 1024)
	first, second := f.attach(t, "first"), f.attach(t, "second")
	c := f.consumer(t)
	before := f.snapshot()
	if ok, err := c.Retire(); ok || err != nil {
		t.Errorf("retired %v, %v", ok, err)
	}
	if len(f.holder) != 3 || string(f.front) != string(before.front) {
		t.Errorf("%d locks, or bytes changed", len(f.holder))
	}
	if who := c.Attached(); len(who) != 2 || who[0].Label != "first" || who[1].Label != "second" {
		t.Errorf("attached: %+v", who)
	}
	first.process.die()
	second.Close()
	if ok, err := c.Retire(); !ok || err != nil || !f.retired() {
		t.Errorf("retired %v, %v", ok, err)
	}
	c.Unretire()
	f.attach(t, "third")
}

func TestRetireWaitsForWhoeverIsBetweenTwoStepsAndNotForEver(t *testing.T) {
	t.Parallel()
	for _, state := range []LaneState{LaneFree, LaneClosed} {
		synctest.Test(t, func(t *testing.T) {
			f := newHeapFile(t, 3, 1024)
			c, other := f.consumer(t), f.open()
			f.entry(1).state().store(failpoint.OwnIdentity, uint64(state))
			lock := f.head.entryOffset(1)
			other.tryLock(lock)
			if ok, err := c.Retire(); ok || err != nil || f.retired() || len(f.holder) != 2 {
				t.Errorf("%v, never unlocked: retired %v, %v, mark %v, %d locks", state, ok, err, f.retired(), len(f.holder))
			}
			retired := make(chan bool)
			go func() {
				ok, err := c.Retire()
				retired <- ok && err == nil
			}()
			synctest.Wait()
			other.unlock(lock)
			if !<-retired {
				t.Errorf("%v, unlocked in time: not retired", state)
			}
		})
	}
}

func TestUndrainedSaysWhatARetiredRingStillHolds(t *testing.T) {
	t.Parallel()
	for want, prepare := range map[string]func(c *Consumer, l *Lane, w *worker){
		"": func(c *Consumer, l *Lane, w *worker) {
			w.Close()
			drain(t, c, l, LaneClosed)
		},
		"lane 0 is not drained to its dead owner's end":           func(_ *Consumer, _ *Lane, w *worker) { w.process.die() },
		"lane 0 is closed and holds records that are not drained": func(_ *Consumer, _ *Lane, w *worker) { w.Close() },
		"lane 0 is unknown 0x0000000000000005 and holds records that are not drained": func(_ *Consumer, l *Lane, w *worker) {
			w.process.die()
			l.entry.state().store(failpoint.OwnIdentity, 5)
		},
		"lane 0 lost 1 records that are not in the log yet": func(c *Consumer, l *Lane, w *worker) {
			w.CountLost(LostFull, 0)
			w.Close()
			p, _ := l.Progress()
			p.Consumer, _ = l.Produced()
			c.Publish(&Batch{Lanes: []LaneChange{{Generation: 1, To: p, State: LaneClosed}}})
		},
		"a batch is not finished": func(c *Consumer, l *Lane, w *worker) {
			w.Close()
			drain(t, c, l, LaneClosed)
			c.Prepare(&Batch{Number: 1})
		},
	} {
		f := newHeapFile(t, 2, 1024)
		w := f.attach(t, "w")
		w.append(t, "of w")
		c, l := f.reader(t, 0)
		prepare(c, l, w)
		if got := c.Undrained(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDamagedLaneDoesNotKeepARing(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	w.append(t, "of w")
	c, l := f.reader(t, 0)
	w.process.die()
	drain(t, c, l, LaneDamaged)
	if got := c.Undrained(); got != "" {
		t.Error(got)
	}
}

func TestReaderClearsTheMarkOfOneThatDiedBeforeItUnlinked(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	b := f.open()
	c, err := newConsumer(b, f.head)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := c.Retire(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	b.die()
	if _, err := attach(f.open(), f.head, AttachOptions{}); !errors.Is(err, ErrRetired) {
		t.Errorf("attached before a reader came: %v", err)
	}
	f.consumer(t)
	f.attach(t, "after")
}

func TestReaderThatComesAfterTheUnlinkIsRefused(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	if !remove(t, f, f.open(), &judge{map[int]int{}}) {
		t.Fatal("not removed")
	}
	if _, err := newConsumer(f.open(), f.head); !errors.Is(err, ErrRetired) || !f.retired() {
		t.Errorf("error %v, mark %v", err, f.retired())
	}
}

func TestUnlinkRemovesTheNameOnlyIfItIsStillTheRings(t *testing.T) {
	t.Parallel()
	open := func(path string) *Consumer {
		t.Helper()
		if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
			t.Fatal(err)
		}
		c, err := OpenConsumer(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	path := filepath.Join(t.TempDir(), "r")
	renamed := open(path)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := renamed.Unlink(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("renamed: %v", err)
	}
	c := open(path)
	if err := renamed.Unlink(); err == nil {
		t.Error("another ring's name was removed")
	}
	for range 2 {
		if err := c.Unlink(); err != nil {
			t.Error(err)
		}
	}
	if names, _ := os.ReadDir(filepath.Dir(path)); fmt.Sprint(names) != "[- r.away]" {
		t.Errorf("left: %v", names)
	}
}

func TestDiscardRemovesARingUnlessItHoldsSomething(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(p *Producer) error
		kept   bool
	}{
		"nobody was there":      {nil, false},
		"a worker is attached":  {func(*Producer) error { return nil }, true},
		"a worker was attached": {func(p *Producer) error { return errors.Join(p.Append([]byte("m"), 0, KindRaw), p.Close()) }, true},
	} {
		path := filepath.Join(t.TempDir(), "r")
		if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
			t.Fatal(err)
		}
		if c.before != nil {
			p, err := Attach(path, AttachOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if err := c.before(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := Discard(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); (err == nil) != c.kept {
			t.Errorf("%s: %v, want it kept: %v", name, err, c.kept)
		}
		if c.kept {
			if _, err := Attach(path, AttachOptions{}); errors.Is(err, ErrRetired) {
				t.Errorf("%s: the mark stays", name)
			}
		}
	}
}
