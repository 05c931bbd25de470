package ring

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/edsrzf/mmap-go"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// AttachOptions say how a process presents itself in its lane.
type AttachOptions struct {
	// Label names the worker in the log. At most 112 bytes of valid UTF-8; a
	// longer one is cut, invalid bytes are replaced.
	Label string
	// SingleProducer promises that no two goroutines append at the same time. An append
	// then needs no compare-and-swap on amd64. Close may come from any goroutine, at any
	// time. If two do append at once, one may be refused with ErrConcurrent; else records
	// are damaged, and the lane may stand still until its owner dies.
	SingleProducer bool
}

// Attach opens the ring at path, with a description of its own, and claims a
// lane for this process.
//
// Errors, each with what to do: fs.ErrNotExist, fs.ErrPermission, ErrNotRing,
// ErrVersion, ErrUnsupported, ErrTruncated, *DamageError, ErrNetworkFS,
// ErrRetired, ErrNoFreeLane, ErrNoSpace.
func Attach(path string, o AttachOptions) (*Producer, error) {
	f, err := openFile(path, mmap.RDWR)
	if err != nil {
		return nil, err
	}
	p, err := attach(f, f.head, o)
	if err != nil {
		f.close()
		return nil, err
	}
	return p, nil
}

// attach claims a lane of the ring behind b: first one whose memory is there,
// else one that must be allocated.
func attach(b backing, head Header, o AttachOptions) (*Producer, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	c := claimant{backing: b, head: head, boot: boot, label: cleanLabel(o.Label), single: o.SingleProducer}
	if c.pace = newAnchors(b.meta(), head).pace(boot); c.pace == 0 && counterTrusted() {
		c.pace = counterPace() // now, since it sleeps: not with a lane's lock in hand
	}
	// A lane may look claimable and be locked for a moment by another claimant
	// or by the reader; so a refusal is not the end as long as there is one.
	for try := range 50 {
		var contended bool
		for _, allocated := range []bool{true, false} {
			for i := range head.LaneCount {
				e := c.entry(i)
				if e.allocated() != allocated || !c.claimable(i) {
					continue
				}
				p, err := c.claim(i)
				if p != nil || err != nil {
					return p, err
				}
				contended = true
			}
		}
		if !contended {
			break
		}
		pause(time.Duration(try) * 100 * time.Microsecond)
	}
	if wordAt(b.meta(), head.ControlOffset+ctlRetired).load() == markRetired {
		return nil, retiredError(b)
	}
	return nil, fmt.Errorf("%w: %s: all %d lanes have an owner or undrained records; start a reader if none is running, or create the ring with more lanes",
		ErrNoFreeLane, b.name(), head.LaneCount)
}

func retiredError(b backing) error {
	return fmt.Errorf("%w: %s is being removed; attach to a new ring", ErrRetired, b.name())
}

// cleanLabel makes s a label: valid UTF-8 of at most maxLabel bytes.
func cleanLabel(s string) string { return cut(strings.ToValidUTF8(s, "\uFFFD"), maxLabel) }

// cut returns the longest prefix of s, valid UTF-8, that ends with a whole rune
// and has at most n bytes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// claimant is a process on its way to a lane.
type claimant struct {
	backing
	head   Header
	boot   [16]byte
	label  string
	single bool
	pace   uint64 // of the cycle counter, nanoseconds a unit, times 2³²; 0: it is not to be used
}

func (c *claimant) entry(i int) entry {
	off := c.head.entryOffset(i)
	return entry(c.meta()[off : off+laneEntrySize : off+laneEntrySize])
}

// claimable says whether lane i may be claimed, as far as can be seen; it is
// asked again under the lock (O2).
//
// A free lane is empty, except that a claimant may have died after it moved the
// producer position on and before it became the owner: then its owner record,
// whole or not, is all there is, and the next claimant writes that record anew.
func (c *claimant) claimable(i int) bool {
	e := c.entry(i)
	p := e.producer().load()
	progress, ok := e.progress(laneSeed(c.head.key, i))
	if !ok || progress.Consumer%8 != 0 || progress.Consumer > maxPosition {
		return false
	}
	switch LaneState(e.state().load()) {
	case LaneFree:
		p &^= closedBit
		return p == progress.Consumer || p == c.head.ownerEnd(progress.Consumer)
	case LaneClosed:
		lost := e.lost()
		return p == progress.Consumer|closedBit && lost.Total() == progress.LostSeen
	}
	return false
}

