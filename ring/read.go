package ring

import "hash/crc32"

// Outcome is what lies at a position of a lane. Each has its own value: a
// reader that took «not yet» for «end», or «torn» for «damaged», would lose
// or invent records (C1).
type Outcome uint8

// Outcomes.
const (
	OutcomeRecord  Outcome = iota + 1 // a whole record
	OutcomeNotYet                     // claimed by a live owner and not yet whole
	OutcomeEnd                        // nothing more up to the given end
	OutcomeTorn                       // unfinished when its owner died
	OutcomeDamaged                    // bytes that no writer leaves
)

func (o Outcome) String() string {
	switch o {
	case OutcomeRecord:
		return "record"
	case OutcomeNotYet:
		return "not yet"
	case OutcomeEnd:
		return "end"
	case OutcomeTorn:
		return "torn"
	case OutcomeDamaged:
		return "damaged"
	}
	return "unknown outcome"
}

// Item is what a read found: Outcome in [Position, Next).
type Item struct {
	Outcome  Outcome
	Position uint64
	// Next is where to read on. For OutcomeNotYet and OutcomeEnd it is the
	// position reached, past padding and aborted records. For OutcomeDamaged in a
	// live lane it is 0 if nothing vouches for where the next record begins.
	Next uint64

	// For OutcomeRecord:
	Kind    Kind
	Level   int16  // stored scale
	Time    uint64 // in the lane's clock
	Lost    uint32 // the lane's loss total when it was written, modulo 2³²
	Payload []byte // a private copy

	Cause string // for OutcomeDamaged
}

// cursor reads the records of one lane. It copies each before it checks it, and
// uses the copy alone: the lane may be written by a hostile or broken process.
type cursor struct {
	mem    laneMemory
	kind   ChecksumKind // of the lane's owner; unknown kinds try both
	aged   bool         // the lane was last used in another boot: its pages may be of different ages
	buf    []byte       // the last record from recChecksum on, if it was not in run
	run    run
	it     Item   // what was read last: a pointer to it is returned, as each copy would cost as much as a check
	budget uint64 // bytes that scans may still checksum
}

// run is a private copy of whole records that follow each other in the lane. Where there
// are many lanes, what each has next is in no cache; taken one by one, a record would cost
// as much to wait for as to format.
type run struct {
	next uint64 // position of the first of rest
	rest []byte // what was not read yet
	buf  []byte // where it lies
}

// runSize is how many bytes a run has at most.
const runSize = 4 << 10

// gather copies the record at pos, whose stamp says that it is committed, and those behind
// it, as far as they are committed as well.
func (c *cursor) gather(pos, end uint64) {
	to := pos
	for to < end && (to == pos || to&c.mem.mask != 0 && c.mem.stateAt(to) == stateCommitted) {
		_, size, ok := c.length(to, end)
		if !ok || to-pos+size > runSize {
			break
		}
		to += size
	}
	off := pos & c.mem.mask
	c.run.buf = appendShared(c.run.buf[:0], c.mem.bytes[off:off+to-pos])
	c.run.next, c.run.rest = pos, c.run.buf
}

// fromRun takes the record at pos off the run, if it is the run's next and whole, and
// describes it.
func (c *cursor) fromRun(pos, end uint64) bool {
	b := c.run.rest
	if pos != c.run.next || len(b) < recordHeader {
		return false
	}
	payload := uint64(le.Uint32(b[recLength:])) // the copy's, whatever the lane says by now
	size := recordSize(payload)
	if size > uint64(len(b)) || pos+size > end {
		return false
	}
	c.run.next, c.run.rest = pos+size, b[size:]
	b = b[recChecksum : recordHeader+payload : recordHeader+payload]
	if !c.holds(b, pos, stateCommitted, c.kind.table(), payload) {
		return false
	}
	c.describe(b, pos, size)
	return true
}

// found makes it what was read. It is valid until the next read.
func (c *cursor) found(it Item) *Item {
	c.it = it
	return &c.it
}

