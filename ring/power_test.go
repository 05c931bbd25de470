package ring

import (
	"bytes"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// diskBacking is a ring that lies on a disk.
type diskBacking struct {
	*heapBacking
	data   bool         // what hasData says
	synced func(i int)  // when a lane is synced
	fail   func() error // of a sync
}

func (b *diskBacking) hasData(int) bool { return b.data }

func (b *diskBacking) syncLane(i int) error {
	b.synced(i)
	if b.fail != nil {
		return b.fail()
	}
	return nil
}

// Otherwise a second power loss could bring records of an earlier boot back, in a lane
// that says it is of this one.
func TestZerosOverWhatAnEarlierBootLeftAreOnDiskBeforeTheLaneSaysItIsOfThisBoot(t *testing.T) {
	t.Parallel()
	f, _, _, l := closedAndDrained(t, 1024)
	seed := laneSeed(testKey, 0)
	o, _ := f.entry(0).owner(seed)
	o.BootID[0] ^= 1
	f.entry(0).setOwner(&o, seed)
	l.mem.setStamp(failpoint.CommitStamp, o.Begin+1024, stateCommitted)
	syncs := 0
	b := &diskBacking{heapBacking: f.open(), data: true}
	b.synced = func(i int) {
		syncs++
		now, _ := f.entry(i).owner(seed)
		if now.Generation != o.Generation || now.BootID != o.BootID {
			t.Error("the lane has its new owner already")
		}
		if len(bytes.Trim(f.lanes[i], "\x00")) != 0 {
			t.Error("the lane is not zero yet")
		}
	}
	if _, err := attach(b, f.head, AttachOptions{}); err != nil || syncs != 1 {
		t.Fatalf("%d syncs, %v", syncs, err)
	}
}

func TestAClaimantWhoseZerosCannotBeSyncedGetsNoLane(t *testing.T) {
	t.Parallel()
	f, _, _, _ := closedAndDrained(t, 1024)
	seed := laneSeed(testKey, 0)
	o, _ := f.entry(0).owner(seed)
	o.BootID[0] ^= 1
	f.entry(0).setOwner(&o, seed)
	b := &diskBacking{heapBacking: f.open(), data: true, synced: func(int) {}, fail: func() error { return ErrNoSpace }}
	if _, err := attach(b, f.head, AttachOptions{}); err == nil {
		t.Fatal("attached")
	}
	f.attach(t, "another") // the lane's lock is free
}

// A power loss may keep a lane's memory, and of its entry only what it was when the
// ring was made.
func TestALaneThatHoldsDataButWasNeverMarkedIsZeroedBeforeItIsOwned(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "before")
	w.append(t, "of an earlier boot")
	lane := bytes.Clone(f.lanes[0])
	w.process.die()
	f = newHeapFile(t, 1, 1024)
	copy(f.lanes[0], lane)
	b := &diskBacking{heapBacking: f.open(), data: true, synced: func(int) {}}
	if _, err := attach(b, f.head, AttachOptions{Label: "after"}); err != nil {
		t.Fatal(err)
	}
	_, l := f.reader(t, 0)
	for _, pos := range l.Salvage(0) {
		if it, _ := l.At(pos); it.Kind != KindOwner {
			t.Errorf("%q is still there", it.Payload)
		}
	}
}

// A stamp and the length behind it may lie in two pages, of which one is older.
func TestNoLengthIsFollowedInALaneOfAnEarlierBoot(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 4096)
	w := f.attach(t, "w")
	claimed, err := w.Claim(16, 0, KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	w.append(t, "first")
	w.append(t, "second")
	// The length of an earlier lap, which leads past a record that is whole.
	put32(failpoint.ClaimLength, w.mem.bytes, (claimed.pos+recLength)&w.mem.mask, 16+40)
	w.process.die()
	seed := laneSeed(testKey, 0)
	o, _ := f.entry(0).owner(seed)
	o.BootID[0] ^= 1
	f.entry(0).setOwner(&o, seed)
	_, l := f.reader(t, 0)
	if !l.Aged() {
		t.Error("the lane is not of another boot")
	}
	if got := payloads(finally(l)); len(got) != 2 {
		t.Errorf("read %q", got)
	}
}