// claim makes this process the owner of lane i. It returns nil and no error if
// somebody else has the lane.
func (c *claimant) claim(i int) (*Producer, error) {
	lock := c.head.entryOffset(i)
	if ok, err := c.tryLock(lock); !ok {
		return nil, err
	}
	p, err := c.claimLocked(i)
	if p == nil {
		c.unlock(lock)
	}
	return p, err
}

func (c *claimant) claimLocked(i int) (*Producer, error) {
	// A ring is removed by marking it and then taking these locks (O6): who
	// looks only before it has the lock could attach to a file without a name.
	linked, err := c.linked()
	if err != nil {
		return nil, err
	}
	if !linked || wordAt(c.meta(), c.head.ControlOffset+ctlRetired).load() == markRetired {
		return nil, retiredError(c.backing)
	}
	if !c.claimable(i) {
		return nil, nil
	}
	e := c.entry(i)
	seed := laneSeed(c.head.key, i)
	// From here on the lane is free, whatever becomes of this claimant: the
	// conditions for taking a closed lane are met once and need not be kept up.
	e.state().store(failpoint.OwnFree, uint64(LaneFree))

	fresh := !e.allocated()
	// The mark may be older than the memory, which only a look at the file tells,
	// and only before it is allocated.
	blank := fresh && !c.hasData(i)
	if err := c.allocate(i, fresh); err != nil {
		return nil, err
	}
	wordAt(e, lanAllocated).store(failpoint.OwnAllocated, 1)
	bytes, err := c.lane(i)
	if err != nil {
		return nil, err
	}
	mem := newLaneMemory(bytes, c.head.key, i)
	before, _ := e.owner(seed)
	if !blank && before.BootID != c.boot {
		// After a power loss the positions may be older than the memory, which
		// can then hold stamps of positions still to come (C5). The zeros are on disk
		// before anything says that the lane is of this boot: else the next power
		// loss could bring those stamps back under this owner's name.
		zero(failpoint.OwnZero, bytes)
		if err := c.syncLane(i); err != nil {
			return nil, err
		}
	}
	clock, err := newLaneClock(c.pace)
	if err != nil {
		return nil, err
	}
	progress, _ := e.loadProgress() // claimable checked it, and an empty lane's does not change
	start := mem.place(progress.Consumer, ownerRecordSize)
	o := Owner{
		Generation:     before.Generation + 1,
		BootID:         c.boot,
		PID:            uint64(os.Getpid()),
		StartTicks:     startTicks(),
		Attached:       clock.start.UnixNano(),
		Label:          c.label,
		Clock:          clock.describe(),
		Checksum:       ChecksumCastagnoli,
		Begin:          start,
		BeginSequence:  progress.Sequence,
		BeginDelivered: progress.Delivered,
		BeginTorn:      progress.Torn,
		BeginLost:      e.lost(),
	}
	e.setOwner(&o, seed)
	// One store moves the position over the owner record and clears the closed
	// bit. Without the move, an append of the former owner that was preempted
	// between its load and its compare-and-swap would succeed here (O5).
	e.producer().store(failpoint.OwnPosition, start+ownerRecordSize)
	if start != progress.Consumer {
		mem.setStamp(failpoint.OwnPadding, progress.Consumer, statePadding)
	}
	mem.writeOwnerRecord(&o, clock.now())
	// Release: who sees OWNED sees the identity and the owner record.
	e.state().store(failpoint.OwnState, uint64(LaneOwned))

	if canInscribe && !c.single {
		go expectBarriers() // it takes the kernel some milliseconds, and there is time
	}
	p := &Producer{
		mem:      mem,
		single:   c.single && expectBarriers(),
		table:    o.Checksum.table(),
		clock:    clock,
		producer: e.producer(),
		consumer: e.consumer(),
		reader:   wordAt(c.meta(), c.head.ControlOffset+ctlReaderFutex),
		levels:   newLevelTable(c.meta(), c.head).version,
		ordinary: mem.size - mem.size/warningShare,
		lane:     i,
		entry:    e,
		from:     c.backing,
		ring:     c.head,
	}
	p.consumerSeen.Store(progress.Consumer)
	p.lostTotal.Store(o.BeginLost.Total())
	return p, nil
}