// scanCost bounds what scans checksum, as a multiple of the bytes they cover:
// stamps that fit and checksums that don't, one after the other, would make a
// scan quadratic (C3).
const scanCost = 16

// spend takes what check may checksum for a record of size bytes from the
// budget, and says whether there was enough. A record that fails is checksummed
// once for each kind.
func (c *cursor) spend(size uint64) bool {
	if cost := 2 * size; c.budget >= cost {
		c.budget -= cost
		return true
	}
	return false
}

// readable says whether a lane of this size can hold unread bytes from pos to end.
func readable(pos, end, size uint64) bool {
	return pos%8 == 0 && end%8 == 0 && pos <= end && end <= maxPosition && end-pos <= size
}

// Read is Final, or Live, for who reads millions: the item itself is valid until the
// next read of this lane, like its payload.
func (l *Lane) Read(pos, end uint64, final bool) *Item {
	if final {
		return l.readFinal(pos, end)
	}
	return l.readLive(pos, end)
}

// readLive reads at pos in a lane whose owner may be running. end is the producer
// position, loaded before; pos and end are readable.
//
// There is no scan here: it would pass claims that are not yet stamped and hand
// their memory to other writers (C2).
func (c *cursor) readLive(pos, end uint64) *Item {
	for pos < end {
		if c.fromRun(pos, end) {
			return &c.it
		}
		switch state := c.mem.stateAt(pos); state {
		case statePadding:
			next, ok := c.padding(pos, end)
			if !ok {
				return c.found(Item{Outcome: OutcomeDamaged, Position: pos, Cause: "padding where none can be"})
			}
			pos = next
		case stateCommitted, stateAborted:
			if state == stateCommitted {
				if c.gather(pos, end); c.fromRun(pos, end) {
					return &c.it
				}
			}
			if !c.check(pos, end, state) {
				next, _ := c.follow(pos, end)
				return c.found(Item{Outcome: OutcomeDamaged, Position: pos, Next: next, Cause: "checksum or length"})
			}
			if state == stateCommitted {
				return &c.it
			}
			pos = c.it.Next
		default:
			return c.found(Item{Outcome: OutcomeNotYet, Position: pos, Next: pos})
		}
	}
	return c.found(Item{Outcome: OutcomeEnd, Position: pos, Next: pos})
}

// readFinal reads at pos in a lane that nobody writes any more: its owner died and
// its lock is held, or it was closed, or it is a copy. pos and end are readable.
// Every byte up to end is accounted for, as record, torn or damaged (C3).
//
// Before the first call, rewind sets the scan budget.
func (c *cursor) readFinal(pos, end uint64) *Item {
	for pos < end {
		state := c.mem.stateAt(pos)
		switch state {
		case statePadding:
			if next, ok := c.padding(pos, end); ok {
				pos = next
				continue
			}
		case stateCommitted, stateAborted:
			if c.check(pos, end, state) {
				if state == stateCommitted {
					return &c.it
				}
				pos = c.it.Next
				continue
			}
		}
		return c.gap(pos, end, state)
	}
	return c.found(Item{Outcome: OutcomeEnd, Position: pos, Next: pos})
}

// rewind prepares for reading [pos, end) to its end.
func (c *cursor) rewind(pos, end uint64) { c.budget = scanCost * (end - pos) }

// padding returns where the padding at pos leads: the lane's end. Offset 0 never
// holds padding, since a record always fits there.
func (c *cursor) padding(pos, end uint64) (next uint64, ok bool) {
	next = pos + c.mem.room(pos)
	return next, pos&c.mem.mask != 0 && next <= end
}

// length reads the length at pos, once, and says whether a record of that length
// can begin there and end by end.
func (c *cursor) length(pos, end uint64) (payload, size uint64, ok bool) {
	off := pos & c.mem.mask
	// Only padding is this close to the lane's end; another stamp here is damage,
	// and its length would lie outside the lane.
	if c.mem.room(pos) < recordHeader {
		return 0, 0, false
	}
	payload = uint64(get32(c.mem.bytes, off+recLength))
	size = recordSize(payload)
	ok = size <= c.mem.maxRecord() && size <= c.mem.room(pos) && pos+size <= end
	return payload, size, ok
}

