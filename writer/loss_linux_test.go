package writer

import (
	"encoding"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// notPlain returns an entry that needs user code.
func notPlain() *record.Entry {
	var value encoding.TextMarshaler = netip.IPv4Unspecified()
	return &record.Entry{Attrs: []slog.Attr{slog.Any("from", value)}}
}

// fakeTime replaces what a blocked append does with real time. Nothing wakes a
// waiter but the end of its wait, and each wait ends at once.
type fakeTime struct {
	now    time.Time
	waited time.Duration // by all goroutines together
	asked  int           // how often somebody asked whether a reader runs
	reader bool
}

// The sink calls these with its lock held.
func (f *fakeTime) install(w *Writer) *fakeTime {
	f.now = time.Unix(1_800_000_000, 0)
	w.sink.Load().now = func() time.Time { return f.now }
	w.sink.Load().wait = func(_ uint64, d time.Duration) {
		if d > 0 {
			f.waited += d
			f.now = f.now.Add(d)
		}
	}
	w.sink.Load().readerRunning = func() bool { f.asked++; return f.reader }
	return f
}

// Each loss is returned as its error, counted by the writer and in the lane.
func TestLossesAreCountedExactlyByReasonAndBand(t *testing.T) {
	t.Parallel()
	tooLarge := make([]byte, ring.MinLaneSize/8)
	for _, c := range []struct {
		name    string
		options Options
		reader  bool
		full    bool
		append  func(w *Writer, level record.Level) error
		want    error
		of      func(*Lost) *Bands
	}{
		{
			name: "full", options: Options{Policy: PolicyDrop}, full: true, want: ErrFull,
			append: func(w *Writer, l record.Level) error { return w.Append(l, block) },
			of:     func(l *Lost) *Bands { return &l.Full },
		},
		{
			name: "full for Log", options: Options{Policy: PolicyDrop}, full: true, want: ErrFull,
			append: func(w *Writer, l record.Level) error { return w.Log(l, &record.Entry{MessageBytes: block}) },
			of:     func(l *Lost) *Bands { return &l.Full },
		},
		{
			name: "timeout", reader: true, full: true, want: ErrTimeout,
			append: func(w *Writer, l record.Level) error { return w.Append(l, block) },
			of:     func(l *Lost) *Bands { return &l.Timeout },
		},
		{
			name: "no reader", full: true, want: ErrNoReader,
			append: func(w *Writer, l record.Level) error { return w.Append(l, block) },
			of:     func(l *Lost) *Bands { return &l.NoReader },
		},
		{
			name: "too large", want: ErrTooLarge,
			append: func(w *Writer, l record.Level) error { return w.Append(l, tooLarge) },
			of:     func(l *Lost) *Bands { return &l.TooLarge },
		},
		{
			name: "too long", want: record.ErrTooLong,
			append: func(w *Writer, l record.Level) error {
				return w.Log(l, &record.Entry{Logger: strings.Repeat("x", record.MaxLogger+1)})
			},
			of: func(l *Lost) *Bands { return &l.TooLarge },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t)
			w, d := open(t, path, c.options), newDrain(t, path)
			(&fakeTime{reader: c.reader}).install(w)
			if c.full {
				fill(t, w)
			}
			for _, level := range []record.Level{-20, 0, 19, 20, 60} {
				if err := c.append(w, level); !errors.Is(err, c.want) {
					t.Errorf("at level %d: %v, want %v", level, err, c.want)
				}
			}
			var want Lost
			*c.of(&want) = Bands{Below: 3, Above: 2}
			if got := w.Stats().Lost; got != want {
				t.Errorf("the writer counts %+v", got)
			}
			if got := d.lost(w); got != want {
				t.Errorf("the lane counts %+v", got)
			}
		})
	}
}

func TestARecordCarriesTheLossesBeforeIt(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	for range 3 {
		if err := w.Append(record.LevelInfo, make([]byte, ring.MinLaneSize)); err != ErrTooLarge {
			t.Fatal(err)
		}
	}
	if err := w.Append(record.LevelInfo, nil); err != nil {
		t.Fatal(err)
	}
	if items := d.take(w); len(items) != 1 || items[0].Lost != 3 {
		t.Errorf("%+v", items)
	}
}

