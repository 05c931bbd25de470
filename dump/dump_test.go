package dump

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// jsonLines is what ringdump --format json prints.
func jsonLines(d *Dump) string {
	var b []byte
	f := format.NewJSON()
	for l := range d.Lines() {
		b = f.Append(b, &l.Line)
	}
	return string(b)
}

// kinds are the kinds of d's issues.
func kinds(d *Dump) []Kind {
	var list []Kind
	for _, i := range d.Issues() {
		list = append(list, i.Kind)
	}
	return list
}

func TestDumpShowsTheSameLinesAsTheDrain(t *testing.T) {
	t.Parallel()
	path := newRing(t, 4)
	first := attach(t, path, "first")
	say(t, first, "before", 0, 100)
	if _, err := drain(path, filepath.Join(t.TempDir(), "early")); err != nil {
		t.Fatal(err)
	}
	second := attach(t, path, "second")
	for i := range 50 {
		say(t, first, "first", i, i+1)
		if i%10 == 3 {
			first.CountLost(ring.LostFull, 40)
		}
		e := record.Entry{Logger: "trades", Message: fmt.Sprint("second ", i), Attrs: []slog.Attr{slog.Int("i", i)}}
		n, err := e.Size()
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, n)
		if err := e.Encode(payload); err != nil {
			t.Fatal(err)
		}
		if err := second.Append(payload, 20, ring.KindLog); err != nil {
			t.Fatal(err)
		}
	}
	first.CountLost(ring.LostTooLarge, 0)
	closeLane(t, first)
	closeLane(t, second)

	d := Scan(inspect(t, path), Options{})
	got := jsonLines(d)
	if len(d.Issues()) > 0 {
		t.Errorf("issues: %v", d.Issues())
	}
	out := filepath.Join(t.TempDir(), "out")
	r, err := reader.Open(path, reader.Options{
		Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}}}, Until: reader.UntilEmpty,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if want := string(image(t, out)); got != want {
		t.Errorf("ringdump shows\n%s\nthe drain wrote\n%s", got, want)
	}
	if n := len(messages(Scan(inspect(t, path), Options{}))); n != 0 {
		t.Errorf("%d records are shown after the drain", n)
	}
}

