package ring

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Batch is one transaction of the drain (D1, D2): which lanes move how far, and
// which outputs grow by what. All values are absolute, so that carrying it out
// twice is the same as once.
type Batch struct {
	Number  uint64   // counts batches since the ring was made
	BootID  [16]byte // of the boot in which it was written
	Time    int64    // Unix nanoseconds
	Lanes   []LaneChange
	Outputs []OutputChange
}

// LaneChange is what a batch does to one lane.
type LaneChange struct {
	Lane       int
	Generation uint64
	From       uint64   // consumer position before
	To         Progress // what the reader's line holds afterwards
	// State is the lane's state afterwards. Only LaneFree and LaneDamaged are
	// stored, under the lane's lock; LaneOwned and LaneClosed leave it as it is.
	State LaneState
}

// OutputChange is what a batch does to one output file.
type OutputChange struct {
	Path          string // absolute
	Device, Inode uint64
	Before        int64    // size in bytes before the batch
	Length        int64    // bytes the batch appends
	Pieces        []uint32 // CRC-32 (IEEE) of each PieceSize bytes of them; the last may be shorter
}

// IntentState is the state word of the intent area.
type IntentState uint64

// Intent states, as eight ASCII letters like those of lanes.
const (
	IntentNone     IntentState = 0
	IntentPrepared IntentState = 0x4445_5241_5045_5250 // "PREPARED": outputs may be in part written
	IntentApplied  IntentState = 0x2044_4549_4c50_5041 // "APPLIED ": outputs are whole, lanes perhaps not published
)

// ErrBatchTooLarge: the batch does not fit the intent area.
var ErrBatchTooLarge = errors.New("ring: batch too large for the intent area")

// Intent is what the intent area holds.
type Intent struct {
	State IntentState
	Batch Batch
	// The bytes of piece WindowPiece of output WindowOutput, for telling whether
	// a half-written piece is ours. Window is nil if no piece was begun.
	WindowOutput, WindowPiece int
	Window                    []byte
}

// OutputCost is the room in bytes that an output takes in the intent area if its path
// has so many bytes, and length bytes are appended to it.
func OutputCost(path int, length int64) uint64 {
	return sltOutputSize + alignUp(uint64(path), 8) + alignUp(4*uint64(pieces(length)), 8)
}

// pieces is the number of pieces of length bytes.
func pieces(length int64) int64 { return (length + PieceSize - 1) / PieceSize }

// IntentCost is the room in bytes that a batch with so many lanes takes in the
// intent area, given the sum of its outputs' OutputCost.
func IntentCost(lanes int, outputs uint64) uint64 { return uint64(lanes)*sltLaneSize + outputs }

// encode writes the batch to the intent area's body and returns the body's size.
func (b *Batch) encode(body []byte) (uint64, error) {
	need := uint64(len(b.Lanes)) * sltLaneSize
	for i := range b.Outputs {
		need += OutputCost(len(b.Outputs[i].Path), b.Outputs[i].Length)
	}
	if need > uint64(len(body)) || len(b.Outputs) > MaxOutputs {
		return 0, fmt.Errorf("%w: %d lanes and %d outputs take %d bytes, there are %d", ErrBatchTooLarge, len(b.Lanes), len(b.Outputs), need, len(body))
	}
	w := body[:0]
	for i := range b.Lanes {
		c := &b.Lanes[i]
		failpoint.Hit(failpoint.IntentSlot)
		for _, v := range [...]uint64{uint64(c.Lane), c.Generation, c.From} {
			w = le.AppendUint64(w, v)
		}
		for _, v := range c.To.words() {
			w = le.AppendUint64(w, *v)
		}
		w = le.AppendUint64(w, uint64(c.State))
		w = le.AppendUint64(w, 0)
		w = le.AppendUint64(w, 0)
	}
	for i := range b.Outputs {
		o := &b.Outputs[i]
		failpoint.Hit(failpoint.IntentSlot)
		for _, v := range [...]uint64{o.Device, o.Inode, uint64(o.Before), uint64(o.Length), uint64(len(o.Path)), uint64(len(o.Pieces))} {
			w = le.AppendUint64(w, v)
		}
		w = pad8(append(w, o.Path...))
		for _, sum := range o.Pieces {
			w = le.AppendUint32(w, sum)
		}
		w = pad8(w)
	}
	return uint64(len(w)), nil
}

