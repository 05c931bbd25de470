package ring

import (
	"hash/crc32"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Kind says how a record's payload is to be read. The ring itself gives meaning
// to KindOwner alone.
type Kind uint8

// Kinds of records.
const (
	KindRaw   Kind = 1 // the payload is the message, byte for byte
	KindLog   Kind = 2 // the payload is an encoded log record, see package record
	KindOwner Kind = 3 // written by a claimant of the lane; says who owns what follows
)

// WarningLevel is the lowest level, on the stored scale, that belongs to the
// upper band of the loss counters.
const WarningLevel = 20

// ChecksumKind is the polynomial of a lane's record checksums.
type ChecksumKind uint32

// Checksum kinds. CRC-32C is what Go computes fastest, IEEE what Python has
// (W4). Everything but records uses IEEE.
const (
	ChecksumCastagnoli ChecksumKind = 1
	ChecksumIEEE       ChecksumKind = 2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// table returns the kind's polynomial table, or nil for an unknown kind.
func (k ChecksumKind) table() *crc32.Table {
	switch k {
	case ChecksumCastagnoli:
		return castagnoli
	case ChecksumIEEE:
		return crc32.IEEETable
	}
	return nil
}

// States of a record: the low three bits of its stamp. 0 is never valid, so
// that zeroed memory holds no stamp (W2).
const (
	stateClaimed   = 1 // claimed; the length is valid, the rest is being written
	stateCommitted = 2 // whole
	stateAborted   = 3 // given up by its writer; whole, and to be skipped
	statePadding   = 4 // nothing from here to the lane's end (W3)
	stateMask      = 7
)

// laneMemory is the memory of one lane with what is needed to tell its own
// records from everything else that may lie there. It is a value: copy it
// freely, the bytes are shared.
type laneMemory struct {
	bytes []byte // the whole lane
	size  uint64 // len(bytes), a power of two
	mask  uint64 // size-1: position & mask is the offset
	key   uint64 // of the ring
	seed  uint32 // of this lane's checksums
}

func newLaneMemory(b []byte, key uint64, lane int) laneMemory {
	size := uint64(len(b))
	return laneMemory{bytes: b, size: size, mask: size - 1, key: key, seed: laneSeed(key, lane)}
}

// laneSeed is where the lane's checksums start from: the CRC-32 (IEEE) of the
// key and the lane's index. A record copied from another lane or another ring
// fails its checksum.
func laneSeed(key uint64, lane int) uint32 {
	return ieee(ieee(0, key, 8), uint64(lane), 4)
}

// ieee is crc32.Update with IEEE's polynomial for the low n bytes of word, without a slice:
// one that is given to package crc32 is allocated, which a publish need not pay for.
func ieee(sum uint32, word uint64, n int) uint32 {
	sum = ^sum
	for range n {
		sum = crc32.IEEETable[byte(sum)^byte(word)] ^ sum>>8
		word >>= 8
	}
	return ^sum
}

// maxRecord is the size of the largest record, header included.
func (m *laneMemory) maxRecord() uint64 { return m.size / maxRecordShare }

// stamp is the first word of the record at pos: its own position, which no
// earlier lap can have, mixed with the ring's key, which no logged byte can
// know, and its state.
func (m *laneMemory) stamp(pos, state uint64) uint64 {
	return (pos^m.key)&^stateMask | state
}

// stateAt reads the stamp at pos and returns the state, or 0 if the stamp is
// not that position's own. The load acquires: what was written before the stamp
// was stored is visible after it.
func (m *laneMemory) stateAt(pos uint64) uint64 {
	s := wordAt(m.bytes, pos&m.mask).load()
	if (s^pos^m.key)&^stateMask != 0 {
		return 0
	}
	if s &= stateMask; s > statePadding {
		return 0
	}
	return s
}

// setStamp stores the stamp of pos with release order: all that this thread
// wrote before is visible to whoever sees the stamp. Without it a reader could
// accept a header or a payload that is still on its way.
func (m *laneMemory) setStamp(at failpoint.Point, pos, state uint64) {
	wordAt(m.bytes, pos&m.mask).store(at, m.stamp(pos, state))
}

// checksum covers the position, the state, the header from recChecked on and the
// payload (W4). checked is those bytes; position and state are folded into the
// initial value: one flipped bit makes an aborted record of a committed one, which
// readers would then skip without a word.
func (m *laneMemory) checksum(t *crc32.Table, pos, state uint64, checked []byte) uint32 {
	seed := m.checksumSeed(pos)
	if state == stateAborted {
		seed = ^seed
	}
	return crc32.Update(seed, t, checked)
}

func (m *laneMemory) checksumSeed(pos uint64) uint32 {
	return m.seed ^ uint32(pos>>3) ^ uint32(pos>>35)
}

// recordSize is what a payload of n bytes takes in the lane: header, payload,
// and up to seven bytes to the next 8-byte boundary.
func recordSize(n uint64) uint64 { return alignUp(recordHeader+n, 8) }

// room is the number of bytes between pos and the lane's end.
func (m *laneMemory) room(pos uint64) uint64 { return m.size - pos&m.mask }

// place says where a record of size bytes claimed at pos begins: at pos, or at
// the start of the next lap if it would straddle the lane's end (W3).
func (m *laneMemory) place(pos, size uint64) uint64 {
	if r := m.room(pos); size > r {
		return pos + r
	}
	return pos
}
