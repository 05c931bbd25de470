package ring

import "math"

// The numbers below are part of the file format. docs/format.md is the
// authority on them, and TestLayoutMatchesTheDocument holds the two together.

// Version is the format version this package writes and the only one it opens.
const Version = 1

// Magic is the first eight bytes of every ring file.
const Magic = "RINGLOG\x00"

const (
	byteOrderMark = 0x01020304

	// areaAlign keeps areas and lanes on page boundaries of every supported
	// kernel: arm64 may run with pages of 64 KiB.
	areaAlign = 64 << 10

	headerSize    = 4096
	headerChecked = 252 // bytes covered by the header's checksum, which follows them

	controlSize   = areaAlign - headerSize
	minIntentSize = 256 << 10

	// MinLaneSize and MaxLaneSize bound the size of one lane in bytes.
	MinLaneSize = areaAlign
	MaxLaneSize = 1 << 30
	// MaxLanes bounds the number of lanes, and so of attached processes.
	MaxLanes = 4096

	// maxRecordShare: a record with its header takes at most this share of a
	// lane, so that padding before the lane's end never wastes more than that.
	maxRecordShare = 8

	// warningShare: this share of a lane is kept for records of WARNING and above
	// (W10). The largest record and the padding before it take a quarter, so that
	// any record fits an empty lane.
	warningShare = 8
)

// Header fields, as offsets from the start of the file.
const (
	hdrMagic          = 0
	hdrVersion        = 8
	hdrByteOrder      = 12
	hdrFileSize       = 16
	hdrControlOffset  = 24
	hdrControlSize    = 32
	hdrIntentOffset   = 40
	hdrIntentSize     = 48
	hdrTableOffset    = 56
	hdrTableSize      = 64
	hdrLanesOffset    = 72
	hdrLaneSize       = 80
	hdrLaneCount      = 88
	hdrLaneEntrySize  = 92
	hdrRingID         = 96
	hdrKey            = 112
	hdrCompatible     = 120
	hdrReadCompatible = 128
	hdrIncompatible   = 136
	hdrCreated        = 144
	hdrChecksum       = headerChecked
)

// Control area fields, as offsets from its start. Words of different writers
// lie on lines of their own (R4); a line is 128 bytes, since adjacent-line
// prefetch and some arm64 parts couple two lines of 64.
const (
	ctlRetired = 0x000
	ctlCopy    = 0x080

	// Marks in these words. Any other value is damage and means nothing.
	markRetired = 0x2044_4552_4954_4552 // "RETIRED "
	markCopy    = 0x2020_2020_5950_4f43 // "COPY    "

	ctlReader          = 0x100 // line of the reader; its lock byte too
	ctlReaderPID       = ctlReader + 0
	ctlReaderStart     = ctlReader + 8
	ctlReaderHeartbeat = ctlReader + 16
	ctlReaderBootID    = ctlReader + 24
	ctlErrorTime       = ctlReader + 40
	ctlErrorCount      = ctlReader + 48
	ctlErrorLength     = ctlReader + 56
	ctlErrorText       = ctlReader + 64
	errorTextSize      = 256
	ctlRotated         = 0x240

	ctlReaderFutex      = 0x280
	ctlLevelVersion     = 0x300
	ctlAnchorsPublished = 0x380
	ctlRotate           = 0x400

	ctlAnchors    = 0x1000
	anchorCount   = 64
	anchorSize    = 64
	ctlLevels     = 0x2000
	levelCount    = 64
	levelSize     = 128
	ctlUsedLength = ctlLevels + levelCount*levelSize
)

// Level entry fields, as offsets from the start of one entry.
const (
	lvlLength = 0 // the word that also holds the level
	lvlLevel  = 2
	lvlPrefix = 8
)

// Clock anchor fields, as offsets from the start of one anchor.
const (
	anchorBootID   = 0
	anchorCounter  = 16
	anchorUntil    = 24
	anchorUnix     = 32
	anchorMult     = 40
	anchorThen     = 48
	anchorChecksum = 60
)

// Lane table fields, as offsets from the start of one entry. The lane's lock
// byte is the first byte of its entry.
const (
	laneEntrySize = 1024

	lanState = 0x000

	lanIdentity     = 0x080 // written by the claimant alone, under the lane's lock
	lanGeneration   = 0x080
	lanBootID       = 0x088
	lanBegin        = 0x098
	lanBeginSeq     = 0x0a0
	lanBeginDeliv   = 0x0a8
	lanBeginTorn    = 0x0b0
	lanPID          = 0x0b8
	lanStartTicks   = 0x0c0
	lanAttached     = 0x0c8
	lanClockKind    = 0x0d0
	lanChecksumKind = 0x0d4
	lanClockUnix    = 0x0d8
	lanClockBase    = 0x0e0
	lanClockMult    = 0x0e8
	lanAllocated    = 0x0f0
	lanLabelLength  = 0x100
	lanLabel        = 0x108
	maxLabel        = 112
	lanBeginLost    = 0x180
	lanIdentitySum  = 0x1fc

	lanProducer  = 0x200
	lanOverwrite = 0x208

	lanLost = 0x280 // owner's line

	lanProgress  = 0x300 // reader's line
	lanConsumer  = 0x300
	lanLostSeen  = 0x308
	lanDelivered = 0x310
	lanTorn      = 0x318
	lanSequence  = 0x320
	lanDamaged   = 0x328
	lanCheck     = 0x330
	lanHighWater = 0x338

	lanFutex = 0x380
)

