package ring

import (
	"hash/crc32"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// scribe writes lanes byte by byte as docs/format.md says, without Producer: with
// chosen times, and with what a Producer never writes. So what readers accept is
// tested against a second reading of the format.
type scribe struct {
	f     *heapFile
	lane  int
	bytes []byte
	pos   uint64 // where the next record goes
	time  uint64
	lost  uint32
	kind  ChecksumKind
}

// scribe begins lane i at position pos, with everything before it drained.
func (f *heapFile) scribe(i int, kind ChecksumKind, pos uint64) *scribe {
	s := &scribe{f: f, lane: i, bytes: f.lanes[i], pos: pos, time: 1000, kind: kind}
	s.progress(Progress{Consumer: pos})
	s.publish()
	return s
}

func (s *scribe) seed() uint32 { return laneSeed(s.f.head.key, s.lane) }

func (s *scribe) at(pos uint64) []byte { return s.bytes[pos%uint64(len(s.bytes)):] }

func (s *scribe) stamp(pos, state uint64) {
	le.PutUint64(s.at(pos), (pos^s.f.head.key)&^7|state)
}

// publish stores the producer position.
func (s *scribe) publish() { le.PutUint64(s.f.entry(s.lane)[lanProducer:], s.pos) }

// progress stores the reader's line.
func (s *scribe) progress(p Progress) { s.f.entry(s.lane).setProgress(p, s.seed()) }

// record appends a record in the given state, with padding before it if need be,
// and returns its position.
func (s *scribe) record(state uint64, kind Kind, level int16, payload string) uint64 {
	size := (recordHeader + uint64(len(payload)) + 7) / 8 * 8
	if room := uint64(len(s.bytes)) - s.pos%uint64(len(s.bytes)); size > room {
		s.stamp(s.pos, statePadding)
		s.pos += room
	}
	pos := s.pos
	b := s.at(pos)
	le.PutUint32(b[recLost:], s.lost)
	le.PutUint32(b[recLength:], uint32(len(payload)))
	le.PutUint16(b[recLevel:], uint16(level))
	b[recKind], b[recFlags] = byte(kind), 0
	le.PutUint64(b[recTime:], s.time)
	copy(b[recordHeader:], payload)
	table := crc32.IEEETable
	if s.kind == ChecksumCastagnoli {
		table = crc32.MakeTable(crc32.Castagnoli)
	}
	initial := s.seed() ^ uint32(pos>>3) ^ uint32(pos>>35)
	if state == stateAborted {
		initial = ^initial
	}
	le.PutUint32(b[recChecksum:], crc32.Update(initial, table, b[recChecked:recordHeader+len(payload)]))
	s.stamp(pos, state)
	s.pos += size
	s.time += 10
	s.publish()
	return pos
}

// raw appends a committed raw record.
func (s *scribe) raw(payload string) uint64 { return s.record(stateCommitted, KindRaw, 0, payload) }

// claimed appends a record whose writer died after it stored the claimed stamp.
func (s *scribe) claimed(n int) uint64 {
	pos := s.record(stateClaimed, KindRaw, 0, string(make([]byte, n)))
	le.PutUint32(s.at(pos)[recChecksum:], 0)
	return pos
}

// unstamped appends a record whose writer died right after its compare-and-swap.
func (s *scribe) unstamped(n int) uint64 {
	pos := s.pos
	s.pos += (recordHeader + uint64(n) + 7) / 8 * 8
	s.publish()
	return pos
}

// own stores o as the lane's identity.
func (s *scribe) own(o Owner, state LaneState) {
	e := s.f.entry(s.lane)
	o.Checksum = s.kind
	put64(failpoint.OwnIdentity, e, lanAllocated, 1)
	e.setOwner(&o, s.seed())
	le.PutUint64(e[lanState:], uint64(state))
}

func (s *scribe) reader() *Lane {
	l := newLane(s.lane, s.f.entry(s.lane), s.bytes, s.f.head)
	l.kind = s.kind
	return l
}

// newScribe is a scribe for the only lane of a new ring, at position 0.
func newScribe(t testing.TB, size uint64) *scribe {
	return newHeapFile(t, 1, size).scribe(0, ChecksumCastagnoli, 0)
}
