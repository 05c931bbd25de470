package ring

import (
	"fmt"
	"hash/crc32"
	"unicode/utf8"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// LaneState says who may act on a lane.
type LaneState uint64

// Lane states as stored. They are eight ASCII letters, so that a flipped byte
// makes an unknown state and never another one. The only transitions are
//
//	FREE → OWNED            a claimant, holding the lane's lock
//	OWNED → CLOSED          the owner, before it unlocks
//	CLOSED → FREE → OWNED   a claimant, once all is drained (O4)
//	OWNED → FREE            the reader, holding the lock that a dead owner left
//	any → DAMAGED           the reader, holding the lock, when the lane's positions are impossible
const (
	LaneFree    LaneState = 0
	LaneOwned   LaneState = 0x2020_2044_454e_574f // "OWNED   "
	LaneClosed  LaneState = 0x2020_4445_534f_4c43 // "CLOSED  "
	LaneDamaged LaneState = 0x2044_4547_414d_4144 // "DAMAGED "
)

func (s LaneState) String() string {
	switch s {
	case LaneFree:
		return "free"
	case LaneOwned:
		return "owned"
	case LaneClosed:
		return "closed"
	case LaneDamaged:
		return "damaged"
	}
	return fmt.Sprintf("unknown %#016x", uint64(s))
}

// Owner is what a lane's owner said about itself when it claimed the lane.
type Owner struct {
	Generation uint64   // counts the owners of this lane, from 1
	BootID     [16]byte // of the boot in which it claimed the lane
	PID        uint64   // for display only
	StartTicks uint64   // process start in clock ticks since boot; for display only
	Attached   int64    // Unix nanoseconds
	Label      string   // valid UTF-8, at most 112 bytes
	Clock      Clock
	Checksum   ChecksumKind

	// What the lane's counters were when this owner began: everything is counted
	// since the lane was made, never reset.
	Begin          uint64 // position of the owner record; older records belong to nobody known (C7)
	BeginSequence  uint64
	BeginDelivered uint64
	BeginTorn      uint64
	BeginLost      LossCounts
}

// entry is one lane's entry in the lane table: 1024 bytes of shared memory.
type entry []byte

func (e entry) state() *word    { return wordAt(e, lanState) }
func (e entry) producer() *word { return wordAt(e, lanProducer) }
func (e entry) consumer() *word { return wordAt(e, lanConsumer) }
func (e entry) futex() *word    { return wordAt(e, lanFutex) }

func (e entry) lost() LossCounts {
	var c LossCounts
	for i := range c {
		c[i] = wordAt(e, lanLost+8*uint64(i)).load()
	}
	return c
}

// allocated says whether the lane's memory was ever allocated. Memory that was
// not is never touched through a mapping (R5).
func (e entry) allocated() bool { return wordAt(e, lanAllocated).load() == 1 }

// identitySum is the checksum over the identity fields, seeded with the lane.
func (e entry) identitySum(seed uint32) uint32 {
	return crc32.Update(seed, crc32.IEEETable, e[lanIdentity:lanIdentitySum])
}

// owner reads the identity fields. ok is false if they do not match their
// checksum or name a checksum kind that does not exist; what can be used without
// trust is filled in all the same.
func (e entry) owner(seed uint32) (o Owner, ok bool) {
	b := make(entry, lanIdentity, lanProducer)
	b = appendShared(b, e[lanIdentity:lanProducer])
	ok = le.Uint32(b[lanIdentitySum:]) == b.identitySum(seed)
	o = Owner{
		Generation: le.Uint64(b[lanGeneration:]),
		BootID:     [16]byte(b[lanBootID:]),
		PID:        le.Uint64(b[lanPID:]),
		StartTicks: le.Uint64(b[lanStartTicks:]),
		Attached:   int64(le.Uint64(b[lanAttached:])),
		Clock: Clock{
			Kind: ClockKind(le.Uint32(b[lanClockKind:])),
			Unix: int64(le.Uint64(b[lanClockUnix:])),
			Base: le.Uint64(b[lanClockBase:]),
			Mult: le.Uint64(b[lanClockMult:]),
		},
		Checksum:       ChecksumKind(le.Uint32(b[lanChecksumKind:])),
		Begin:          le.Uint64(b[lanBegin:]),
		BeginSequence:  le.Uint64(b[lanBeginSeq:]),
		BeginDelivered: le.Uint64(b[lanBeginDeliv:]),
		BeginTorn:      le.Uint64(b[lanBeginTorn:]),
	}
	for i := range o.BeginLost {
		o.BeginLost[i] = le.Uint64(b[lanBeginLost+8*i:])
	}
	label := b[lanLabel : lanLabel+min(le.Uint64(b[lanLabelLength:]), maxLabel)]
	o.Label = string(label)
	if !utf8.Valid(label) || o.Checksum.table() == nil {
		ok = false
	}
	if !ok {
		o = Owner{Generation: o.Generation, Label: "unknown", Clock: unixClock}
	}
	return o, ok
}

// setOwner writes the identity fields, generation first (O4): whoever compares
// generations around a read of the rest notices that it changed.
func (e entry) setOwner(o *Owner, seed uint32) {
	wordAt(e, lanGeneration).store(failpoint.OwnIdentity, o.Generation)
	putBytes(failpoint.OwnIdentity, e[lanBootID:], o.BootID[:])
	put64(failpoint.OwnIdentity, e, lanBegin, o.Begin)
	put64(failpoint.OwnIdentity, e, lanBeginSeq, o.BeginSequence)
	put64(failpoint.OwnIdentity, e, lanBeginDeliv, o.BeginDelivered)
	put64(failpoint.OwnIdentity, e, lanBeginTorn, o.BeginTorn)
	put64(failpoint.OwnIdentity, e, lanPID, o.PID)
	put64(failpoint.OwnIdentity, e, lanStartTicks, o.StartTicks)
	put64(failpoint.OwnIdentity, e, lanAttached, uint64(o.Attached))
	put64(failpoint.OwnIdentity, e, lanClockKind, uint64(o.Clock.Kind)|uint64(o.Checksum)<<32)
	put64(failpoint.OwnIdentity, e, lanClockUnix, uint64(o.Clock.Unix))
	put64(failpoint.OwnIdentity, e, lanClockBase, o.Clock.Base)
	put64(failpoint.OwnIdentity, e, lanClockMult, o.Clock.Mult)
	put64(failpoint.OwnIdentity, e, lanLabelLength, uint64(len(o.Label)))
	zero(failpoint.OwnIdentity, e[lanLabel:lanLabel+maxLabel])
	putBytes(failpoint.OwnIdentity, e[lanLabel:lanLabel+maxLabel], []byte(o.Label))
	for i, n := range o.BeginLost {
		put64(failpoint.OwnIdentity, e, lanBeginLost+8*uint64(i), n)
	}
	put32(failpoint.OwnIdentity, e, lanIdentitySum, e.identitySum(seed))
}

// Progress is how far the reader got in a lane, counted since the lane was
// made. The reader alone writes it.
type Progress struct {
	Consumer  uint64 // position up to which everything is in the outputs
	LostSeen  uint64 // losses by policy whose markers are in the outputs
	Delivered uint64 // records
	Torn      uint64 // gaps left by owners that died in mid-append
	Sequence  uint64 // the last sequence number given, over all owners: delivered and lost
	Damaged   uint64 // gaps whose bytes are not what a writer leaves
}

// words is the order in which the fields lie on the reader's line.
func (p *Progress) words() [6]*uint64 {
	return [...]*uint64{&p.Consumer, &p.LostSeen, &p.Delivered, &p.Torn, &p.Sequence, &p.Damaged}
}

// check is the checksum over the fields: a flipped byte in a position could
// otherwise make the reader skip or repeat records without a word.
func (p *Progress) check(seed uint32) uint64 {
	for _, w := range p.words() {
		seed = ieee(seed, *w, 8)
	}
	return uint64(seed)
}

func (e entry) loadProgress() (p Progress, check uint64) {
	for i, w := range p.words() {
		*w = wordAt(e, lanProgress+8*uint64(i)).load()
	}
	return p, wordAt(e, lanCheck).load()
}

// progress reads the reader's line. ok is false if it fails its check, which
// the line also does for an instant while the reader publishes: so it is read
// again before it is believed to be damaged.
func (e entry) progress(seed uint32) (p Progress, ok bool) {
	for range progressTries {
		var check uint64
		if p, check = e.loadProgress(); check == p.check(seed) {
			return p, true
		}
	}
	return p, false
}

// setProgress publishes p. The order is D4's: what accounts for the records goes
// first and the consumer position last, since it gives the memory back. Lost-seen
// goes last but one: in a closed lane with nothing undrained it is what lets a
// claimant in.
func (e entry) setProgress(p Progress, seed uint32) {
	wordAt(e, lanCheck).store(failpoint.PublishProgress, p.check(seed))
	wordAt(e, lanDelivered).store(failpoint.PublishProgress, p.Delivered)
	wordAt(e, lanTorn).store(failpoint.PublishProgress, p.Torn)
	wordAt(e, lanSequence).store(failpoint.PublishProgress, p.Sequence)
	wordAt(e, lanDamaged).store(failpoint.PublishProgress, p.Damaged)
	wordAt(e, lanLostSeen).store(failpoint.PublishProgress, p.LostSeen)
	// Release: every read of the memory given back came before this store.
	wordAt(e, lanConsumer).store(failpoint.PublishConsumer, p.Consumer)
}
