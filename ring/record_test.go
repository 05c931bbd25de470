package ring

import (
	"bytes"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameBytes(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if w := unhex(t, want); !bytes.Equal(got, w) {
		t.Errorf("%s:\n got % x\nwant % x", what, got, w)
	}
}

// The bytes here were computed from docs/format.md by another program, in
// another language. They are the format: if this fails, the code is wrong.
func TestCommittedRecordIsTheseBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		table    *crc32.Table
		checksum string
	}{{castagnoli, "44 36 cf 3c"}, {crc32.IEEETable, "8a b8 2f 5d"}} {
		f := newHeapFile(t, 1, 1024)
		w := f.attach(t, "w")
		w.table = c.table
		w.lostTotal.Store(7)
		claim, err := w.Claim(5, -20, KindLog)
		if err != nil {
			t.Fatal(err)
		}
		sameBytes(t, "claimed stamp", f.lanes[0][128:136], "91 32 54 76 98 ba dc fe")
		copy(claim.Payload, "hello")
		put64(failpoint.OwnIdentity, w.mem.bytes[claim.pos&w.mem.mask:], recTime, 0x1122334455667788)
		w.Commit(claim)
		sameBytes(t, "record", f.lanes[0][128:128+37], `92 32 54 76 98 ba dc fe `+c.checksum+` 07 00 00 00
			05 00 00 00 ec ff 02 00 88 77 66 55 44 33 22 11 68 65 6c 6c 6f`)
	}
}

func TestAbortedRecordFarFromTheStartIsTheseBytes(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 4, 1024)
	f.attach(t, "0")
	f.attach(t, "1")
	f.attach(t, "2")
	w := f.attach(t, "3")
	pos := uint64(1<<40 + 5*1024 + 64)
	w.producer.store(failpoint.OwnIdentity, pos)
	w.consumer.store(failpoint.OwnIdentity, pos)
	w.table = crc32.IEEETable
	w.lostTotal.Store(1<<32 - 1)
	claim, err := w.Claim(0, 60, KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	put64(failpoint.OwnIdentity, w.mem.bytes[claim.pos&w.mem.mask:], recTime, 1)
	w.Abort(claim)
	sameBytes(t, "record", f.lanes[3][64:96], `53 26 54 76 98 bb dc fe f3 a0 bb c1 ff ff ff ff
		00 00 00 00 3c 00 01 00 01 00 00 00 00 00 00 00`)
}

func TestPaddingIsTheseBytes(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	w.producer.store(failpoint.OwnIdentity, 968)
	w.consumer.store(failpoint.OwnIdentity, 968)
	w.append(t, strings.Repeat("x", 96))
	sameBytes(t, "padding", f.lanes[0][968:976], "dc 31 54 76 98 ba dc fe")
}

func TestOwnerRecordIsTheseBytes(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	m := newLaneMemory(f.lanes[0], testKey, 0)
	m.writeOwnerRecord(&Owner{
		Generation: 2, PID: 4242, Attached: 1_700_000_000_000_000_000, Label: "zweite Ölmühle",
		Clock:    Clock{Kind: ClockMonotonic, Unix: 1_700_000_000_000_000_000, Base: 5000, Mult: nanosecondMult},
		Checksum: ChecksumCastagnoli, Begin: 176, BeginLost: LossCounts{1},
	}, 0x1122334455667788)
	sameBytes(t, "owner record", f.lanes[0][176:304], `a2 32 54 76 98 ba dc fe 30 e9 10 8a 01 00 00 00
		60 00 00 00 00 00 03 00 88 77 66 55 44 33 22 11 02 00 00 00 00 00 00 00 92 10 00 00 00 00 00 00
		00 00 2a 36 fe 9c 97 17 02 00 00 00 01 00 00 00 00 00 2a 36 fe 9c 97 17 88 13 00 00 00 00 00 00
		00 00 00 00 01 00 00 00 7a 77 65 69 74 65 20 c3 96 6c 6d c3 bc 68 6c 65 00 00 00 00 00 00 00 00
		00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`)
}

func TestStampOfAnyOtherPositionIsNoStamp(t *testing.T) {
	t.Parallel()
	b := make([]byte, 1024)
	m := newLaneMemory(b, testKey, 0)
	for _, pos := range []uint64{0, 8, 1016, 1024, 1 << 40, maxPosition &^ 7} {
		for state := uint64(stateClaimed); state <= statePadding; state++ {
			m.setStamp(failpoint.CommitStamp, pos, state)
			if got := m.stateAt(pos); got != state {
				t.Errorf("position %d: state %d, want %d", pos, got, state)
			}
			for _, lap := range []uint64{1024, 1 << 32, 1 << 62} {
				if got := m.stateAt(pos ^ lap); got != 0 {
					t.Errorf("the stamp of %d passes for %d: state %d", pos, pos^lap, got)
				}
			}
		}
		for _, state := range []uint64{0, 5, 6, 7} {
			m.setStamp(failpoint.CommitStamp, pos, state)
			if got := m.stateAt(pos); got != 0 {
				t.Errorf("state %d is taken for %d", state, got)
			}
		}
	}
}

func TestMemoryOfZerosHoldsNoStampWhateverTheKey(t *testing.T) {
	t.Parallel()
	for _, key := range []uint64{0, 1, 7, 64, 1 << 63, testKey} {
		m := newLaneMemory(make([]byte, 1024), key, 0)
		for pos := uint64(0); pos < 2048; pos += 8 {
			if s := m.stateAt(pos); s != 0 {
				t.Errorf("key %#x: state %d at %d", key, s, pos)
			}
		}
	}
}