// encode stands for an entry that changed between size and encoding: readers pass
// its claim, and the lane goes on behind it.
func TestAnEntryThatChangedIsCountedAndDoesNotStopTheLane(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*record.Entry{"longer": {Message: "more than ten bytes"}, "shorter": {}, "panics": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t)
			w, d := open(t, path, Options{}), newDrain(t, path)
			c, err := w.sink.Load().producer.Claim(10, int16(record.LevelWarning), ring.KindLog)
			if err != nil {
				t.Fatal(err)
			}
			func() {
				defer func() {
					if r := recover(); (r != nil) != (e == nil) {
						t.Errorf("recovered %v", r)
					}
				}()
				if err := w.sink.Load().encode(c, record.LevelWarning, e); err != ErrAborted {
					t.Error(err)
				}
			}()
			if err := w.Append(record.LevelInfo, []byte("next")); err != nil {
				t.Fatal(err)
			}
			if items := d.take(w); len(items) != 1 || string(items[0].Payload) != "next" || items[0].Lost != 1 {
				t.Errorf("%+v", items)
			}
			if want := (Lost{Aborted: Bands{Above: 1}}); d.lost(w) != want || w.Stats().Lost != want {
				t.Errorf("lane %+v, writer %+v", d.lost(w), w.Stats().Lost)
			}
		})
	}
}

func TestADeadReaderCostsAllGoroutinesOneTimeoutTogether(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{Timeout: time.Minute})
	f := new(fakeTime).install(w)
	fill(t, w)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 100 {
				if err := w.Append(record.LevelInfo, block); err != ErrNoReader {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	if f.waited != time.Minute || f.asked != 1 {
		t.Errorf("waited %v in all, asked %d times for a reader", f.waited, f.asked)
	}
	if got := w.Stats().Lost.NoReader.Below; got != 800 {
		t.Errorf("%d counted", got)
	}
}

func TestTheDeadlineBeginsAnewWhenTheConsumerMoves(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{Timeout: time.Minute}), newDrain(t, path)
	f := new(fakeTime).install(w)
	fill(t, w)
	if err := w.Append(record.LevelInfo, block); err != ErrNoReader {
		t.Fatal(err)
	}
	d.take(w)
	if err := w.Append(record.LevelInfo, block); err != nil {
		t.Fatal(err)
	}
	fill(t, w)
	if err := w.Append(record.LevelInfo, block); err != ErrNoReader {
		t.Fatal(err)
	}
	if f.waited != 2*time.Minute || f.asked != 2 {
		t.Errorf("waited %v, asked %d times", f.waited, f.asked)
	}
}

// announce makes w say when an append is about to sleep, which is then real.
func announce(w *Writer) <-chan struct{} {
	waiting, wait := make(chan struct{}, 1), w.sink.Load().wait
	w.sink.Load().wait = func(seen uint64, timeout time.Duration) {
		select {
		case waiting <- struct{}{}:
		default:
		}
		wait(seen, timeout)
	}
	return waiting
}

func TestABlockedAppendIsAcceptedWhenTheReaderGivesRoom(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{Timeout: time.Hour}), newDrain(t, path)
	waiting := announce(w)
	fill(t, w)
	done := make(chan error)
	go func() { done <- w.Append(record.LevelInfo, []byte("waited")) }()
	<-waiting
	d.take(w)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if items := d.take(w); len(items) != 1 || string(items[0].Payload) != "waited" {
		t.Errorf("%+v", items)
	}
}

func TestCloseEndsTheWaitOfBlockedAppends(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{Timeout: time.Hour})
	waiting := announce(w)
	fill(t, w)
	const workers = 4
	done := make(chan error, workers)
	for range workers {
		go func() { done <- w.Append(record.LevelInfo, block) }()
	}
	<-waiting
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for range workers {
		if err := <-done; err != ErrClosed {
			t.Error(err)
		}
	}
	if got := w.Stats().Lost.Total(); got != 0 {
		t.Errorf("%d counted after Close", got)
	}
}

// The reader gives room back after the claim failed and before the wait. Nothing
// would wake the append, so it must not sleep.
func TestRoomGivenBackJustBeforeTheWaitIsSeen(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	w.sink.Load().now = func() time.Time { d.take(w); return time.Time{}.Add(1) }
	w.sink.Load().wait = func(seen uint64, _ time.Duration) {
		if seen == w.sink.Load().producer.Consumed() {
			t.Error("the append would sleep beside an empty lane")
		}
	}
	fill(t, w)
	if err := w.Append(record.LevelInfo, block); err != nil {
		t.Error(err)
	}
}

// A stopped process goes on after the deadline; the reader did not stop.
func TestAnAppendPastItsDeadlineTakesRoomIfThereIsSome(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	f := new(fakeTime).install(w)
	calls := 0
	w.sink.Load().now = func() time.Time {
		if calls++; calls == 2 {
			d.take(w)
			f.now = f.now.Add(time.Hour)
		}
		return f.now
	}
	w.sink.Load().wait = func(uint64, time.Duration) {}
	fill(t, w)
	if err := w.Append(record.LevelInfo, block); err != nil || calls != 2 {
		t.Errorf("%v after %d looks at the clock", err, calls)
	}
}
