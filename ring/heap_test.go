package ring

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// heapFile stands for a ring file: its bytes, and who holds which lock.
type heapFile struct {
	head     Header
	front    []byte
	lanes    [][]byte
	mu       sync.Mutex
	holder   map[uint64]*heapBacking
	unlinked bool
}

// heapBacking is one open description of a heapFile. Like a process, it may die:
// then it loses its locks and nothing else happens.
type heapBacking struct {
	f *heapFile
	// beforeLock, if not nil, runs once, before the first lock is tried: what
	// others do between a look at a lane and the lock on it.
	beforeLock func()
	// step, if not nil, runs before and after each call: what others do while this
	// process is stopped there.
	step func()
}

// stop makes the two stops of a call: defer b.stop()().
func (b *heapBacking) stop() func() {
	if b.step == nil {
		return func() {}
	}
	b.step()
	return b.step
}

// testKey has all kinds of bytes, and low bits that stamps must not show.
const testKey = 0xfedc_ba98_7654_3217

// newHeapFile makes a ring on the heap. Lanes may be tiny: 1024 bytes are the
// least in which an owner record is not larger than an eighth.
func newHeapFile(t testing.TB, lanes int, laneSize uint64) *heapFile {
	t.Helper()
	h := newHeader(lanes, laneSize, time.Unix(1_700_000_000, 0))
	h.key = testKey
	f := &heapFile{head: h, front: make([]byte, h.LanesOffset), holder: map[uint64]*heapBacking{}}
	copy(f.front, h.encode())
	copy(f.front[h.TableOffset:], h.newTable())
	for range lanes {
		f.lanes = append(f.lanes, make([]byte, laneSize))
	}
	return f
}

func (f *heapFile) open() *heapBacking { return &heapBacking{f: f} }

// entry is the table entry of lane i, for looking at it and for damaging it.
func (f *heapFile) entry(i int) entry {
	off := f.head.entryOffset(i)
	return entry(f.front[off : off+laneEntrySize : off+laneEntrySize])
}

// snapshot is the file's whole content at an instant.
func (f *heapFile) snapshot() *heapFile {
	c := &heapFile{head: f.head, front: bytes.Clone(f.front), holder: map[uint64]*heapBacking{}}
	for _, l := range f.lanes {
		c.lanes = append(c.lanes, bytes.Clone(l))
	}
	return c
}

func (b *heapBacking) name() string     { return "heap" }
func (b *heapBacking) meta() []byte     { return b.f.front }
func (b *heapBacking) hasData(int) bool { return false }

func (b *heapBacking) lane(i int) ([]byte, error) {
	defer b.stop()()
	return b.f.lanes[i], nil
}

func (b *heapBacking) allocate(_ int, _ bool) error {
	defer b.stop()()
	return nil
}

func (b *heapBacking) sync() error {
	defer b.stop()()
	return nil
}

func (b *heapBacking) syncLane(int) error {
	defer b.stop()()
	return nil
}

func (b *heapBacking) tryLock(off uint64) (bool, error) {
	defer b.stop()()
	if others := b.beforeLock; others != nil {
		b.beforeLock = nil
		others()
	}
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	if h := b.f.holder[off]; h != nil && h != b {
		return false, nil
	}
	b.f.holder[off] = b
	return true, nil
}

func (b *heapBacking) unlock(off uint64) error {
	defer b.stop()()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	if b.f.holder[off] == b {
		delete(b.f.holder, off)
	}
	return nil
}

func (b *heapBacking) lockHeld(off uint64) (bool, error) {
	defer b.stop()()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	h := b.f.holder[off]
	return h != nil && h != b, nil
}

func (b *heapBacking) linked() (bool, error) {
	defer b.stop()()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	return !b.f.unlinked, nil
}

func (b *heapBacking) unlink() error {
	defer b.stop()()
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.unlinked = true
	return nil
}

func (b *heapBacking) close() error {
	b.die()
	return nil
}

// die drops every lock, as the kernel does when a process ends.
func (b *heapBacking) die() {
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	for off, h := range b.f.holder {
		if h == b {
			delete(b.f.holder, off)
		}
	}
}

// worker is a process with a lane.
type worker struct {
	*Producer
	process *heapBacking
}

