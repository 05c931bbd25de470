package ring

import "strings"

// Lane is a reader's view of one lane: of the shared memory itself for a
// Consumer, of a private copy for an Inspector. It is not safe for concurrent
// use; different lanes are independent.
type Lane struct {
	Index int

	entry entry
	cursor
	seed uint32
	from backing // of a Consumer; nil in a copy
	boot [16]byte
	lock uint64 // offset of the lane's lock byte
}

// State is who may act on the lane now.
func (l *Lane) State() LaneState { return LaneState(l.entry.state().load()) }

// Generation counts the owners of the lane; 0 means that it never had one.
func (l *Lane) Generation() uint64 { return wordAt(l.entry, lanGeneration).load() }

// Owner is what the lane's last owner said about itself. ok is false if that is
// damaged; Owner then holds the generation and nothing else of meaning.
//
// It also tells the cursor which checksum to expect, and whether the lane's pages
// may be of different ages.
func (l *Lane) Owner() (o Owner, ok bool) {
	o, ok = l.entry.owner(l.seed)
	l.kind = o.Checksum
	l.aged = l.from != nil && o.BootID != l.boot
	return o, ok
}

// Aged says whether the lane was last used in another boot than this: after a power
// loss its entry and each page of its memory may be of different ages. Known once Owner
// was called; never said of a copy.
func (l *Lane) Aged() bool { return l.aged }

// Progress is what the reader has published for the lane. ok is false if it
// fails its checksum.
func (l *Lane) Progress() (p Progress, ok bool) { return l.entry.progress(l.seed) }

// Produced is the producer position, and whether the owner closed the lane. The
// load acquires: claims below the position were made before it.
func (l *Lane) Produced() (pos uint64, closed bool) {
	p := l.entry.producer().load()
	return p &^ closedBit, p&closedBit != 0
}

// HighWater is the largest backlog, in bytes, that a reader met in the lane.
func (l *Lane) HighWater() uint64 { return wordAt(l.entry, lanHighWater).load() }

// Lost is what the lane's owners counted as lost, since the lane was made. It
// is final once the lane is closed or its owner is dead.
func (l *Lane) Lost() LossCounts { return l.entry.lost() }

// Extend turns the total that a record carries into a 64-bit one. It is to be
// called after the record was read. A total that no counter bears out, or that
// is not above seen, gives seen.
func (l *Lane) Extend(carried uint32, seen uint64) uint64 {
	if carried == uint32(seen) {
		return seen // as nearly always: nothing was lost in between
	}
	lost := l.entry.lost()
	total := lost.Total()
	if n := extend(carried, total); n > seen && n <= total {
		return n
	}
	return seen
}

// Size is the size of the lane's memory in bytes.
func (l *Lane) Size() uint64 { return l.mem.size }

// Readable says whether pos and end can be the bounds of unread bytes here.
func (l *Lane) Readable(pos, end uint64) bool { return readable(pos, end, l.mem.size) }

// Live reads at pos while the owner may be running; end is a producer position
// loaded before, and Readable(pos, end) holds. The item's payload is valid until
// the next read of this lane.
func (l *Lane) Live(pos, end uint64) Item { return *l.readLive(pos, end) }

// Rewind begins a reading of [pos, end) by Final.
func (l *Lane) Rewind(pos, end uint64) { l.rewind(pos, end) }

// Final reads at pos when nobody writes the lane any more, and accounts for every
// byte up to end. Readable(pos, end) holds.
func (l *Lane) Final(pos, end uint64) Item { return *l.readFinal(pos, end) }

// Behind says whether a record lies at the producer position end itself. The
// position is moved before a record is written (W1), so if the owner is gone,
// that means the position is damaged.
func (l *Lane) Behind(end uint64) bool {
	s := l.mem.stateAt(end)
	return s == stateCommitted || s == stateAborted
}

// Salvage returns the positions, in order, of all whole records from position
// from on, without trusting the lane's positions. At reads one of them.
func (l *Lane) Salvage(from uint64) []uint64 { return l.salvage(from) }

// At reads the record that Salvage found at pos.
func (l *Lane) At(pos uint64) (Item, bool) { return l.at(pos) }

// ReadOwner reads the payload of an owner record: who owned the lane from that
// record on. ok is false if it cannot be one.
func ReadOwner(payload []byte) (o Owner, ok bool) {
	if len(payload) < ownPayload {
		return o, false
	}
	label := payload[ownLabel:ownPayload]
	for len(label) > 0 && label[len(label)-1] == 0 {
		label = label[:len(label)-1]
	}
	return Owner{
		Generation: le.Uint64(payload[ownGeneration:]),
		PID:        le.Uint64(payload[ownPID:]),
		Attached:   int64(le.Uint64(payload[ownAttached:])),
		Clock: Clock{
			Kind: ClockKind(le.Uint32(payload[ownClockKind:])),
			Unix: int64(le.Uint64(payload[ownClockUnix:])),
			Base: le.Uint64(payload[ownClockBase:]),
			Mult: le.Uint64(payload[ownClockMult:]),
		},
		Checksum: ChecksumKind(le.Uint32(payload[ownChecksumKind:])),
		Label:    strings.ToValidUTF8(string(label), "\uFFFD"),
	}, true
}

// TryLock takes the lane's lock, and says whether it could. With it in hand the
// lane's state does not change under the caller (O2).
func (l *Lane) TryLock() (bool, error) { return l.from.tryLock(l.lock) }

// Unlock gives the lane's lock back.
func (l *Lane) Unlock() error { return l.from.unlock(l.lock) }