// Record header fields, as offsets from the record's start.
const (
	recStamp     = 0
	recChecksum  = 8
	recLost      = 12
	recChecked   = recLost // the checksum covers everything from here on
	recLength    = 16      // the word that also holds level, kind and flags
	recLevel     = 20
	recKind      = 22
	recFlags     = 23
	recTime      = 24
	recordHeader = 32
)

// Owner record payload fields, as offsets from the payload's start.
const (
	ownGeneration   = 0
	ownPID          = 8
	ownAttached     = 16
	ownClockKind    = 24
	ownChecksumKind = 28
	ownClockUnix    = 32
	ownClockBase    = 40
	ownClockMult    = 48
	ownLabel        = 56
	ownLabelSize    = 40
	ownPayload      = ownLabel + ownLabelSize
	ownerRecordSize = recordHeader + ownPayload
)

// Intent area fields, as offsets from its start; see intent.go.
const (
	intState  = 0x000
	intSlot   = 0x008
	intWindow = 0x010
	intSlots  = 0x100 // two slots of equal size, up to the window

	intentWindowSize = PieceSize
)

// Slot fields, as offsets from the start of one slot.
const (
	sltNumber   = 0
	sltBootID   = 8
	sltTime     = 24
	sltLanes    = 32
	sltOutputs  = 36
	sltBodySize = 40
	sltChecksum = 60
	sltBody     = 64

	sltLaneSize   = 96 // of a lane change in the body
	sltOutputSize = 48 // of an output change, less its path and its checksums
)

// PieceSize is the unit, in bytes, in which a batch's bytes for an output are
// written and checksummed in the intent.
const PieceSize = 64 << 10

// MaxOutputs is the largest number of outputs one batch may touch (D2).
const MaxOutputs = 64

// Positions and their flag.
const (
	// closedBit in the producer position means that the owner closed the lane:
	// claims fail on it. It is masked in every comparison (O5).
	closedBit = 1 << 63
	// maxPosition keeps sums of a position and a size from reaching closedBit.
	maxPosition = math.MaxInt64 - 4*MaxLaneSize
)

// Geometry is where the areas of a ring file lie. It is read once at open,
// checked, and kept: later damage to the header cannot lead an access astray.
type Geometry struct {
	FileSize                     uint64 // bytes
	ControlOffset, ControlLength uint64 // bytes
	IntentOffset, IntentLength   uint64 // bytes
	TableOffset, TableLength     uint64 // bytes
	LanesOffset                  uint64 // bytes; also the length of all that precedes the lanes
	LaneSize                     uint64 // bytes, a power of two
	LaneCount                    int
}

// newGeometry lays out a ring of count lanes of size bytes each. Both were
// checked by the caller.
func newGeometry(count int, size uint64) Geometry {
	g := Geometry{LaneCount: count, LaneSize: size}
	g.ControlOffset, g.ControlLength = headerSize, controlSize
	g.IntentOffset = g.ControlOffset + g.ControlLength
	// A change of every lane fits either slot beside what minIntentSize leaves for
	// outputs, so that a batch need never leave out a lane.
	g.IntentLength = minIntentSize + alignUp(2*uint64(count)*sltLaneSize, areaAlign)
	g.TableOffset = g.IntentOffset + g.IntentLength
	g.TableLength = uint64(count) * laneEntrySize
	g.LanesOffset = alignUp(g.TableOffset+g.TableLength, areaAlign)
	g.FileSize = g.LanesOffset + uint64(count)*size
	return g
}

// valid says whether the areas lie in order, inside the file, without overlap,
// with the alignment and the bounds that the rest of the package relies on. The
// numbers come from an untrusted header: every sum is bounded before it is made.
func (g Geometry) valid() bool {
	const maxArea = 16 << 20 // far above what any ring needs, and no burden to copy
	switch {
	case g.LaneCount < 1 || g.LaneCount > MaxLanes:
	case g.LaneSize < MinLaneSize || g.LaneSize > MaxLaneSize || g.LaneSize&(g.LaneSize-1) != 0:
	case g.ControlOffset != headerSize || g.ControlLength < ctlUsedLength || g.ControlLength > maxArea:
	case g.IntentOffset != g.ControlOffset+g.ControlLength:
	case g.IntentLength < minIntentSize || g.IntentLength > maxArea || g.IntentLength%areaAlign != 0:
	case g.TableOffset != g.IntentOffset+g.IntentLength || g.TableOffset%laneEntrySize != 0:
	case g.TableLength != uint64(g.LaneCount)*laneEntrySize:
	case g.LanesOffset != alignUp(g.TableOffset+g.TableLength, areaAlign):
	case g.FileSize != g.LanesOffset+uint64(g.LaneCount)*g.LaneSize:
	default:
		return true
	}
	return false
}

// laneOffset is where lane i's memory begins in the file, in bytes.
func (g Geometry) laneOffset(i int) uint64 { return g.LanesOffset + uint64(i)*g.LaneSize }

// entryOffset is where lane i's table entry, and its lock byte, lie in the file.
func (g Geometry) entryOffset(i int) uint64 { return g.TableOffset + uint64(i)*laneEntrySize }

// ownerEnd is where the owner record of a claim at pos ends in a lane.
func (g Geometry) ownerEnd(pos uint64) uint64 {
	m := laneMemory{size: g.LaneSize, mask: g.LaneSize - 1}
	return m.place(pos, ownerRecordSize) + ownerRecordSize
}

func alignUp(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }
