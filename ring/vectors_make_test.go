package ring

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// vector is one behaviour: a ring, made by build, and what a reader must find in
// it, in one word for each item of lane 0 or one for the error. The words are
// written here by hand, so that -update cannot make a wrong reading the standard.
type vector struct {
	name, about string
	build       func(b *vectorRing)
	want        string
}

// vectorRing is a ring whose every byte is known.
type vectorRing struct {
	*heapFile
	*scribe // of lane 0
	cut     int
}

func newVectorRing(t testing.TB, kind ChecksumKind) *vectorRing {
	f := newHeapFile(t, 2, MinLaneSize)
	f.head.ID = [16]byte([]byte("vector ring id!!"))
	f.head.Created = time.Unix(1_700_000_000, 0)
	return &vectorRing{heapFile: f, scribe: f.scribe(0, kind, 0)}
}

func (r *vectorRing) image() []byte {
	copy(r.front, r.head.encode())
	b := r.heapFile.image()
	return b[:len(b)-r.cut]
}

var vectorClock = Clock{Kind: ClockMonotonic, Unix: 1_700_000_000_000_000_000, Base: 1000, Mult: nanosecondMult}

// begin makes an owner with its owner record, as a claimant does.
func (r *vectorRing) begin(generation uint64, label string, clock Clock) Owner {
	o := Owner{
		Generation: generation, BootID: [16]byte([]byte("boot id of tests")), PID: 4000 + generation, StartTicks: 77,
		Attached: 1_700_000_000_000_000_000, Label: label, Clock: clock, Checksum: r.kind, Begin: r.pos,
		BeginLost: r.f.entry(0).lost(),
	}
	p := make([]byte, ownPayload)
	le.PutUint64(p[ownGeneration:], o.Generation)
	le.PutUint64(p[ownPID:], o.PID)
	le.PutUint64(p[ownAttached:], uint64(o.Attached))
	le.PutUint32(p[ownClockKind:], uint32(clock.Kind))
	le.PutUint32(p[ownChecksumKind:], uint32(r.kind))
	le.PutUint64(p[ownClockUnix:], uint64(clock.Unix))
	le.PutUint64(p[ownClockBase:], clock.Base)
	le.PutUint64(p[ownClockMult:], clock.Mult)
	copy(p[ownLabel:], label)
	o.Begin = r.record(stateCommitted, KindOwner, 0, string(p))
	r.own(o, LaneOwned)
	return o
}

func (r *vectorRing) owner() { r.begin(1, "worker", vectorClock) }

// lap fills the lane with zeros up to n bytes before its end, and drains that.
func (r *vectorRing) lap(n uint64) {
	for target := MinLaneSize - n; r.pos < target; {
		size := min(MinLaneSize/maxRecordShare, target-r.pos)
		r.raw(strings.Repeat("\x00", int(size-recordHeader)))
	}
	r.progress(Progress{Consumer: r.pos, Delivered: 9, Sequence: 9})
}

// closed closes the lane.
func (r *vectorRing) closed() {
	le.PutUint64(r.f.entry(0)[lanState:], uint64(LaneClosed))
	le.PutUint64(r.f.entry(0)[lanProducer:], r.pos|closedBit)
}

// batch stores a batch in the intent area that has drained all that there is.
func (r *vectorRing) batch(state IntentState, window string) {
	off := r.head.IntentOffset
	a := intentArea(r.front[off : off+r.head.IntentLength])
	first, _, _ := strings.Cut(window, "|")
	b := &Batch{
		Number: 12, BootID: [16]byte([]byte("boot id of tests")), Time: 1_700_000_001_000_000_000,
		Lanes: []LaneChange{{Lane: 0, Generation: 1, From: 0, To: Progress{r.pos, 0, 1, 0, 1, 0}, State: LaneOwned}},
		Outputs: []OutputChange{
			{Path: "/tmp/app.log", Device: 1, Inode: 2, Before: 100, Length: int64(len(first)), Pieces: []uint32{crc32.ChecksumIEEE([]byte(first))}},
			{Path: "/tmp/ö.log", Device: 1, Inode: 3, Length: PieceSize + 1, Pieces: []uint32{7, 8}},
		},
	}
	if err := a.prepare(b); err != nil {
		panic(err)
	}
	a.setWindow(0, 0, []byte(window))
	a.state().store(failpoint.OwnIdentity, uint64(state))
}

