package ring

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Consumer is the one reader of a ring. It holds the reader's lock from
// OpenConsumer to Close. It is not safe for concurrent use.
type Consumer struct {
	from  backing
	ring  Header
	boot  [16]byte
	lanes []*Lane // made when first asked for

	timelines map[[16]byte]*Timeline // by boot
	looked    uint64                 // the cycle counter when KeepTime looked at the clocks last
}

// OpenConsumer opens the ring at path, with a description of its own, and takes
// the reader's lock. A ring that an earlier reader was about to remove when it died
// is in use again from then on (O6). Errors: those of Attach, and
// *ReaderRunningError.
func OpenConsumer(path string) (*Consumer, error) {
	// Lanes are mapped read-only: a reader never has a reason to write there.
	f, err := openFile(path, mmap.RDONLY)
	if err != nil {
		return nil, err
	}
	c, err := newConsumer(f, f.head)
	if err != nil {
		f.close()
		return nil, err
	}
	return c, nil
}

func newConsumer(b backing, head Header) (*Consumer, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	c := &Consumer{
		from: b, ring: head, boot: boot, lanes: make([]*Lane, head.LaneCount), timelines: map[[16]byte]*Timeline{},
	}
	switch ok, err := b.tryLock(head.ControlOffset + ctlReader); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, &ReaderRunningError{Path: b.name(), PID: int(c.control(ctlReaderPID).load())}
	}
	switch ok, err := b.linked(); {
	case err != nil:
		return nil, err
	case !ok: // its last reader removed it while this one waited for the lock
		return nil, retiredError(b)
	}
	// Only who holds the reader's lock stores the mark, so whoever did is dead.
	c.Unretire()
	c.control(ctlReaderPID).store(failpoint.ReaderStart, uint64(os.Getpid()))
	c.control(ctlReaderStart).store(failpoint.ReaderStart, uint64(time.Now().UnixNano()))
	putBytes(failpoint.ReaderStart, b.meta()[head.ControlOffset+ctlReaderBootID:], boot[:])
	c.control(ctlReaderFutex).store(failpoint.ReaderFutex, futexAwake)
	c.Heartbeat()
	c.timelines[boot] = restore(c.anchors().load(boot), counterPace())
	c.KeepTime()
	return c, nil
}

func (c *Consumer) control(off uint64) *word {
	return wordAt(c.from.meta(), c.ring.ControlOffset+off)
}

// Ring is what the ring's header says. Path is the file's name.
func (c *Consumer) Ring() Header     { return c.ring }
func (c *Consumer) Path() string     { return c.from.name() }
func (c *Consumer) BootID() [16]byte { return c.boot }

// Heartbeat stores the time for whoever wants to know whether this reader runs.
func (c *Consumer) Heartbeat() {
	c.control(ctlReaderHeartbeat).store(failpoint.ReaderHeartbeat, uint64(time.Now().UnixNano()))
}

// ReportError stores err's text as the reader's last error, for ringlog stat. There is
// room for 256 bytes; a longer text is cut in its middle, since it begins with what was
// tried and ends with why it failed.
func (c *Consumer) ReportError(err error) {
	text := err.Error()
	const gap = " … "
	if half := (errorTextSize - len(gap)) / 2; len(text) > errorTextSize {
		text = strings.ToValidUTF8(text[:half]+gap+text[len(text)-half:], "?")
	}
	b := c.from.meta()[c.ring.ControlOffset:]
	c.control(ctlErrorLength).store(failpoint.ReaderError, 0)
	putBytes(failpoint.ReaderError, b[ctlErrorText:ctlErrorText+errorTextSize], []byte(text))
	c.control(ctlErrorTime).store(failpoint.ReaderError, uint64(time.Now().UnixNano()))
	c.control(ctlErrorCount).add(failpoint.ReaderError, 1)
	c.control(ctlErrorLength).store(failpoint.ReaderError, uint64(len(text)))
}

// CountError counts one more failure of what ReportError has told of.
func (c *Consumer) CountError() {
	c.control(ctlErrorTime).store(failpoint.ReaderError, uint64(time.Now().UnixNano()))
	c.control(ctlErrorCount).add(failpoint.ReaderError, 1)
}

// Sync makes the ring as it is now survive a power loss: what all processes stored
// in it, and its name. Where the ring lies in memory it does nothing. After an error
// nobody knows what is on disk, whatever the next Sync says.
func (c *Consumer) Sync() error { return c.from.sync() }

// State is the state of lane i, without mapping its memory: free lanes may have
// none (R5).
func (c *Consumer) State(i int) LaneState { return LaneState(c.entry(i).state().load()) }

// Pending says whether lane i has something to read behind pos.
func (c *Consumer) Pending(i int, pos uint64) bool {
	return c.entry(i).producer().load()&^closedBit != pos
}

func (c *Consumer) entry(i int) entry {
	off := c.ring.entryOffset(i)
	return entry(c.from.meta()[off : off+laneEntrySize : off+laneEntrySize])
}

// Lane returns lane i, mapping its memory at the first call. It must have been
// allocated: State(i) is not LaneFree. A *DamageError says that it was not.
func (c *Consumer) Lane(i int) (*Lane, error) {
	if c.lanes[i] == nil {
		e := c.entry(i)
		// The mark may be damaged; what lies in the file is the truth.
		if !e.allocated() && !c.from.hasData(i) {
			return nil, &DamageError{Path: c.Path(), Lane: i, Cause: fmt.Sprintf("its state is %v, but its memory was never allocated", c.State(i))}
		}
		b, err := c.from.lane(i)
		if err != nil {
			return nil, err
		}
		l := newLane(i, e, b, c.ring)
		l.from, l.boot = c.from, c.boot
		c.lanes[i] = l
	}
	return c.lanes[i], nil
}

func newLane(i int, e entry, memory []byte, head Header) *Lane {
	return &Lane{
		Index: i, entry: e, seed: laneSeed(head.key, i), lock: head.entryOffset(i),
		cursor: cursor{mem: newLaneMemory(memory, head.key, i)},
	}
}

// Sleep sleeps until a writer commits, until timeout has passed, or not at all
// if ready says, after the writers have been told, that there is work. It may
// return early.
func (c *Consumer) Sleep(timeout time.Duration, ready func() bool) {
	f := c.control(ctlReaderFutex)
	// Store, then look: a writer commits, then looks at this word. Sequential
	// consistency makes one of the two see the other (W9).
	f.store(failpoint.ReaderFutex, futexAsleep)
	barrier()
	if !ready() {
		futexWait(f, futexAsleep, timeout)
	}
	f.store(failpoint.ReaderFutex, futexAwake)
}

// Wake ends a Sleep of this process's consumer from another goroutine.
func (c *Consumer) Wake() { wakeReader(c.control(ctlReaderFutex)) }

func (c *Consumer) intent() intentArea {
	off := c.ring.IntentOffset
	return intentArea(c.from.meta()[off : off+c.ring.IntentLength : off+c.ring.IntentLength])
}

// Intent reads the intent that an earlier reader left. A *DamageError says that
// it cannot be understood.
func (c *Consumer) Intent() (Intent, error) { return c.intent().load(c.Path(), c.ring.LaneCount) }

// LastBatch is the number of the last batch that was prepared, by whatever reader;
// 0 if there was none.
func (c *Consumer) LastBatch() uint64 { return wordAt(c.intent(), intSlot).load() >> 1 }

// IntentRoom is how many bytes of IntentCost one batch may have.
func (c *Consumer) IntentRoom() uint64 { return uint64(len(c.intent().slot(0).body())) }

// Prepare writes b as the intent, in place of one that is prepared if there is
// one. ErrBatchTooLarge leaves everything as it was.
func (c *Consumer) Prepare(b *Batch) error { return c.intent().prepare(b) }

// SetWindow keeps a copy of p, piece number piece of what output number output
// of the prepared batch is about to get: at most PieceSize bytes.
func (c *Consumer) SetWindow(output, piece int, p []byte) { c.intent().setWindow(output, piece, p) }

// MarkApplied says that every output holds its part of the batch whole.
func (c *Consumer) MarkApplied() {
	c.intent().state().store(failpoint.IntentState, uint64(IntentApplied))
}

// ClearIntent says that nothing is under way.
func (c *Consumer) ClearIntent() { c.intent().state().store(failpoint.IntentState, uint64(IntentNone)) }

// Publish carries out the lane side of an applied batch, of this reader or of an
// earlier one. It skips what is done already and lanes that have another owner
// since, so that it may be repeated after a crash at any point (D4).
func (c *Consumer) Publish(b *Batch) error {
	deadline := time.Now().Add(settleTime)
	for i := range b.Lanes {
		if err := c.publishLane(&b.Lanes[i], deadline); err != nil {
			return err
		}
	}
	return nil
}

// settleTime is how long Publish waits for locks, over all lanes together; only a
// hostile intent takes that long.
const settleTime = time.Second

func (c *Consumer) publishLane(change *LaneChange, deadline time.Time) error {
	e := c.entry(change.Lane)
	if wordAt(e, lanGeneration).load() != change.Generation {
		return nil
	}
	// A lane can be claimed anew only when all of this is published. So if some
	// of it is not, the generation stays as it is while it is published here;
	// and if all of it is, nothing is stored, since a claimant may be at work.
	// A batch may carry a lane's losses or its damage alone, and then the position
	// says nothing; it is never moved back.
	p, _ := e.loadProgress()
	if p.Consumer <= change.To.Consumer && p != change.To {
		backlog := e.producer().load()&^closedBit - p.Consumer
		if w := wordAt(e, lanHighWater); backlog > w.load() && backlog <= c.ring.LaneSize {
			w.store(failpoint.PublishHighWater, backlog)
		}
		e.setProgress(change.To, laneSeed(c.ring.key, change.Lane))
	}
	// Store the position, then look at the flag; a writer does the reverse. Where an
	// earlier reader stored it, that may have died before it looked, or between the
	// flag's store and the call.
	if f := e.futex(); f.load() != futexAwake || p == change.To {
		f.store(failpoint.PublishWake, futexAwake)
		futexWake(f)
	}
	if change.State != LaneFree && change.State != LaneDamaged {
		return nil
	}
	return c.settle(e, change, deadline)
}

// settle stores the state of a lane whose owner is dead, last of all (D4): the
// moment it is free, another process may take it.
func (c *Consumer) settle(e entry, change *LaneChange, deadline time.Time) error {
	lock := c.ring.entryOffset(change.Lane)
	unsettled := func() bool {
		return LaneState(e.state().load()) != LaneFree && wordAt(e, lanGeneration).load() == change.Generation
	}
	// The lock of a lane that is still to be settled can only be held by a claimant
	// that looked before its last owner came: it looks again, and lets go.
	for {
		if !unsettled() {
			return nil
		}
		switch ok, err := c.from.tryLock(lock); {
		case err != nil:
			return err
		case !ok && time.Now().After(deadline):
			return nil
		case !ok:
			pause(100 * time.Microsecond)
			continue
		}
		if unsettled() {
			e.state().store(failpoint.PublishState, uint64(change.State))
		}
		return c.from.unlock(lock)
	}
}

// Guard runs f, which reads the ring, and turns a fault in the ring's memory into
// an error: somebody truncated the file under us (D10). Other panics go on.
func (c *Consumer) Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if fault, ok := r.(interface{ Addr() uintptr }); ok && c.holds(fault.Addr()) {
			err = fmt.Errorf("%w: %s changed its size while it was read", ErrTruncated, c.Path())
			return
		}
		panic(r)
	}()
	return f()
}

// holds says whether address lies in the ring's memory.
func (c *Consumer) holds(address uintptr) bool {
	in := func(b []byte) bool { return address-addressOf(b) < uintptr(len(b)) }
	if in(c.from.meta()) {
		return true
	}
	for _, l := range c.lanes {
		if l != nil && in(l.mem.bytes) {
			return true
		}
	}
	return false
}

// Close gives the reader's lock back and unmaps the ring; lanes got from c must
// not be used any more. Harmless when called twice.
func (c *Consumer) Close() error {
	return c.from.close()
}
