package ring

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// sampleBatch has every field set to something else, a lane that carries losses
// only, and outputs of no, one and several pieces.
func sampleBatch(number uint64) *Batch {
	return &Batch{
		Number: number, BootID: [16]byte{1, 2, 3, 15: 16}, Time: 1_700_000_000_123_456_789,
		Lanes: []LaneChange{
			{Lane: 2, Generation: 5, From: 128, To: Progress{4096, 1, 2, 3, 4, 5}, State: LaneFree},
			{Lane: 0, Generation: 1, From: 640, To: Progress{640, 9, 0, 0, 9, 0}, State: LaneOwned},
		},
		Outputs: []OutputChange{
			{Path: "/var/log/app.log", Device: 7, Inode: 8, Before: 1 << 40, Length: 2*PieceSize + 5, Pieces: []uint32{1, 2, crc32.ChecksumIEEE([]byte("third"))}},
			{Path: "/ö", Device: 7, Inode: 9, Length: 1, Pieces: []uint32{4}},
			{Path: "/empty", Before: 3},
		},
	}
}

const intentTestSize = minIntentSize

func newIntentArea() intentArea { return make(intentArea, intentTestSize) }

func mustLoad(t *testing.T, a intentArea) Intent {
	t.Helper()
	in, err := a.load("ring", 8)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestIntentComesBackAsItWasPrepared(t *testing.T) {
	t.Parallel()
	a := newIntentArea()
	if in := mustLoad(t, a); in.State != IntentNone {
		t.Errorf("new area: %#x", in.State)
	}
	b := sampleBatch(1)
	if err := a.prepare(b); err != nil {
		t.Fatal(err)
	}
	if in := mustLoad(t, a); in.State != IntentPrepared || !reflect.DeepEqual(&in.Batch, b) || in.Window != nil {
		t.Errorf("loaded %+v\nwant %+v", in.Batch, b)
	}
	a.state().store(failpoint.OwnIdentity, uint64(IntentApplied))
	if in := mustLoad(t, a); in.State != IntentApplied || !reflect.DeepEqual(&in.Batch, b) {
		t.Errorf("applied: %+v", in)
	}
	a.state().store(failpoint.OwnIdentity, uint64(IntentNone))
	if in := mustLoad(t, a); in.State != IntentNone {
		t.Errorf("cleared: %+v", in)
	}
}

func TestWindowIsTheBytesOfThePieceThatWasBegun(t *testing.T) {
	t.Parallel()
	a := newIntentArea()
	if err := a.prepare(sampleBatch(1)); err != nil {
		t.Fatal(err)
	}
	a.setWindow(0, 2, []byte("third"))
	if in := mustLoad(t, a); in.WindowOutput != 0 || in.WindowPiece != 2 || string(in.Window) != "third" {
		t.Errorf("window %d, %d, %q", in.WindowOutput, in.WindowPiece, in.Window)
	}
	a.setWindow(0, 2, []byte("other"))
	if in := mustLoad(t, a); in.Window != nil {
		t.Errorf("bytes that are not the piece's are taken: %q", in.Window)
	}
	for _, w := range [][2]int{{3, 0}, {0, 3}, {2, 0}, {1, 1}, {63, 1 << 30}} {
		a.setWindow(w[0], w[1], []byte("third"))
		if in := mustLoad(t, a); in.Window != nil {
			t.Errorf("window on piece %d of output %d, which the batch does not have", w[1], w[0])
		}
	}
	a.setWindow(0, 2, []byte("third"))
	if err := a.prepare(sampleBatch(2)); err != nil {
		t.Fatal(err)
	}
	if in := mustLoad(t, a); in.Window != nil {
		t.Error("the window of the batch before is still there")
	}
}

func TestBatchThatDoesNotFitIsRefusedAndTheFormerOneStays(t *testing.T) {
	t.Parallel()
	a := newIntentArea()
	former := sampleBatch(1)
	if err := a.prepare(former); err != nil {
		t.Fatal(err)
	}
	tooMany := sampleBatch(2)
	tooMany.Outputs = make([]OutputChange, MaxOutputs+1)
	tooLong := sampleBatch(2)
	tooLong.Outputs[0].Path = string(make([]byte, len(a)))
	tooWide := sampleBatch(2)
	tooWide.Lanes = make([]LaneChange, len(a)/sltLaneSize)
	for _, b := range []*Batch{tooMany, tooLong, tooWide} {
		if err := a.prepare(b); !errors.Is(err, ErrBatchTooLarge) {
			t.Errorf("prepare: %v", err)
		}
		if in := mustLoad(t, a); !reflect.DeepEqual(&in.Batch, former) {
			t.Errorf("the former batch became %+v", in.Batch)
		}
	}
}

func TestBatchThatCostsAllTheRoomFits(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 8, 1024)
	c := f.consumer(t)
	b := sampleBatch(1)
	rest := c.IntentRoom() - IntentCost(len(b.Lanes), 0)
	for i := range b.Outputs {
		rest -= OutputCost(len(b.Outputs[i].Path), b.Outputs[i].Length)
	}
	b.Outputs[2].Path += string(make([]byte, rest/8*8+2)) // "/empty" takes 8 bytes already
	if err := c.Prepare(b); err != nil {
		t.Fatal(err)
	}
	in, err := c.Intent()
	if err != nil || !reflect.DeepEqual(&in.Batch, b) {
		t.Errorf("loaded with error %v", err)
	}
	b.Outputs[2].Path += "12345678"
	if err := c.Prepare(b); !errors.Is(err, ErrBatchTooLarge) {
		t.Errorf("8 bytes more: %v", err)
	}
}