// vectors is the list of all behaviours.
func vectors() []vector {
	const torn2 = "owner record torn record end"
	return []vector{
		{"empty", "a new ring; no lane was ever allocated", nil, ""},
		{"one-record", "one raw record behind the owner record", func(r *vectorRing) { r.owner(); r.raw("hello") }, "owner record end"},
		{"kinds-and-levels", "raw, log and unknown kinds; every named level, one between, and the extremes", func(r *vectorRing) {
			r.owner()
			for i, level := range []int16{-20, 0, 20, 40, 60, 21, -32768, 32767} {
				r.record(stateCommitted, Kind(1+i%2), level, fmt.Sprint("level ", level))
			}
			r.record(stateCommitted, 200, 0, "unknown kind")
		}, "owner record record record record record record record record record end"},
		{"payload-lengths", "payloads of 0 to 9 bytes: up to seven bytes of alignment, of any value", func(r *vectorRing) {
			r.owner()
			for n := range 10 {
				pos := r.raw("123456789"[:n])
				for i := recordHeader + n; (i+int(pos))%8 != 0; i++ {
					r.at(pos)[i] = 0xee
				}
			}
		}, "owner record record record record record record record record record record end"},
		{"largest-record", "a record of an eighth of the lane", func(r *vectorRing) {
			r.owner()
			r.raw(strings.Repeat("\x00", MinLaneSize/8-recordHeader))
		}, "owner record end"},
		{"wrapped", "records on both sides of the lane's end, with none of it between them", func(r *vectorRing) { r.owner(); r.lap(80); r.raw("before"); r.raw("12345678"); r.raw("behind") }, "record record record end"},
		{"padding", "a record that did not fit before the lane's end, and padding there", func(r *vectorRing) { r.owner(); r.lap(80); r.raw("before"); r.raw("behind padding") }, "record record end"},
		{"padding-8", "padding of 8 bytes, all that there was", func(r *vectorRing) { r.owner(); r.lap(48); r.raw("12345678"); r.raw("b") }, "record record end"},
		{"earlier-lap", "claims over records of an earlier lap, whose stamps are no stamps now", func(r *vectorRing) {
			r.owner()
			for r.pos < MinLaneSize {
				r.raw("an old record 16")
			}
			r.lap(0)
			r.unstamped(100)
			r.raw("new")
			r.unstamped(200)
		}, "torn record torn end"},
		{"torn-claimed", "the owner died between claim and commit; the length is followed to the producer position", func(r *vectorRing) { r.owner(); r.raw("a"); r.claimed(50) }, "owner record torn end"},
		{"torn-unstamped", "the owner died right after it moved the producer position", func(r *vectorRing) { r.owner(); r.raw("a"); r.unstamped(50) }, "owner record torn end"},
		{"committed-behind-claimed", "a record behind an unfinished one with a length", func(r *vectorRing) { r.owner(); r.raw("a"); r.claimed(50); r.raw("b") }, torn2},
		{"committed-behind-unstamped", "a record behind an unfinished one without a stamp: found by a scan", func(r *vectorRing) { r.owner(); r.raw("a"); r.unstamped(50); r.raw("b") }, torn2},
		{"committed-behind-two", "a claim, an unstamped claim, a record: the length leads to no stamp, so a scan", func(r *vectorRing) { r.owner(); r.raw("a"); r.claimed(50); r.unstamped(20); r.raw("b") }, torn2},
		{"unstamped-padding", "the owner died after it moved the position over padding and record", func(r *vectorRing) {
			r.owner()
			r.lap(40)
			r.pos += 40
			r.unstamped(60)
			r.raw("b")
		}, "torn record end"},
		{"forged", "an unfinished record whose payload has whole records of another key, and stamps without a record", func(r *vectorRing) {
			r.owner()
			forger := newVectorRing(nopTB{}, r.kind)
			forger.head.key = 0
			forger.pos = r.pos + recordHeader
			for range 3 {
				forger.raw("forged")
			}
			pos := r.raw(string(forger.bytes[r.pos+recordHeader:][:160]))
			r.stamp(pos, 0)
			r.raw("b")
		}, "owner torn record end"},
		{"padding-not-trusted-in-a-scan", "padding's stamp in an unfinished record", func(r *vectorRing) {
			r.owner()
			pos := r.unstamped(50)
			r.stamp(pos+16, statePadding)
			r.raw("b")
		}, "owner torn record end"},
		{"wrong-checksum", "a committed record with one wrong bit", func(r *vectorRing) { r.owner(); r.at(r.raw("a"))[recordHeader] ^= 4; r.raw("b") }, "owner damaged record end"},
		{"wrong-length", "a committed record whose length leads out of the lane", func(r *vectorRing) { r.owner(); r.at(r.raw("a"))[recLength+3] = 0x80; r.raw("b") }, "owner damaged record end"},
		{"stamp-at-the-end", "a record's stamp in the last 8 bytes of the lane, where no header has room", func(r *vectorRing) {
			r.owner()
			r.lap(48)
			r.raw("12345678")
			r.stamp(r.pos, stateCommitted)
			r.pos += 8
			r.raw("b")
		}, "record damaged record end"},
		{"ieee", "a lane with CRC-32 (IEEE), as Python writes it", nil, "owner record end"},
		{"other-checksum-kind", "a record of the other checksum kind in a lane", func(r *vectorRing) {
			r.owner()
			r.kind = ChecksumIEEE
			r.raw("ieee")
			r.kind = ChecksumCastagnoli
			r.raw("castagnoli")
		}, "owner record record end"},
		{"aborted", "a record given up by its writer, to be skipped", func(r *vectorRing) { r.owner(); r.record(stateAborted, KindRaw, 0, "gone"); r.raw("b") }, "owner record end"},
		{"not-a-ring", "another magic", func(r *vectorRing) { r.cut = -1 }, "error not-a-ring"},
		{"header-checksum", "one wrong bit in the ring id", func(r *vectorRing) { r.cut = -2 }, "error damaged"},
		{"version", "format version 2", func(r *vectorRing) { r.cut = -3 }, "error version"},
		{"incompatible", "an unknown incompatible feature", func(r *vectorRing) { r.head.incompatible = 1 << 40 }, "error unsupported"},
		{"read-compatible", "an unknown feature with which the ring may be read and not changed", func(r *vectorRing) { r.owner(); r.raw("a"); r.head.readCompatible = 1 << 40 }, "owner record end"},
		{"compatible", "an unknown feature that may be ignored", func(r *vectorRing) { r.owner(); r.raw("a"); r.head.compatible = 1 << 40 }, "owner record end"},
		{"geometry", "a header with a right checksum and lanes that are no power of two", func(r *vectorRing) { r.head.LaneSize = 3 << 15 }, "error damaged"},
		{"truncated", "a file that ends 8 bytes early", func(r *vectorRing) { r.owner(); r.cut = 8 }, "error truncated"},
		{"closed", "a lane that its owner closed, with a record to drain", func(r *vectorRing) { r.owner(); r.raw("a"); r.closed() }, "owner record end"},
		{"closed-and-drained", "a closed lane with nothing left", func(r *vectorRing) {
			r.owner()
			r.raw("a")
			r.closed()
			r.progress(Progress{Consumer: r.pos, Delivered: 1, Sequence: 1})
		}, "end"},
		{"two-owners", "a lane that changed hands: the records say by owner records whose they are", func(r *vectorRing) {
			r.owner()
			r.raw("of the first")
			r.begin(2, "second", vectorClock)
			r.raw("of the second")
		}, "owner record owner record end"},
		{"claimant-died", "a free lane whose claimant died behind its owner record: nobody's, and no record to deliver", func(r *vectorRing) { r.owner(); le.PutUint64(r.f.entry(0)[lanState:], 0) }, "owner end"},
		{"lost", "records that carry running totals of losses, across 2³²", func(r *vectorRing) {
			r.owner()
			for i, lost := range []uint64{1<<32 - 2, 1<<32 - 2, 1<<32 - 1, 1 << 32, 1<<32 + 5} {
				r.lost = uint32(lost)
				r.raw(fmt.Sprint(i))
			}
			put64(failpoint.OwnIdentity, r.f.entry(0), lanLost, 1<<32)
			put64(failpoint.OwnIdentity, r.f.entry(0), lanLost+8*3, 7)
			r.progress(Progress{LostSeen: 1<<32 - 2, Sequence: 1<<32 - 2})
		}, "owner record record record record record end"},
		{"producer-damaged", "a producer position that cannot be: the records are salvaged", func(r *vectorRing) {
			r.owner()
			r.raw("a")
			le.PutUint64(r.f.entry(0)[lanProducer:], 1<<40)
		}, "salvage owner record"},
		{"producer-behind", "a producer position in the middle of what was written: a whole record lies there", func(r *vectorRing) {
			r.owner()
			end := r.pos
			r.raw("a")
			le.PutUint64(r.f.entry(0)[lanProducer:], end)
		}, "salvage owner record"},
		{"progress-damaged", "a reader's line that fails its check", func(r *vectorRing) { r.owner(); r.raw("a"); r.f.entry(0)[lanConsumer] = 168 }, "salvage owner record"},
		{"identity-damaged", "an owner that fails its checksum; its records are whole", func(r *vectorRing) { r.owner(); r.raw("a"); r.f.entry(0)[lanLabel] ^= 1 }, "owner record end"},
		{"intent-prepared", "a prepared batch: the records are still to be delivered", func(r *vectorRing) { r.owner(); r.raw("a"); r.batch(IntentPrepared, "a line\n") }, "owner record end"},
		{"intent-window-foreign", "a prepared batch whose window has other bytes than the piece it names", func(r *vectorRing) { r.owner(); r.raw("a"); r.batch(IntentPrepared, "a line\n|"); r.foreign() }, "owner record end"},
		{"intent-applied", "an applied batch: who looks starts behind it", func(r *vectorRing) { r.owner(); r.raw("a"); r.batch(IntentApplied, "a line\n"); r.raw("b") }, "record end"},
		{"intent-damaged", "a batch that fails its checksum", func(r *vectorRing) {
			r.owner()
			r.raw("a")
			r.batch(IntentApplied, "a line\n")
			for i := range uint64(2) {
				intentArea(r.front[r.head.IntentOffset:][:r.head.IntentLength]).slot(i)[sltNumber] ^= 1
			}
		}, "owner record end"},
		{"label", "a label that is not ASCII", func(r *vectorRing) { r.begin(1, "Ölmühle 工場 😀", vectorClock); r.raw("ä") }, "owner record end"},
		{"clock-unix", "timestamps in Unix nanoseconds", func(r *vectorRing) {
			r.begin(1, "worker", unixClock)
			r.time = 1_700_000_000_123_456_789
			r.raw("a")
		}, "owner record end"},
		{"clock-counter", "timestamps of a cycle counter of 3 GHz, also before its base", func(r *vectorRing) {
			r.begin(1, "worker", Clock{Kind: ClockCounter, Unix: 1_700_000_000_000_000_000, Base: 1 << 40, Mult: nanosecondMult / 3})
			for _, time := range []uint64{1 << 40, 1<<40 + 3_000_000_000, 1<<40 - 3000} {
				r.time = time
				r.raw("a")
			}
		}, "owner record record record end"},
	}
}

