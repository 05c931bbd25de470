package writer

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// stderr stands for standard error.
type stderr struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// take returns the lines written since, without what comes before the logger.
func (s *stderr) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for line := range strings.Lines(s.b.String()) {
		if _, rest, ok := strings.Cut(line, " - "); ok {
			line = rest
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	s.b.Reset()
	return lines
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Tests that set the environment can't be parallel.

func TestLoggersMadeBeforeThereIsARingFindItLater(t *testing.T) {
	t.Setenv(RingVariable, "")
	var out stderr
	w := newProcessWriter(&out)
	l := w.Logger("trades")
	h := slog.New(NewHandler(w, HandlerOptions{Logger: "orders"}))
	l.Info("no ring", slog.Int("n", 1))
	l.Debug("no ring, below the level")
	h.Info("no ring", "n", 2)
	if _, err := w.Write([]byte("raw\n")); err != nil {
		t.Fatal(err)
	}
	same(t, out.take(), "trades - INFO - no ring n=1", "orders - INFO - no ring n=2", "root - INFO - raw")
	if st := w.Stats(); st.Lane != NoLane {
		t.Errorf("%+v without a ring", st)
	}

	path := newRing(t)
	t.Setenv(RingVariable, path)
	d := newDrain(t, path)
	setLevels(t, path, ring.LevelRule{Prefix: "trades", Level: int16(record.LevelDebug)})
	l.Debug("in the ring") // the rule is found with the ring
	h.Info("in the ring")
	same(t, allSaid(t, d.take(w)), "DEBUG trades in the ring map[]", "INFO orders in the ring map[]")
	same(t, out.take())

	if err := w.leave(false); err != nil {
		t.Fatal(err)
	}
	t.Setenv(RingVariable, "")
	l.Info("no ring again")
	same(t, out.take(), "trades - INFO - no ring again")
	other := newRing(t)
	t.Setenv(RingVariable, other)
	// As many changes as in the other ring, but not the same rules.
	setLevels(t, other, ring.LevelRule{Prefix: "", Level: int16(record.LevelWarning)})
	l.Info("below the other ring's rule")
	l.Warning("another ring")
	h.Info("below the other ring's rule") // of a logger that was not asked in between
	same(t, allSaid(t, newDrain(t, other).take(w)), "WARNING trades another ring map[]")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l.Info("closed")
	same(t, out.take(), "trades - INFO - closed")
}

func TestAttachTakesOptionsOnceAndSaysWhatIsWrong(t *testing.T) {
	path := newRing(t)
	t.Setenv(RingVariable, path)
	var out stderr
	w := newProcessWriter(&out)
	if err := w.attach(Options{Timeout: -1}); err == nil {
		t.Error("a negative timeout is accepted")
	}
	if err := errors.Join(w.attach(Options{Label: "one", Level: slog.LevelDebug}), w.attach(Options{Label: "two"})); err != nil {
		t.Fatal(err)
	}
	d := newDrain(t, path)
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := lane.Owner(); o.Label != "one" {
		t.Errorf("the worker is called %q", o.Label)
	}
	w.Logger("").Debug("d")
	same(t, allSaid(t, d.take(w)), "DEBUG  d map[]")
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}

	missing := filepath.Join(t.TempDir(), "missing.ring")
	t.Setenv(RingVariable, missing)
	if err := w.attach(Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such ring: %v", err)
	}
	for range 3 {
		w.Logger("app").Info("m")
	}
	got := out.take()
	if len(got) != 4 || !strings.Contains(got[0], missing) || !strings.HasPrefix(got[0], "ringlog: records go to standard error") {
		t.Errorf("%q", got)
	}
	t.Setenv(RingVariable, "")
	if err := w.attach(Options{}); err != nil {
		t.Errorf("no ring named: %v", err)
	}
}

// Each record is in the ring or on standard error, whenever the lane is closed and
// attached anew.
func TestNoRecordGetsLostWhileTheLaneComesAndGoes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "many.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 64, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	t.Setenv(RingVariable, path)
	var out stderr
	w := newProcessWriter(&out)
	l := w.Logger("app")
	const goroutines, each = 4, 200
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				l.Info("m")
			}
		})
	}
	for range 20 {
		if err := w.leave(false); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	found := 0
	for _, line := range out.take() {
		if line == "app - INFO - m" {
			found++
		}
	}
	for i := range in.Ring().LaneCount {
		found += records(t, in, i)
	}
	if found != goroutines*each {
		t.Errorf("%d records, want %d", found, goroutines*each)
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

// records counts the log records of a lane.
func records(t *testing.T, in *ring.Inspector, lane int) (n int) {
	t.Helper()
	c, ok, err := in.CopyLane(lane)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return 0
	}
	c.Rewind(0, c.To)
	for pos := uint64(0); pos < c.To; {
		it := c.Final(pos, c.To)
		if it.Outcome == ring.OutcomeRecord && it.Kind == ring.KindLog {
			n++
		}
		pos = it.Next
	}
	return n
}

func TestAttachAfterALoggerAttachedByItselfTakesItsOptions(t *testing.T) {
	path := newRing(t)
	t.Setenv(RingVariable, path)
	w := newProcessWriter(new(stderr))
	w.Logger("init").Debug("not even logged")
	if err := w.attach(Options{Label: "mine", Policy: PolicyDrop, Level: slog.LevelDebug}); err != nil {
		t.Fatal(err)
	}
	d := newDrain(t, path)
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := lane.Owner()
	if s := w.sink.Load(); o.Label != "mine" || s.policy != PolicyDrop || s.level != slog.LevelDebug {
		t.Errorf("label %q, policy %v, level %v", o.Label, s.policy, s.level)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLossesOfTheProcessesWriterAreCountedOverAllItsLanes(t *testing.T) {
	t.Setenv(RingVariable, newRing(t))
	var out stderr
	w := newProcessWriter(&out)
	l := w.Logger("app")
	large, long := slog.String("s", strings.Repeat("x", ring.MinLaneSize)), strings.Repeat("k", record.MaxKey+1)
	for range 3 {
		l.Info("m", large)
		if err := w.leave(false); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(RingVariable, "")
	if err := l.Log(slog.LevelError, "m", slog.Int(long, 1)); !errors.Is(err, record.ErrTooLong) {
		t.Error(err)
	}
	if got, want := w.Stats().Lost, (Lost{TooLarge: Bands{Below: 3, Above: 1}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The record by which a ring is found is one like others.
func TestARecordThatFindsTheRingAndDoesNotFitItIsCounted(t *testing.T) {
	t.Setenv(RingVariable, newRing(t))
	var out stderr
	w := newProcessWriter(&out)
	if err := w.Append(record.LevelInfo, make([]byte, ring.MinLaneSize)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v, want %v", err, ErrTooLarge)
	}
	if got, want := w.Stats().Lost, (Lost{TooLarge: Bands{Below: 1}}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// A removed ring's memory is given back, though loggers that have used it stay.
func TestIdleLoggersKeepNoLane(t *testing.T) {
	t.Setenv(RingVariable, newRing(t))
	w := newProcessWriter(new(stderr))
	l := w.Logger("app")
	l.Info("m")
	lane := weak.Make(w.sink.Load())
	if err := w.leave(false); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
	}
	if lane.Value() != nil {
		t.Error("the logger keeps the lane")
	}
	runtime.KeepAlive(l)
}

func TestARingThatIsGoneAgainIsComplainedAboutAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	t.Setenv(RingVariable, path)
	var out stderr
	w := newProcessWriter(&out)
	complaints := func() (n int) {
		w.Logger("app").Info("m")
		for _, line := range out.take() {
			n += strings.Count(line, "records go to standard error")
		}
		return n
	}
	if complaints() != 1 || complaints() != 0 {
		t.Error("want one complaint")
	}
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	w.home.retry = time.Time{}
	if complaints() != 0 || w.Stats().Lane == NoLane {
		t.Error("not attached")
	}
	if err := errors.Join(w.leave(false), os.Remove(path)); err != nil {
		t.Fatal(err)
	}
	if complaints() != 1 {
		t.Error("want another complaint")
	}
}