// splitIntent is an intent area of which the bytes from x on begin a page.
func splitIntent(t *testing.T, x uint64) (a intentArea, before, from []byte) {
	m := pages(t, intentTestSize+2*pageSize)
	shift := pageSize - x%pageSize
	at := shift + x
	return intentArea(m[shift : shift+intentTestSize : shift+intentTestSize]), m[:at], m[at:alignUp(shift+intentTestSize, pageSize)]
}

// diesAtEachStore runs store on an intent area that was set up by prepare, ends
// it at each of its stores, and has judge look at what is left.
func diesAtEachStore(t *testing.T, setUp, store func(a intentArea), judge func(at string, in Intent)) {
	t.Helper()
	deaths := 0
	splits := []uint64{intentTestSize - intentWindowSize, intentTestSize - intentWindowSize + 8}
	second := intSlots + uint64(len(newIntentArea().slot(0)))
	for x := uint64(0); x <= intSlots+sltBody+128; x += 8 {
		splits = append(splits, x, second+x)
	}
	for _, x := range splits {
		for h := range 2 {
			a, before, from := splitIntent(t, x)
			setUp(a)
			target := [][]byte{before, from}[h]
			protect(t, target, true)
			_, died := dies(func() { store(a) })
			protect(t, target, false)
			if died {
				deaths++
			}
			judge(fmt.Sprintf("split %#x, half %d, died %v", x, h, died), mustLoad(t, a))
		}
	}
	if deaths < 10 {
		t.Errorf("only %d deaths", deaths)
	}
}

func TestReaderThatDiesWhileItPreparesLeavesNoneOrAll(t *testing.T) {
	t.Parallel()
	b := sampleBatch(2)
	diesAtEachStore(t,
		func(a intentArea) {
			a.prepare(sampleBatch(1))
			a.state().store(failpoint.OwnIdentity, uint64(IntentNone))
		},
		func(a intentArea) { a.prepare(b) },
		func(at string, in Intent) {
			if in.State != IntentNone && !reflect.DeepEqual(&in.Batch, b) {
				t.Errorf("%s: %+v", at, in.Batch)
			}
		})
}

func TestReaderThatDiesWhileItReplacesAPreparedBatchLeavesOneOfTheTwo(t *testing.T) {
	t.Parallel()
	former, b := sampleBatch(1), sampleBatch(2)
	b.Outputs = b.Outputs[:1]
	diesAtEachStore(t,
		func(a intentArea) { a.prepare(former) },
		func(a intentArea) { a.prepare(b) },
		func(at string, in Intent) {
			if in.State != IntentPrepared || !reflect.DeepEqual(&in.Batch, b) && !reflect.DeepEqual(&in.Batch, former) {
				t.Errorf("%s: state %#x, %+v", at, in.State, in.Batch)
			}
		})
}

// The two words are next to each other. Both refuse stores, and the first that is
// tried must be the one that names the slot: the state vouches for it.
func TestIntentNamesItsSlotBeforeItsState(t *testing.T) {
	t.Parallel()
	a, before, _ := splitIntent(t, intWindow)
	protect(t, before, true)
	at, died := dies(func() { a.prepare(sampleBatch(1)) })
	if !died || at != addressOf(a)+intSlot {
		t.Errorf("died %v at offset %d", died, at-addressOf(a))
	}
}

