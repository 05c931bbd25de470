package ring

import (
	"errors"
	"slices"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func FuzzHeader(f *testing.F) {
	h := testHeader()
	f.Add(h.encode(), int64(h.FileSize), true)
	f.Add(h.encode()[:300], int64(300), false)
	f.Add([]byte(Magic), int64(8), false)
	f.Fuzz(func(t *testing.T, b []byte, size int64, reseal bool) {
		if reseal && len(b) >= headerSize {
			seal(b)
		}
		h, err := decodeHeader("ring", b, max(size, int64(len(b))), false)
		if err != nil {
			var damage *DamageError
			if !errors.Is(err, ErrNotRing) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrUnsupported) &&
				!errors.Is(err, ErrTruncated) && !errors.As(err, &damage) {
				t.Fatal(err)
			}
			return
		}
		// All that the rest of the package relies on.
		end := h.laneOffset(h.LaneCount - 1)
		if end+h.LaneSize != h.FileSize || h.FileSize > uint64(max(size, int64(len(b)))) ||
			h.IntentOffset%8 != 0 || h.TableOffset%8 != 0 || h.entryOffset(h.LaneCount) > h.LanesOffset ||
			h.ControlLength < ctlUsedLength || h.IntentLength < minIntentSize {
			t.Fatalf("accepted %+v", h.Geometry)
		}
	})
}

// FuzzLane reads lanes that were written rightly and then changed: by flips of
// any byte, and by words that are stamps of the place where they stand.
func FuzzLane(f *testing.F) {
	f.Add(uint64(0), uint8(3), uint8(0), []byte{})
	f.Add(uint64(1024-64), uint8(9), uint8(1), []byte{5, 1, 0, 1, 70, 2, 1, 0})
	f.Add(uint64(2048), uint8(200), uint8(3), []byte{0, 1, 2, 3, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, start uint64, shape, kind uint8, edits []byte) {
		const size = 1024
		start = start % (1 << 50) &^ 7
		s := newHeapFile(t, 1, size).scribe(0, ChecksumKind(1+kind%2), start)
		for i := uint8(0); s.pos < start+size-200; i++ {
			switch (shape + i*shape) % 7 {
			case 0:
				s.claimed(int(i) * 5 % 90)
			case 1:
				s.unstamped(int(i) * 3 % 90)
			case 2:
				s.record(stateAborted, KindRaw, 0, "gone")
			default:
				s.raw(string(make([]byte, int(shape)*int(i)%90)))
			}
			if s.pos%size > size-130 {
				s.raw(string(make([]byte, 90)))
			}
		}
		for ; len(edits) >= 4; edits = edits[4:] {
			off := (uint64(edits[0]) | uint64(edits[1])<<8) % size
			if edits[2]&1 == 0 {
				s.bytes[off] ^= edits[3]
				continue
			}
			pos := start + (off-start%size)%size&^7
			s.stamp(pos, uint64(edits[3]&7))
		}
		l := s.reader()
		l.kind = ChecksumKind(kind)
		if end := s.pos; l.Readable(start, end) {
			readEverything(t, l, start, end)
		}
		found := l.Salvage(0)
		if !slices.IsSorted(found) || len(found) > size/recordHeader {
			t.Fatalf("salvaged %v", found)
		}
		for _, pos := range found {
			if it, ok := l.At(pos); !ok || it.Position != pos {
				t.Fatalf("salvaged %d, which is no record", pos)
			}
		}
	})
}

// readEverything reads [pos, end) in both ways, and fails if a reading does not
// go on, leaves its bounds, or needs more memory than the largest record.
func readEverything(t *testing.T, l *Lane, begin, end uint64) {
	l.Rewind(begin, end)
	steps := 0
	for pos := begin; ; steps++ {
		it := l.Final(pos, end)
		if it.Outcome == OutcomeEnd {
			if it.Next != end {
				t.Fatalf("the dead reading ends at %d of %d", it.Next, end)
			}
			break
		}
		if it.Outcome == OutcomeNotYet || it.Position < pos || it.Next <= it.Position || it.Next > end || steps > 1024 {
			t.Fatalf("from %d: %+v", pos, it)
		}
		pos = it.Next
	}
	for pos := begin; ; steps++ {
		it := l.Live(pos, end)
		if it.Outcome == OutcomeEnd || it.Outcome == OutcomeNotYet || it.Outcome == OutcomeDamaged && it.Next == 0 {
			if it.Position < pos || it.Position > end {
				t.Fatalf("the live reading stops at %d, beyond %d", it.Position, end)
			}
			break
		}
		if it.Position < pos || it.Next <= it.Position || it.Next > end || steps > 2048 {
			t.Fatalf("from %d: %+v", pos, it)
		}
		pos = it.Next
	}
	if uint64(cap(l.buf)) > 2*l.mem.maxRecord() {
		t.Fatalf("a buffer of %d bytes", cap(l.buf))
	}
}

func FuzzIntent(f *testing.F) {
	a := newIntentArea()
	if err := a.prepare(sampleBatch(1)); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(a.slot(1)[:1024]), uint32(2), uint32(3), uint64(1)<<32|2)
	f.Add([]byte{}, uint32(0), uint32(0), uint64(0))
	f.Fuzz(func(t *testing.T, content []byte, lanes, outputs uint32, window uint64) {
		a := newIntentArea()
		s := a.slot(0)
		copy(s, content)
		n := uint64(0)
		if len(content) > sltBody {
			n = uint64(min(len(content), len(s)) - sltBody)
		}
		put64(failpoint.OwnIdentity, s, sltLanes, uint64(lanes)|uint64(outputs)<<32)
		put64(failpoint.OwnIdentity, s, sltBodySize, n)
		le.PutUint32(s[sltChecksum:], s.sum(n)) // a hostile writer has it right
		wordAt(a, intWindow).store(failpoint.OwnIdentity, window)
		a.state().store(failpoint.OwnIdentity, uint64(IntentApplied))
		in, err := a.load("ring", 8)
		if err != nil {
			var damage *DamageError
			if !errors.As(err, &damage) {
				t.Fatal(err)
			}
			return
		}
		if len(in.Batch.Lanes) > 8 || len(in.Batch.Outputs) > MaxOutputs || len(in.Window) > PieceSize {
			t.Fatalf("%d lanes, %d outputs, a window of %d bytes", len(in.Batch.Lanes), len(in.Batch.Outputs), len(in.Window))
		}
		// What was understood is written back as what it was.
		again := newIntentArea()
		if err := again.prepare(&in.Batch); err != nil {
			t.Fatal(err)
		}
		if in2 := mustLoad(t, again); len(in2.Batch.Lanes) != len(in.Batch.Lanes) || len(in2.Batch.Outputs) != len(in.Batch.Outputs) {
			t.Fatalf("%+v became %+v", in.Batch, in2.Batch)
		}
	})
}
