package ring

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/vectors/ring anew from vectors_make_test.go")

const vectorDir = "../testdata/vectors/ring"

// TestVectors replays the vectors of testdata/vectors/README.md, "ring files": it
// reads each as a dead ring and compares what it finds with what the file says.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	files, err := filepath.Glob(vectorDir + "/*.txt")
	if err != nil || len(files) < len(vectors()) {
		t.Fatalf("%d vectors, error %v", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			head, dump, _ := strings.Cut(string(b), "\n\n")
			var want []string
			for _, line := range strings.Split(head, "\n") {
				if !strings.HasPrefix(line, "name:") && !strings.HasPrefix(line, "about:") {
					want = append(want, line)
				}
			}
			if got := describe(t, undump(t, dump)); !slices.Equal(got, want) {
				t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// undump turns a sparse hex dump into a file, with holes where nothing is named:
// a lane that is all hole was never allocated.
func undump(t *testing.T, dump string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vector.ring")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, line := range strings.Split(strings.TrimSpace(dump), "\n") {
		if size, ok := strings.CutPrefix(line, "size "); ok {
			n, err := strconv.ParseInt(size, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Truncate(n); err != nil {
				t.Fatal(err)
			}
			continue
		}
		at, bytes, ok := strings.Cut(line, ": ")
		off, err := strconv.ParseInt(at, 16, 64)
		if !ok || err != nil {
			t.Fatalf("line %q", line)
		}
		if _, err := f.WriteAt(unhex(t, bytes), off); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// dumpLine is how many bytes a line of the dump has.
const dumpLine = 32

func dump(image []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "size %d\n", len(image))
	for off := 0; off < len(image); off += dumpLine {
		line := image[off:min(off+dumpLine, len(image))]
		if !bytes.Equal(line, make([]byte, len(line))) {
			fmt.Fprintf(&b, "%08x: %s\n", off, hex.EncodeToString(line))
		}
	}
	return b.String()
}

// openWord is what a vector calls the error of opening.
func openWord(err error) string {
	var damage *DamageError
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrNotRing):
		return "error not-a-ring"
	case errors.Is(err, ErrVersion):
		return "error version"
	case errors.Is(err, ErrUnsupported):
		return "error unsupported"
	case errors.Is(err, ErrTruncated):
		return "error truncated"
	case errors.As(err, &damage):
		return "error damaged"
	}
	return "error " + err.Error()
}

// describe reads the ring at path as a dead one and says all that it finds.
func describe(t *testing.T, path string) (lines []string) {
	t.Helper()
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	f, err := openFile(path, os.O_RDONLY)
	if err == nil {
		f.close()
	}
	write := openWord(err)
	in, err := Inspect(path)
	say("open: %s", openWord(err))
	say("open-write: %s", write)
	if err != nil {
		return lines
	}
	defer in.Close()
	h := in.Ring()
	say("ring: id=%x created=%d lanes=%d lane-size=%d", h.ID, h.Created.UnixNano(), h.LaneCount, h.LaneSize)
	intent, err := in.Intent()
	describeIntent(intent, err, say)
	for i := range h.LaneCount {
		describeLane(t, in, i, &intent, say)
	}
	return lines
}

func describeIntent(in Intent, err error, say func(string, ...any)) {
	names := map[IntentState]string{IntentNone: "none", IntentPrepared: "prepared", IntentApplied: "applied"}
	switch {
	case err != nil:
		say("intent: damaged")
		return
	case in.State == IntentNone:
		say("intent: none")
		return
	}
	say("intent: %s number=%d boot=%x time=%d", names[in.State], in.Batch.Number, in.Batch.BootID, in.Batch.Time)
	for _, c := range in.Batch.Lanes {
		say("intent lane: %d generation=%d from=%d %s state=%s", c.Lane, c.Generation, c.From, progressWords(c.To), c.State)
	}
	for _, o := range in.Batch.Outputs {
		say("intent output: device=%d inode=%d before=%d length=%d pieces=%08x path=%s", o.Device, o.Inode, o.Before, o.Length, o.Pieces, o.Path)
	}
	if in.Window != nil {
		say("intent window: output=%d piece=%d bytes=%s", in.WindowOutput, in.WindowPiece, payloadWord(in.Window))
	}
}

func progressWords(p Progress) string {
	return fmt.Sprintf("consumer=%d lost-seen=%d delivered=%d torn=%d sequence=%d damaged=%d",
		p.Consumer, p.LostSeen, p.Delivered, p.Torn, p.Sequence, p.Damaged)
}

// payloadWord is the bytes in hexadecimal; many zeros are written as 00*count.
func payloadWord(b []byte) string {
	if len(b) > 64 && bytes.Equal(b, make([]byte, len(b))) {
		return fmt.Sprintf("00*%d", len(b))
	}
	return hex.EncodeToString(b)
}

func describeLane(t *testing.T, in *Inspector, i int, intent *Intent, say func(string, ...any)) {
	t.Helper()
	l, ok, err := in.CopyLane(i)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		say("lane %d: state=%s, never allocated", i, in.Entry(i).State())
		return
	}
	end, closed := l.Produced()
	say("lane %d: state=%s producer=%d closed=%v lost=%d", i, strings.Fields(l.State().String())[0], end, closed, l.Lost())
	if o, ok := l.Owner(); ok {
		say("lane %d: owner generation=%d boot=%x begin=%d pid=%d start=%d attached=%d %s checksum=%d label=%s", i,
			o.Generation, o.BootID, o.Begin, o.PID, o.StartTicks, o.Attached, clockWords(o.Clock), o.Checksum, o.Label)
	} else {
		say("lane %d: owner damaged", i)
	}
	p, whole := l.Progress()
	if whole {
		say("lane %d: progress %s", i, progressWords(p))
	} else {
		say("lane %d: progress damaged", i)
	}
	// Who only looks starts where an applied intent ends (D7).
	pos := p.Consumer
	for _, c := range intent.Batch.Lanes {
		if intent.State == IntentApplied && c.Lane == i && c.Generation == l.Generation() {
			pos = max(pos, c.To.Consumer)
		}
	}
	if !whole || !l.Readable(pos, end) || l.Behind(end) {
		say("lane %d: salvage", i)
		for _, pos := range l.Salvage(0) {
			it, _ := l.At(pos)
			describeItem(l.Lane, it, say)
		}
		return
	}
	l.Rewind(pos, end)
	for {
		it := l.Final(pos, end)
		describeItem(l.Lane, it, say)
		if pos = it.Next; it.Outcome == OutcomeEnd {
			return
		}
	}
}

func clockWords(c Clock) string {
	return fmt.Sprintf("clock=%s unix=%d base=%d mult=%d", c, c.Unix, c.Base, c.Mult)
}

func describeItem(l *Lane, it Item, say func(string, ...any)) {
	if it.Outcome != OutcomeRecord {
		say("lane %d: %s pos=%d next=%d", l.Index, it.Outcome, it.Position, it.Next)
		return
	}
	o, _ := l.Owner()
	kinds := map[Kind]string{KindRaw: "raw", KindLog: "log", KindOwner: "owner"}
	kind := kinds[it.Kind]
	if kind == "" {
		kind = fmt.Sprint(it.Kind)
	}
	say("lane %d: record pos=%d next=%d kind=%s level=%d time=%d unix=%d lost=%d payload=%s", l.Index,
		it.Position, it.Next, kind, it.Level, it.Time, o.Clock.UnixNano(it.Time), it.Lost, payloadWord(it.Payload))
}