func pad8(b []byte) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

// intentArea is the intent area's shared memory. A batch lies in one of two
// slots, so that a prepared batch can be replaced by another in one store.
type intentArea []byte

func (a intentArea) state() *word   { return wordAt(a, intState) }
func (a intentArea) window() []byte { return a[len(a)-intentWindowSize:] }

func (a intentArea) slot(i uint64) intentSlot {
	size := (uint64(len(a)) - intSlots - intentWindowSize) / 2 &^ 63
	off := intSlots + i*size
	return intentSlot(a[off : off+size : off+size])
}

// intentSlot is one of the two places for a batch.
type intentSlot []byte

func (s intentSlot) body() []byte { return s[sltBody:] }

// sum is the checksum over the fixed fields and a body of n bytes.
func (s intentSlot) sum(n uint64) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(s[:sltChecksum]), crc32.IEEETable, s[sltBody:sltBody+n])
}

// prepare writes the batch and then says PREPARED: from here on a reader that
// starts undoes what it finds of the batch in the outputs.
//
// If a batch is prepared already, b replaces it: it goes into the other slot, and
// one store changes from one to the other, so that at no instant a crash finds
// outputs begun and no batch that says so.
func (a intentArea) prepare(b *Batch) error {
	i := wordAt(a, intSlot).load()&1 ^ 1
	s := a.slot(i)
	n, err := b.encode(s.body())
	if err != nil {
		return err
	}
	put64(failpoint.IntentSlot, s, sltNumber, b.Number)
	putBytes(failpoint.IntentSlot, s[sltBootID:], b.BootID[:])
	put64(failpoint.IntentSlot, s, sltTime, uint64(b.Time))
	put64(failpoint.IntentSlot, s, sltLanes, uint64(len(b.Lanes))|uint64(len(b.Outputs))<<32)
	put64(failpoint.IntentSlot, s, sltBodySize, n)
	put32(failpoint.IntentSlot, s, sltChecksum, s.sum(n))
	// Release, both: the slot vouches for the batch, the state for the slot. A
	// window left from the batch before is told by its checksum.
	wordAt(a, intSlot).store(failpoint.IntentSwitch, b.Number<<1|i)
	wordAt(a, intWindow).store(failpoint.IntentWindow, 0)
	a.state().store(failpoint.IntentState, uint64(IntentPrepared))
	return nil
}

// setWindow keeps the bytes of the piece that is about to be written. The word
// that names the piece is cleared first and stored last, so that it never names
// bytes that are not there.
func (a intentArea) setWindow(output, piece int, p []byte) {
	w := wordAt(a, intWindow)
	w.store(failpoint.IntentWindow, 0)
	putBytes(failpoint.IntentWindow, a.window(), p)
	w.store(failpoint.IntentWindow, uint64(output+1)<<32|uint64(uint32(piece)))
}