func TestReaderThatDiesWhileItSetsTheWindowLeavesNoForeignBytes(t *testing.T) {
	t.Parallel()
	diesAtEachStore(t,
		func(a intentArea) {
			b := sampleBatch(1)
			b.Outputs[0].Pieces[1] = crc32.ChecksumIEEE(make([]byte, PieceSize))
			a.prepare(b)
			a.setWindow(0, 1, make([]byte, PieceSize))
		},
		func(a intentArea) { a.setWindow(0, 2, []byte("third")) },
		func(at string, in Intent) {
			if w := string(in.Window); in.Window != nil && (in.WindowPiece == 2) != (w == "third") {
				t.Errorf("%s: piece %d, %.10q", at, in.WindowPiece, w)
			}
		})
}

func TestFlippedByteOfAnIntentIsNoticed(t *testing.T) {
	t.Parallel()
	a := newIntentArea()
	b := sampleBatch(1)
	if err := a.prepare(b); err != nil {
		t.Fatal(err)
	}
	used := 0
	first := intSlots + len(a.slot(0))
	for _, off := range append(upTo(0, intSlots+800), upTo(first, first+800)...) {
		a[off] ^= 0x04
		in, err := a.load("ring", 8)
		var damage *DamageError
		switch {
		case errors.As(err, &damage):
			used++
			if damage.Lane != NoLane {
				t.Errorf("byte %#x: %v", off, err)
			}
		case err != nil:
			t.Errorf("byte %#x: %v", off, err)
		case !reflect.DeepEqual(&in.Batch, b) || in.Window != nil || in.State != IntentPrepared:
			t.Errorf("byte %#x flipped and not noticed", off)
		}
		a[off] ^= 0x04
	}
	if used < 400 {
		t.Errorf("only %d bytes matter", used)
	}
}

func upTo(from, to int) (all []int) {
	for ; from < to; from++ {
		all = append(all, from)
	}
	return all
}

func TestHostileIntentBodiesAreRefused(t *testing.T) {
	t.Parallel()
	good := make([]byte, intentTestSize)
	b := sampleBatch(1)
	n, err := b.encode(good)
	if err != nil {
		t.Fatal(err)
	}
	good = good[:n]
	lanes, outputs := len(b.Lanes), len(b.Outputs)
	refused := func(what string, body []byte, lanes, outputs int) {
		t.Helper()
		var got Batch
		if got.decode(body, lanes, outputs, 8) {
			t.Errorf("%s: parsed as %+v", what, got)
		}
	}
	for i := range good {
		refused(fmt.Sprintf("cut at %d", i), good[:i], lanes, outputs)
	}
	refused("bytes behind", append(bytes.Clone(good), make([]byte, 8)...), lanes, outputs)
	for _, n := range []int{lanes - 1, lanes + 1, 8, 9, 1<<32 - 1} {
		refused(fmt.Sprint(n, " lanes"), good, n, outputs)
	}
	for _, n := range []int{outputs - 1, outputs + 1, MaxOutputs + 1, 1<<32 - 1} {
		refused(fmt.Sprint(n, " outputs"), good, lanes, n)
	}
	// Every word of the first lane change and of the first output, made huge. A
	// number that is only a value is no length, and parses.
	values := map[int]bool{8: true, 16: true, 24: true, 32: true, 40: true, 48: true, 56: true, 64: true, 72: true, 80: true, 88: true}
	for off := 0; off < lanes*sltLaneSize+sltOutputSize; off += 8 {
		inLane := off < lanes*sltLaneSize
		if inLane && values[off%sltLaneSize] || !inLane && off < lanes*sltLaneSize+16 {
			continue
		}
		for _, v := range []uint64{1<<64 - 1, 1 << 63, 1<<63 - 1, 1 << 62, 1 << 32, 9} {
			if off == lanes*sltLaneSize+16 && v < maxPosition || off == lanes*sltLaneSize+32 && v == 9 {
				continue // a size before, and a path cut short, that can be
			}
			body := bytes.Clone(good)
			put64(failpoint.OwnIdentity, body, uint64(off), v)
			refused(fmt.Sprintf("word %#x = %#x", off, v), body, lanes, outputs)
		}
	}
}