func TestDumpLeavesTheFileAsItIs(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	say(t, attach(t, path, "w"), "w", 0, 50)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(image(t, path))
	if n := len(messages(Scan(inspect(t, path), Options{All: true}))); n != 50 {
		t.Errorf("%d records, want 50", n)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !before.ModTime().Equal(after.ModTime()) || sha256.Sum256(image(t, path)) != sum {
		t.Error("the file was changed")
	}
}

func TestDumpSaysInProgressOfALiveOwnerAndTornOfADeadOne(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p := attach(t, path, "w")
	say(t, p, "w", 0, 5)
	c, err := p.Claim(100, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	say(t, p, "w", 5, 10)

	live := Scan(inspect(t, path), Options{})
	if got, want := kinds(live), []Kind{InProgress}; !slices.Equal(got, want) {
		t.Errorf("live: %v, want %v", got, want)
	}
	in, err := inspectBytes(image(t, path))
	if err != nil {
		t.Fatal(err)
	}
	dead := Scan(in, Options{})
	if got, want := kinds(dead), []Kind{Vanished, Torn}; !slices.Equal(got, want) {
		t.Errorf("dead: %v, want %v", got, want)
	}
	if a, b := messages(live), messages(dead); len(a) != 10 || !slices.Equal(a, b) {
		t.Errorf("live %q, dead %q: want the same 10 records", a, b)
	}
	p.Commit(c)
}

func TestDumpShowsDrainedRecordsAndEarlierOwnersWhenAllAreWanted(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	for _, worker := range []string{"one", "two", "three"} {
		p := attach(t, path, worker)
		say(t, p, worker, 0, 3)
		closeLane(t, p)
		if _, err := drain(path, filepath.Join(t.TempDir(), "out")); err != nil {
			t.Fatal(err)
		}
	}
	in := inspect(t, path)
	if n := Scan(in, Options{}).Len(); n != 0 {
		t.Errorf("%d records are not drained", n)
	}
	workers := map[string]int{}
	for l := range Scan(in, Options{All: true}).Lines() {
		workers[l.Origin.Worker]++
		if m := string(l.Record.Message()); m[:3] != l.Origin.Worker[:3] || l.Seq != 0 {
			t.Errorf("%q is said to be of %s, number %d", m, l.Origin.Worker, l.Seq)
		}
	}
	if len(workers) != 3 || workers["one"] != 3 || workers["two"] != 3 || workers["three"] != 3 {
		t.Errorf("records by worker: %v", workers)
	}
}

func TestDumpReadsAgainWhatItDidNotKeep(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	say(t, attach(t, path, "a"), "a", 0, 100)
	say(t, attach(t, path, "b"), "b", 0, 100)
	d := Scan(inspect(t, path), Options{})
	want := messages(d)
	clear(d.copies)
	if got := messages(d); !slices.Equal(got, want) {
		t.Errorf("%d lines, want the %d of the kept copies", len(got), len(want))
	}
}

func TestDumpReportsAsOverrunWhatIsGoneWhenItIsReadAgain(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	p := attach(t, path, "w")
	say(t, p, "w", 0, 400)
	d := Scan(inspect(t, path), Options{})
	clear(d.copies)
	for lap := 1; lap < 4; lap++ {
		if _, err := drain(path, filepath.Join(t.TempDir(), "out")); err != nil {
			t.Fatal(err)
		}
		say(t, p, "later", 0, 400)
	}
	if got := messages(d); len(got) > 0 {
		t.Errorf("%d lines of records that are gone", len(got))
	}
	if got, want := kinds(d), []Kind{Overrun}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// withIntent returns the image of a ring with 10 records in lane 0, and in the
// given state a batch that moves the lane up to the fifth record.
func withIntent(t *testing.T, state ring.IntentState) []byte {
	path := newRing(t, 1)
	p := attach(t, path, "w")
	say(t, p, "w", 0, 5)
	c, err := ring.OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l, err := c.Lane(0)
	if err != nil {
		t.Fatal(err)
	}
	to, _ := l.Produced()
	say(t, p, "w", 5, 10)
	batch := ring.Batch{
		Number: 1, BootID: c.BootID(),
		Lanes: []ring.LaneChange{{
			Lane: 0, Generation: l.Generation(), State: ring.LaneOwned,
			To: ring.Progress{Consumer: to, Delivered: 5, Sequence: 5},
		}},
		Outputs: []ring.OutputChange{{Path: "/logs/app.log", Before: 1000, Length: 10, Pieces: []uint32{1}}},
	}
	if err := c.Prepare(&batch); err != nil {
		t.Fatal(err)
	}
	if state == ring.IntentApplied {
		c.MarkApplied()
	}
	return image(t, path)
}

func TestDumpShowsAPreparedBatchAndNamesItsOutputs(t *testing.T) {
	t.Parallel()
	in, err := inspectBytes(withIntent(t, ring.IntentPrepared))
	if err != nil {
		t.Fatal(err)
	}
	d := Scan(in, Options{})
	if n := len(messages(d)); n != 10 {
		t.Errorf("%d records, want 10", n)
	}
	if u := d.Unfinished(); len(u) != 1 || u[0].Path != "/logs/app.log" || u[0].Before != 1000 {
		t.Errorf("unfinished outputs: %+v", u)
	}
}

func TestDumpStartsBehindAnAppliedBatch(t *testing.T) {
	t.Parallel()
	in, err := inspectBytes(withIntent(t, ring.IntentApplied))
	if err != nil {
		t.Fatal(err)
	}
	d := Scan(in, Options{})
	var seqs []uint64
	for l := range d.Lines() {
		seqs = append(seqs, l.Seq)
	}
	if want := []uint64{6, 7, 8, 9, 10}; !slices.Equal(seqs, want) || len(d.Unfinished()) > 0 {
		t.Errorf("numbers %v, want %v; unfinished: %v", seqs, want, d.Unfinished())
	}
}

func TestCountsAddUpToWhatTheLinesSay(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p := attach(t, path, "w")
	say(t, p, "w", 0, 7)
	p.CountLost(ring.LostFull, 0)
	p.CountLost(ring.LostFull, 0)
	say(t, p, "w", 7, 8)
	c := Scan(inspect(t, path), Options{}).Count()
	if c.Records != 8 || c.Lost != 2 || c.First > c.Last || c.First == 0 {
		t.Errorf("%+v", c)
	}
	if w := c.Workers(); len(w) != 1 || w[0].Records != 8 || w[0].Lost != 2 || w[0].Key.Worker != "w" {
		t.Errorf("workers: %+v", w)
	}
	if l := c.Loggers(); len(l) != 1 || l[0] != (Count[string]{Key: "", Records: 8}) {
		t.Errorf("loggers: %+v", l)
	}
	if l := c.Levels(); len(l) != 1 || l[0] != (Count[record.Level]{Key: record.LevelInfo, Records: 8}) {
		t.Errorf("levels: %+v", l)
	}
}

func TestDumpOfRandomBytesBehindAHeaderEnds(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	say(t, attach(t, path, "w"), "w", 0, 300)
	b := image(t, path)
	for i := 4096; i < len(b); i++ {
		b[i] ^= byte(i*i>>7) | 1
	}
	in, err := ring.NewInspector("image", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	d := Scan(in, Options{All: true})
	if n := len(messages(d)); n != 0 || len(d.Issues()) == 0 {
		t.Errorf("%d records and %d issues, want none and some", n, len(d.Issues()))
	}
}