// foreign changes the window's first byte.
func (r *vectorRing) foreign() {
	intentArea(r.front[r.head.IntentOffset:][:r.head.IntentLength]).window()[0] ^= 1
}

// nopTB is for making a ring outside of a test.
type nopTB struct{ testing.TB }

func (nopTB) Helper() {}

// make builds the vector's file.
func (v *vector) make(t testing.TB) []byte {
	kind := ChecksumCastagnoli
	if v.name == "ieee" {
		kind = ChecksumIEEE
	}
	r := newVectorRing(t, kind)
	switch {
	case v.build != nil:
		v.build(r)
	case v.name == "ieee":
		r.owner()
		r.raw("zlib.crc32")
	}
	harm := r.cut
	r.cut = max(r.cut, 0)
	b := r.image()
	switch harm {
	case -1:
		b[0] = 'r'
	case -2:
		b[hdrRingID] ^= 1
	case -3:
		b[hdrVersion] = 2
		seal(b)
	}
	return b
}

func writeVectors(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(vectorDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors() {
		content := dump(v.make(t))
		found := describe(t, undump(t, content))
		if got := summary(found); got != v.want {
			t.Errorf("%s: a reader finds %q, it should be %q; not written", v.name, got, v.want)
			continue
		}
		head := append([]string{"name: " + v.name, "about: " + v.about}, found...)
		if err := os.WriteFile(filepath.Join(vectorDir, v.name+".txt"), []byte(strings.Join(head, "\n")+"\n\n"+content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// summary is what lines say of the error, or of lane 0's items, in a few words.
func summary(lines []string) string {
	var words []string
	for _, line := range lines {
		if after, ok := strings.CutPrefix(line, "open: error"); ok {
			return "error" + after
		}
		rest, ok := strings.CutPrefix(line, "lane 0: ")
		word, _, _ := strings.Cut(rest, " ")
		switch {
		case !ok || strings.HasPrefix(word, "state=") || word == "progress" || word == "owner":
		case strings.Contains(rest, "kind=owner"):
			words = append(words, "owner")
		default:
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// The files are what their list says, byte for byte.
func TestVectorsAreThoseOfTheirList(t *testing.T) {
	t.Parallel()
	var names []string
	for _, v := range vectors() {
		names = append(names, v.name)
		b, err := os.ReadFile(filepath.Join(vectorDir, v.name+".txt"))
		if err != nil {
			t.Error(err)
			continue
		}
		head, content, _ := strings.Cut(string(b), "\n\n")
		if got := summary(strings.Split(head, "\n")); got != v.want {
			t.Errorf("%s says %q, want %q", v.name, got, v.want)
		}
		if content != dump(v.make(t)) {
			t.Errorf("%s has other bytes than its builder makes", v.name)
		}
	}
	files, _ := filepath.Glob(vectorDir + "/*.txt")
	for _, path := range files {
		if name := strings.TrimSuffix(filepath.Base(path), ".txt"); !slices.Contains(names, name) {
			t.Errorf("%s is on no list", path)
		}
	}
}
