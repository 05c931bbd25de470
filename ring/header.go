package ring

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"
)

var le = binary.LittleEndian

// Header is what a ring file says about itself once and for all.
type Header struct {
	Geometry
	ID      [16]byte  // random, names the ring in every record's id
	Created time.Time // wall time of creation

	// key is random per ring. It is mixed into stamps and seeds checksums, so
	// that bytes somebody logs can pose neither as a stamp nor as a record.
	key uint64

	compatible, readCompatible, incompatible uint64
}

// newHeader makes the header of a new ring with an id and a key of its own.
func newHeader(count int, size uint64, now time.Time) Header {
	h := Header{Geometry: newGeometry(count, size), Created: now}
	var key [8]byte
	rand.Read(h.ID[:])
	rand.Read(key[:])
	h.key = le.Uint64(key[:])
	return h
}

// encode returns the header page, checksum included.
func (h *Header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b[hdrMagic:], Magic)
	le.PutUint32(b[hdrVersion:], Version)
	le.PutUint32(b[hdrByteOrder:], byteOrderMark)
	le.PutUint64(b[hdrFileSize:], h.FileSize)
	le.PutUint64(b[hdrControlOffset:], h.ControlOffset)
	le.PutUint64(b[hdrControlSize:], h.ControlLength)
	le.PutUint64(b[hdrIntentOffset:], h.IntentOffset)
	le.PutUint64(b[hdrIntentSize:], h.IntentLength)
	le.PutUint64(b[hdrTableOffset:], h.TableOffset)
	le.PutUint64(b[hdrTableSize:], h.TableLength)
	le.PutUint64(b[hdrLanesOffset:], h.LanesOffset)
	le.PutUint64(b[hdrLaneSize:], h.LaneSize)
	le.PutUint32(b[hdrLaneCount:], uint32(h.LaneCount))
	le.PutUint32(b[hdrLaneEntrySize:], laneEntrySize)
	copy(b[hdrRingID:], h.ID[:])
	le.PutUint64(b[hdrKey:], h.key)
	le.PutUint64(b[hdrCompatible:], h.compatible)
	le.PutUint64(b[hdrReadCompatible:], h.readCompatible)
	le.PutUint64(b[hdrIncompatible:], h.incompatible)
	le.PutUint64(b[hdrCreated:], uint64(h.Created.UnixNano()))
	le.PutUint32(b[hdrChecksum:], crc32.ChecksumIEEE(b[:headerChecked]))
	return b
}

// decodeHeader reads a header page from b, the first bytes of a file of
// fileSize bytes at path. It trusts nothing in b. write says that the caller
// means to change the ring, which an unknown read-compatible feature forbids.
//
// Errors: ErrNotRing, ErrVersion, ErrUnsupported, ErrTruncated, or a
// *DamageError, each saying what was found and what to do.
func decodeHeader(path string, b []byte, fileSize int64, write bool) (Header, error) {
	var h Header
	if len(b) < len(Magic) || string(b[:len(Magic)]) != Magic {
		return h, fmt.Errorf("%w: %s: it begins with %q, a ring with %q; was another file named by mistake?",
			ErrNotRing, path, b[:min(len(b), len(Magic))], Magic)
	}
	if len(b) < headerSize {
		return h, fmt.Errorf("%w: %s has %d bytes, a ring's header alone has %d", ErrTruncated, path, fileSize, headerSize)
	}
	// The version is looked at before the checksum: a later version may lay out
	// even the checksum anew, and «newer» tells the user more than «damaged».
	if v := le.Uint32(b[hdrVersion:]); v != Version {
		return h, fmt.Errorf("%w: %s has format version %d, this program knows version %d; use a ringlog of the same release as the one that created it",
			ErrVersion, path, v, Version)
	}
	if got, want := crc32.ChecksumIEEE(b[:headerChecked]), le.Uint32(b[hdrChecksum:]); got != want {
		return h, &DamageError{Path: path, Lane: NoLane, Cause: fmt.Sprintf("the header's checksum is %08x, its bytes give %08x", want, got)}
	}
	if m := le.Uint32(b[hdrByteOrder:]); m != byteOrderMark {
		return h, &DamageError{Path: path, Lane: NoLane, Cause: fmt.Sprintf("the byte order mark is %08x instead of %08x", m, byteOrderMark)}
	}
	h.Geometry = Geometry{
		FileSize:      le.Uint64(b[hdrFileSize:]),
		ControlOffset: le.Uint64(b[hdrControlOffset:]),
		ControlLength: le.Uint64(b[hdrControlSize:]),
		IntentOffset:  le.Uint64(b[hdrIntentOffset:]),
		IntentLength:  le.Uint64(b[hdrIntentSize:]),
		TableOffset:   le.Uint64(b[hdrTableOffset:]),
		TableLength:   le.Uint64(b[hdrTableSize:]),
		LanesOffset:   le.Uint64(b[hdrLanesOffset:]),
		LaneSize:      le.Uint64(b[hdrLaneSize:]),
		LaneCount:     int(le.Uint32(b[hdrLaneCount:])),
	}
	copy(h.ID[:], b[hdrRingID:])
	h.key = le.Uint64(b[hdrKey:])
	h.compatible = le.Uint64(b[hdrCompatible:])
	h.readCompatible = le.Uint64(b[hdrReadCompatible:])
	h.incompatible = le.Uint64(b[hdrIncompatible:])
	h.Created = time.Unix(0, int64(le.Uint64(b[hdrCreated:])))

	if h.incompatible != 0 || write && h.readCompatible != 0 {
		return h, fmt.Errorf("%w: %s uses features this program does not know (incompatible %#x, read-compatible %#x); use a newer ringlog",
			ErrUnsupported, path, h.incompatible, h.readCompatible)
	}
	if es := le.Uint32(b[hdrLaneEntrySize:]); es != laneEntrySize || !h.valid() {
		return h, &DamageError{Path: path, Lane: NoLane, Cause: fmt.Sprintf("the header's geometry is impossible: %+v, lane entries of %d bytes", h.Geometry, es)}
	}
	if uint64(fileSize) < h.FileSize {
		return h, fmt.Errorf("%w: %s has %d bytes, its header says %d; it was cut off", ErrTruncated, path, fileSize, h.FileSize)
	}
	return h, nil
}

// Is says whether the regular file at path begins as rings do.
func Is(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, len(Magic))
	_, err = io.ReadFull(f, begin)
	return err == nil && string(begin) == Magic
}
