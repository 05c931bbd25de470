package writer

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"sync"
	"testing"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

func TestAppendDeliversEveryByteAndTheLevel(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	want := []struct {
		level   record.Level
		message string
	}{
		{record.LevelInfo, "plain"},
		{record.LevelDebug, ""},
		{record.LevelCritical, "line\n"},
		{-32768, "\x00\xff"},
		{32767, string(block)},
	}
	for _, r := range want {
		if err := w.Append(r.level, []byte(r.message)); err != nil {
			t.Fatal(err)
		}
	}
	items := d.take(w)
	if len(items) != len(want) {
		t.Fatalf("%d records, want %d", len(items), len(want))
	}
	for i, it := range items {
		if it.Kind != ring.KindRaw || record.Level(it.Level) != want[i].level || string(it.Payload) != want[i].message {
			t.Errorf("record %d: kind %d, level %d, %q", i, it.Kind, it.Level, it.Payload)
		}
	}
}

func TestWriteMakesOneRecordAndCutsOneNewline(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	warnings := w.At(record.LevelWarning)
	for _, c := range []struct {
		to       io.Writer
		in, want string
		level    record.Level
	}{
		{w, "a", "a", record.LevelInfo},
		{w, "a\n", "a", record.LevelInfo},
		{w, "a\nb\n\n", "a\nb\n", record.LevelInfo},
		{w, "\n", "", record.LevelInfo},
		{w, "", "", record.LevelInfo},
		{warnings, "hot\n", "hot", record.LevelWarning},
	} {
		if n, err := c.to.Write([]byte(c.in)); n != len(c.in) || err != nil {
			t.Errorf("Write(%q) = %d, %v", c.in, n, err)
		}
		items := d.take(w)
		if len(items) != 1 || string(items[0].Payload) != c.want || record.Level(items[0].Level) != c.level {
			t.Errorf("Write(%q) made %v", c.in, items)
		}
	}
	log.New(w, "", 0).Print("from a logger")
	if items := d.take(w); len(items) != 1 || string(items[0].Payload) != "from a logger" {
		t.Errorf("log.Logger made %v", items)
	}
}

func TestWriteReturnsZeroWhenTheRecordIsLost(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{})
	if n, err := w.Write(make([]byte, ring.MinLaneSize)); n != 0 || err != ErrTooLarge {
		t.Errorf("%d, %v", n, err)
	}
}

func TestLogDeliversTheEntry(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	e := record.Entry{Logger: "trades", Message: "filled", Attrs: []slog.Attr{slog.Int("n", 7)}}
	if err := w.Log(record.LevelError, &e); err != nil {
		t.Fatal(err)
	}
	items := d.take(w)
	if len(items) != 1 || items[0].Kind != ring.KindLog || record.Level(items[0].Level) != record.LevelError {
		t.Fatalf("%v", items)
	}
	r, err := record.Decode(items[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	if string(r.Logger()) != "trades" || string(r.Message()) != "filled" {
		t.Errorf("%s: %s", r.Logger(), r.Message())
	}
	for a := range r.Attrs().All() {
		if string(a.Key) != "n" || a.Value.Int64() != 7 {
			t.Errorf("attribute %s: %d", a.Key, a.Value.Int64())
		}
	}
}

func TestTwoWritersInOneProcessHaveTwoLanes(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	a, b, d := open(t, path, Options{}), open(t, path, Options{}), newDrain(t, path)
	if a.Stats().Lane == b.Stats().Lane {
		t.Fatal("both have one lane")
	}
	for _, w := range []*Writer{a, b} {
		if err := w.Append(record.LevelInfo, fmt.Append(nil, w.Stats().Lane)); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range []*Writer{a, b} {
		items := d.take(w)
		if len(items) != 1 || string(items[0].Payload) != fmt.Sprint(w.Stats().Lane) {
			t.Errorf("lane %d has %v", w.Stats().Lane, items)
		}
	}
}

func TestStatsTellTheBacklogUntilItIsDrained(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	d.take(w) // the record that names the owner
	if err := w.Append(record.LevelInfo, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if got := w.Stats().Backlog; got != 136 { // 32 of header, 100, 4 to the next 8
		t.Errorf("backlog %d, want 136", got)
	}
	d.take(w)
	if got := w.Stats().Backlog; got != 0 {
		t.Errorf("backlog %d after the drain", got)
	}
}

func TestEveryMethodRefusesAfterCloseAndCountsNothing(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{})
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	_, wrote := w.Write([]byte("late"))
	for name, err := range map[string]error{
		"Append":           w.Append(record.LevelInfo, nil),
		"Append, too much": w.Append(record.LevelInfo, make([]byte, ring.MinLaneSize)),
		"Log":              w.Log(record.LevelInfo, &record.Entry{}),
		"Log, not plain":   w.Log(record.LevelInfo, notPlain()),
		"Write":            wrote,
	} {
		if err != ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
	if st := w.Stats(); st.Backlog != 0 || st.Lost.Total() != 0 {
		t.Errorf("%+v", st)
	}
}

// Every append that returned nil is in the lane after Close, whenever it came.
func TestCloseKeepsWhatConcurrentAppendsWereToldIsAccepted(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	d := newDrain(t, path)
	for range 50 {
		w := open(t, path, Options{Policy: PolicyDrop})
		var (
			workers         sync.WaitGroup
			mu              sync.Mutex
			accepted, count = map[string]bool{}, 0
			begun           = make(chan struct{}, 4)
		)
		for g := range 4 {
			workers.Go(func() {
				for i := 0; ; i++ {
					text := fmt.Sprint(g, " ", i)
					switch err := w.Append(record.LevelInfo, []byte(text)); err {
					case nil:
						mu.Lock()
						accepted[text] = true
						mu.Unlock()
					case ErrFull:
					case ErrClosed:
						return
					default:
						t.Error(err)
						return
					}
					if i == 0 {
						begun <- struct{}{}
					}
				}
			})
		}
		<-begun
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		workers.Wait()
		for _, it := range d.take(w) {
			count++
			if !accepted[string(it.Payload)] {
				t.Errorf("%q was drained and not accepted", it.Payload)
			}
		}
		if count != len(accepted) {
			t.Fatalf("%d accepted, %d drained", len(accepted), count)
		}
	}
}
