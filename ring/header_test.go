package ring

import (
	"bytes"
	"errors"
	"hash/crc32"
	"testing"
	"time"
)

// testHeader is a header whose every field is known.
func testHeader() Header {
	h := newHeader(3, MinLaneSize, time.Unix(0, 1_700_000_000_123_456_789))
	h.key = testKey
	h.ID = [16]byte([]byte("0123456789abcdef"))
	return h
}

func TestHeaderIsTheseBytes(t *testing.T) {
	t.Parallel()
	h := testHeader()
	b := h.encode()
	sameBytes(t, "header", b[:252], `52 49 4e 47 4c 4f 47 00 01 00 00 00 04 03 02 01
		00 00 0a 00 00 00 00 00 00 10 00 00 00 00 00 00 00 f0 00 00 00 00 00 00 00 00 01 00 00 00 00 00
		00 00 05 00 00 00 00 00 00 00 06 00 00 00 00 00 00 0c 00 00 00 00 00 00 00 00 07 00 00 00 00 00
		00 00 01 00 00 00 00 00 03 00 00 00 00 04 00 00 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66
		17 32 54 76 98 ba dc fe 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
		15 cd 85 3d fe 9c 97 17`+string(bytes.Repeat([]byte(" 00"), 100)))
	if len(b) != headerSize || le.Uint32(b[252:]) != crc32.ChecksumIEEE(b[:252]) {
		t.Errorf("%d bytes, checksum %08x", len(b), le.Uint32(b[252:]))
	}
	got, err := decodeHeader("ring", b, int64(h.FileSize), true)
	if err != nil || got != h && !got.Created.Equal(h.Created) {
		t.Errorf("decoded %+v, error %v", got, err)
	}
}

func TestNewGeometryIsAlwaysValid(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2, 63, 64, 65, 255, 256, 1000, MaxLanes} {
		for size := uint64(MinLaneSize); size <= MaxLaneSize; size *= 2 {
			g := newGeometry(count, size)
			if !g.valid() {
				t.Errorf("%d lanes of %d bytes: %+v", count, size, g)
			}
			b := Batch{Lanes: make([]LaneChange, count)}
			if err := make(intentArea, g.IntentLength).prepare(&b); err != nil {
				t.Errorf("a batch with each of %d lanes: %v", count, err)
			}
		}
	}
}

// seal makes the checksum of a header right, as a hostile writer would.
func seal(b []byte) { le.PutUint32(b[hdrChecksum:], crc32.ChecksumIEEE(b[:headerChecked])) }

func TestEachFlippedByteOfTheHeaderIsRefused(t *testing.T) {
	t.Parallel()
	h := testHeader()
	for off := range 256 {
		for bit := range 8 {
			b := h.encode()
			b[off] ^= 1 << bit
			_, err := decodeHeader("ring", b, int64(h.FileSize), false)
			var damage *DamageError
			if !errors.Is(err, ErrNotRing) && !errors.Is(err, ErrVersion) && !errors.As(err, &damage) {
				t.Errorf("byte %d, bit %d: %v", off, bit, err)
			}
		}
	}
}

func TestHostileGeometryIsRefused(t *testing.T) {
	t.Parallel()
	h := testHeader()
	words := []int{
		hdrFileSize, hdrControlOffset, hdrControlSize, hdrIntentOffset, hdrIntentSize,
		hdrTableOffset, hdrTableSize, hdrLanesOffset, hdrLaneSize, hdrLaneCount,
	}
	for _, off := range words {
		was := le.Uint64(h.encode()[off:])
		for _, v := range []uint64{0, 1, 7, was - 1, was + 1, was + 8, was + areaAlign, was * 2, 1 << 31, 1 << 32, 1 << 62, 1 << 63, 1<<64 - 1, -was} {
			if v == was {
				continue
			}
			b := h.encode()
			le.PutUint64(b[off:], v)
			seal(b)
			_, err := decodeHeader("ring", b, 1<<62, false)
			var damage *DamageError
			if !errors.As(err, &damage) {
				t.Errorf("%#x at %d instead of %#x: %v", v, off, was, err)
			}
		}
	}
}

func TestFeatureFlagsDecideWhoMayOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		off         int
		read, write bool
	}{{hdrCompatible, true, true}, {hdrReadCompatible, true, false}, {hdrIncompatible, false, false}} {
		h := testHeader()
		b := h.encode()
		b[c.off+5] = 0x40
		seal(b)
		for write, want := range map[bool]bool{false: c.read, true: c.write} {
			_, err := decodeHeader("ring", b, int64(h.FileSize), write)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrUnsupported) {
				t.Errorf("flag at %d, writing %v: %v", c.off, write, err)
			}
		}
	}
}

func TestReservedBytesOfTheHeaderAreIgnored(t *testing.T) {
	t.Parallel()
	h := testHeader()
	b := h.encode()
	for i := 152; i < hdrChecksum; i++ {
		b[i] = 0xee
	}
	for i := 256; i < headerSize; i++ {
		b[i] = 0xee
	}
	seal(b)
	if _, err := decodeHeader("ring", b, int64(h.FileSize), true); err != nil {
		t.Error(err)
	}
}

func TestOtherVersionIsToldFromDamage(t *testing.T) {
	t.Parallel()
	h := testHeader()
	b := h.encode()
	le.PutUint32(b[hdrVersion:], 2) // not sealed: a later version may checksum otherwise
	if _, err := decodeHeader("ring", b, int64(h.FileSize), false); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
}