// follow says where the record at pos ends, if its length leads to a place that
// vouches for it: a stamp that fits, or the end itself.
func (c *cursor) follow(pos, end uint64) (next uint64, ok bool) {
	_, size, ok := c.length(pos, end)
	if !ok || pos+size != end && c.mem.stateAt(pos+size) == 0 {
		return 0, false
	}
	return pos + size, true
}

// take copies the record at pos, checks the copy, and describes it in c.it. Its stamp
// fits.
func (c *cursor) take(pos, end, state uint64, kind ChecksumKind) bool {
	payload, size, ok := c.length(pos, end)
	if !ok {
		return false
	}
	off := pos & c.mem.mask
	c.buf = appendShared(c.buf[:0], c.mem.bytes[off+recChecksum:off+recordHeader+payload])
	if !c.holds(c.buf, pos, state, kind.table(), payload) {
		return false
	}
	c.describe(c.buf, pos, size)
	return true
}

// check is take with both checksum kinds, the owner's first (W4): the lane's
// identity may be damaged while its records are whole, or the record an earlier
// owner's.
func (c *cursor) check(pos, end, state uint64) bool {
	ok := c.take(pos, end, state, c.kind)
	for kind := ChecksumCastagnoli; kind <= ChecksumIEEE && !ok; kind++ {
		ok = kind != c.kind && c.take(pos, end, state, kind)
	}
	return ok
}

// holds checks a copy of a record from recChecksum on: the length it was made with, and its
// checksum.
func (c *cursor) holds(b []byte, pos, state uint64, t *crc32.Table, payload uint64) bool {
	return t != nil && uint64(le.Uint32(b[recLength-recChecksum:])) == payload &&
		c.mem.checksum(t, pos, state, b[recChecked-recChecksum:]) == le.Uint32(b)
}

// describe describes the record of which b is a copy from recChecksum on.
func (c *cursor) describe(b []byte, pos, size uint64) {
	head, it := b[:recordHeader-recChecksum], &c.it
	it.Outcome, it.Position, it.Next, it.Cause = OutcomeRecord, pos, pos+size, ""
	it.Kind = Kind(head[recKind-recChecksum])
	it.Level = int16(le.Uint16(head[recLevel-recChecksum:]))
	it.Time = le.Uint64(head[recTime-recChecksum:])
	it.Lost = le.Uint32(head[recLost-recChecksum:])
	it.Payload = b[recordHeader-recChecksum:]
}

// gap accounts for the bytes from pos on that are no record. state is what the
// stamp there says.
func (c *cursor) gap(pos, end, state uint64) *Item {
	it := Item{Outcome: OutcomeTorn, Position: pos}
	switch state {
	case stateCommitted, stateAborted:
		it.Outcome, it.Cause = OutcomeDamaged, "checksum or length"
	case statePadding:
		it.Outcome, it.Cause = OutcomeDamaged, "padding where none can be"
	}
	// A stamp and the length behind it may lie in two pages. Of different ages, they
	// could lead past whole records.
	if state != 0 && state != statePadding && !c.aged {
		if next, ok := c.follow(pos, end); ok {
			it.Next = next
			return c.found(it)
		}
	}
	for q := pos + 8; q < end; q += 8 {
		s := c.mem.stateAt(q)
		if s != stateCommitted && s != stateAborted {
			continue // padding and claims have no checksum to be trusted by
		}
		_, size, ok := c.length(q, end)
		if !ok {
			continue
		}
		if !c.spend(size) {
			it.Outcome, it.Cause, it.Next = OutcomeDamaged, "too many stamps without a record behind them", end
			return c.found(it)
		}
		if c.check(q, end, s) {
			it.Next = q
			return c.found(it)
		}
	}
	it.Next = end
	return c.found(it)
}