func (f *heapFile) attach(t testing.TB, label string) *worker {
	t.Helper()
	b := f.open()
	p, err := attach(b, f.head, AttachOptions{Label: label})
	if err != nil {
		t.Fatalf("attaching %q: %v", label, err)
	}
	return &worker{p, b}
}

func (f *heapFile) consumer(t testing.TB) *Consumer {
	t.Helper()
	c, err := newConsumer(f.open(), f.head)
	if err != nil {
		t.Fatalf("opening the consumer: %v", err)
	}
	return c
}

func (f *heapFile) reader(t testing.TB, i int) (*Consumer, *Lane) {
	t.Helper()
	c := f.consumer(t)
	l, err := c.Lane(i)
	if err != nil {
		t.Fatal(err)
	}
	l.Owner()
	return c, l
}

func (w *worker) append(t testing.TB, payload string) {
	t.Helper()
	if err := w.Append([]byte(payload), 0, KindRaw); err != nil {
		t.Fatalf("appending %q: %v", payload, err)
	}
}

// fill appends a record that may take the whole lane (W10).
func (w *worker) fill(t testing.TB, payload string) {
	t.Helper()
	if err := w.Append([]byte(payload), WarningLevel, KindRaw); err != nil {
		t.Fatalf("appending %q: %v", payload, err)
	}
}

// got is what a reader found, in a form that tests can compare and print.
type got struct {
	Outcome   Outcome
	Pos, Next uint64
	Payload   string
}

func (it Item) got() got {
	g := got{it.Outcome, it.Position, it.Next, string(it.Payload)}
	if it.Kind == KindOwner {
		g.Payload = "owner"
	}
	return g
}

// finally reads the lane as a dead one, from its consumer position to its
// producer position, up to and without the end.
func finally(l *Lane) []got {
	p, _ := l.Progress()
	end, _ := l.Produced()
	return finallyFrom(l, p.Consumer, end)
}

func finallyFrom(l *Lane, pos, end uint64) (all []got) {
	l.Rewind(pos, end)
	for {
		it := l.Final(pos, end)
		if it.Outcome == OutcomeEnd {
			return all
		}
		all = append(all, it.got())
		pos = it.Next
	}
}

// lively reads the lane as a live one, as far as it goes; last is what it met there.
func lively(l *Lane) (all []got, last Item) {
	p, _ := l.Progress()
	end, _ := l.Produced()
	for pos := p.Consumer; ; {
		it := l.Live(pos, end)
		if it.Outcome != OutcomeRecord {
			return all, it
		}
		all = append(all, it.got())
		pos = it.Next
	}
}

// payloads is what the records say, without owner records, gaps and positions.
func payloads(all []got) (s []string) {
	for _, g := range all {
		if g.Outcome == OutcomeRecord && g.Payload != "owner" {
			s = append(s, g.Payload)
		}
	}
	return s
}

// drain publishes all that lane l holds up to its producer position, with its
// losses, and leaves the lane in state after. In a lane with a living owner it
// waits for appends under way, as every reader must.
func drain(t testing.TB, c *Consumer, l *Lane, after LaneState) {
	t.Helper()
	p, _ := l.Progress()
	from := p.Consumer
	p.Consumer, _ = l.Produced()
	for last := (Item{Outcome: OutcomeNotYet}); after == LaneOwned && last.Outcome == OutcomeNotYet; {
		_, last = lively(l)
	}
	lost := l.Lost()
	p.LostSeen = lost.Total()
	change := LaneChange{Lane: l.Index, Generation: l.Generation(), From: from, To: p, State: after}
	if err := c.Publish(&Batch{Lanes: []LaneChange{change}}); err != nil {
		t.Fatal(err)
	}
}

// image is the whole file as it would lie on disk.
func (f *heapFile) image() []byte {
	b := bytes.Clone(f.front)
	for _, l := range f.lanes {
		b = append(b, l...)
	}
	return b
}

// inspect looks at a copy of the file. Its lanes may be smaller than a header
// may say, so the header is not decoded.
func (f *heapFile) inspect(t testing.TB) *Inspector {
	t.Helper()
	in := &Inspector{name: "heap", r: bytes.NewReader(f.image()), ring: f.head}
	if err := in.Refresh(); err != nil {
		t.Fatal(err)
	}
	return in
}