// load reads the intent area. The area is copied first, so that what is checked
// is what is used. A state or content that cannot be is a *DamageError.
func (a intentArea) load(path string, lanes int) (Intent, error) {
	damaged := func(format string, args ...any) (Intent, error) {
		return Intent{}, &DamageError{Path: path, Lane: NoLane, Cause: "intent: " + fmt.Sprintf(format, args...)}
	}
	if IntentState(a.state().load()) == IntentNone {
		return Intent{}, nil // as nearly always: nothing to copy
	}
	c := make(intentArea, len(a))
	copy(c, a)
	in := Intent{State: IntentState(c.state().load())}
	switch in.State {
	case IntentNone:
		return in, nil
	case IntentPrepared, IntentApplied:
	default:
		return damaged("unknown state %#016x", uint64(in.State))
	}
	slot := wordAt(c, intSlot).load()
	s := c.slot(slot & 1)
	if number := le.Uint64(s[sltNumber:]); number != slot>>1 {
		return damaged("batch %d in slot %d, which has batch %d", slot>>1, slot&1, number)
	}
	n := le.Uint64(s[sltBodySize:])
	if n > uint64(len(s.body())) {
		return damaged("a body of %d bytes, there is room for %d", n, len(s.body()))
	}
	if got, want := s.sum(n), le.Uint32(s[sltChecksum:]); got != want {
		return damaged("its checksum is %08x, its bytes give %08x", want, got)
	}
	in.Batch = Batch{Number: le.Uint64(s[sltNumber:]), BootID: [16]byte(s[sltBootID:]), Time: int64(le.Uint64(s[sltTime:]))}
	if !in.Batch.decode(s.body()[:n], int(le.Uint32(s[sltLanes:])), int(le.Uint32(s[sltOutputs:])), lanes) {
		return damaged("its body does not parse")
	}
	in.loadWindow(c)
	return in, nil
}

// loadWindow takes the window's bytes if the window names a piece of the batch.
func (in *Intent) loadWindow(c intentArea) {
	w := wordAt(c, intWindow).load()
	output, piece := int(w>>32)-1, int64(uint32(w))
	if output < 0 || output >= len(in.Batch.Outputs) {
		return
	}
	o := &in.Batch.Outputs[output]
	if piece >= pieces(o.Length) {
		return
	}
	n := min(o.Length-piece*PieceSize, PieceSize)
	if bytes := c.window()[:n]; crc32.ChecksumIEEE(bytes) == o.Pieces[piece] {
		in.WindowOutput, in.WindowPiece, in.Window = output, int(piece), bytes
	}
}

// decode parses a body whose checksum holds; it may still be hostile, so every
// count is bounded by the bytes that are there before it sizes anything.
func (b *Batch) decode(body []byte, lanes, outputs, laneCount int) bool {
	if lanes > laneCount || outputs > MaxOutputs || uint64(lanes)*sltLaneSize > uint64(len(body)) {
		return false
	}
	for range lanes {
		var c LaneChange
		lane := le.Uint64(body)
		c.Lane, c.Generation, c.From = int(lane), le.Uint64(body[8:]), le.Uint64(body[16:])
		for i, w := range c.To.words() {
			*w = le.Uint64(body[24+8*i:])
		}
		c.State = LaneState(le.Uint64(body[72:]))
		if lane >= uint64(laneCount) {
			return false
		}
		b.Lanes = append(b.Lanes, c)
		body = body[sltLaneSize:]
	}
	for range outputs {
		if len(body) < sltOutputSize {
			return false
		}
		o := OutputChange{
			Device: le.Uint64(body), Inode: le.Uint64(body[8:]),
			Before: int64(le.Uint64(body[16:])), Length: int64(le.Uint64(body[24:])),
		}
		path, n := le.Uint64(body[32:]), le.Uint64(body[40:])
		body = body[sltOutputSize:]
		room := uint64(len(body))
		if path > room || n > room/4 || alignUp(path, 8)+alignUp(4*n, 8) > room ||
			o.Before < 0 || o.Length < 0 || o.Before > maxPosition || o.Length > maxPosition || int64(n) != pieces(o.Length) {
			return false
		}
		o.Path = string(body[:path])
		body = body[alignUp(path, 8):]
		for i := range n {
			o.Pieces = append(o.Pieces, le.Uint32(body[4*i:]))
		}
		body = body[alignUp(4*n, 8):]
		b.Outputs = append(b.Outputs, o)
	}
	return len(body) == 0
}