// writeOwnerRecord writes the record that says who owns what follows it.
func (m *laneMemory) writeOwnerRecord(o *Owner, now uint64) {
	off := o.Begin & m.mask
	b := m.bytes[off : off+ownerRecordSize]
	put64(failpoint.OwnRecord, b, recLength, ownPayload|uint64(KindOwner)<<48)
	m.setStamp(failpoint.OwnRecord, o.Begin, stateClaimed)
	put64(failpoint.OwnRecord, b, recTime, now)
	put32(failpoint.OwnRecord, b, recLost, uint32(o.BeginLost.Total()))
	w := b[recordHeader:]
	put64(failpoint.OwnRecord, w, ownGeneration, o.Generation)
	put64(failpoint.OwnRecord, w, ownPID, o.PID)
	put64(failpoint.OwnRecord, w, ownAttached, uint64(o.Attached))
	put64(failpoint.OwnRecord, w, ownClockKind, uint64(o.Clock.Kind)|uint64(o.Checksum)<<32)
	put64(failpoint.OwnRecord, w, ownClockUnix, uint64(o.Clock.Unix))
	put64(failpoint.OwnRecord, w, ownClockBase, o.Clock.Base)
	put64(failpoint.OwnRecord, w, ownClockMult, o.Clock.Mult)
	zero(failpoint.OwnRecord, w[ownLabel:])
	putBytes(failpoint.OwnRecord, w[ownLabel:], []byte(cut(o.Label, ownLabelSize)))
	put32(failpoint.OwnRecord, b, recChecksum, m.checksum(o.Checksum.table(), o.Begin, stateCommitted, b[recChecked:]))
	m.setStamp(failpoint.OwnRecord, o.Begin, stateCommitted)
}

// closeTimeout is how long Close waits for appends of other goroutines. An
// append takes well under a microsecond unless its thread is preempted.
const closeTimeout = 2 * time.Second

// keptUntilExit holds producers whose Close gave up: their memory must stay
// mapped and their lane locked for as long as an append may be under way.
var keptUntilExit sync.Map

// Close ends the lane: appends fail with ErrClosed from now on, those under way
// are waited for, and the lane goes to the reader, which drains it, and then to
// another process. Harmless when called twice or concurrently.
//
// It fails with ErrBusy if an append does not finish in time; the lane then
// stays owned until the process ends, and nothing that was accepted is lost.
func (p *Producer) Close() error {
	if p.draining.Swap(true) {
		return nil
	}
	deadline := time.Now().Add(closeTimeout)
	if p.single && canInscribe {
		// An append that does not see that Close has begun is seen here, and waited for:
		// its store of the position would take the closed bit away (W9 has the same barrier).
		barrier()
		for atomic.LoadUint32(&p.busy) != 0 {
			if time.Now().After(deadline) {
				return p.keep()
			}
			pause(50 * time.Microsecond)
		}
	}
	var end uint64
	for {
		end = p.producer.load()
		if p.producer.cas(failpoint.ClosePosition, end, end|closedBit) {
			break
		}
	}
	futex := entry(p.entry).futex()
	for !p.settled(end) || !p.shut() {
		if time.Now().After(deadline) {
			return p.keep()
		}
		futexWake(futex)
		pause(50 * time.Microsecond)
	}
	// The owner says CLOSED before it unlocks (O4): OWNED with a free lock means
	// a dead owner.
	entry(p.entry).state().store(failpoint.CloseState, uint64(LaneClosed))
	if p.reader.load() != futexAwake {
		wakeReader(p.reader)
	}
	err := p.from.unlock(p.ring.entryOffset(p.lane))
	// An append that began before Close may still look at the producer position.
	// So the memory is unmapped only when nobody can reach p any more.
	runtime.AddCleanup(p, func(b backing) { b.close() }, p.from)
	return err
}

// keep gives up on closing the lane.
func (p *Producer) keep() error {
	keptUntilExit.Store(p, true)
	return fmt.Errorf("%w: appends to lane %d of %s are under way after %v; its records are drained when this process ends", ErrBusy, p.lane, p.from.name(), closeTimeout)
}

// settled says whether every claim below end is stamped whole. It walks from the
// consumer position, which only moves on, and nobody claims any more.
func (p *Producer) settled(end uint64) bool {
	pos := p.consumer.load()
	for pos < end {
		switch p.mem.stateAt(pos) {
		case statePadding:
			pos += p.mem.room(pos)
		case stateCommitted, stateAborted:
			if p.mem.room(pos) < recordHeader {
				return false // somebody else wrote here
			}
			off := pos & p.mem.mask
			pos += recordSize(uint64(get32(p.mem.bytes, off+recLength)))
		default:
			return false
		}
	}
	return true
}
