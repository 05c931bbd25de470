package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// said is what a record says, but for its time.
func said(t testing.TB, it ring.Item) string {
	t.Helper()
	r, err := record.Decode(it.Payload)
	if err != nil {
		t.Fatal(err)
	}
	level := record.Level(it.Level).String()
	if own, ok := r.Level(); ok {
		level = string(own.Append(nil))
	}
	return fmt.Sprintf("%s %s %s %v", level, r.Logger(), r.Message(), attrsOf(r.Attrs()))
}

func allSaid(t testing.TB, items []ring.Item) []string {
	t.Helper()
	var all []string
	for _, it := range items {
		all = append(all, said(t, it))
	}
	return all
}

func TestLoggerLogsEveryLevelUnderItsName(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{Level: slog.Level(-100_000)}), newDrain(t, path)
	l := w.Logger("trades")
	l.Debug("a", slog.Int("n", 1))
	l.Info("b")
	l.Warning("c", slog.String("s", strings.Repeat("x", short)))
	l.Error("d", slog.Any("error", errors.New("broken")))
	l.Critical("e")
	for _, level := range []slog.Level{2, 100_000, -100_000} {
		if err := l.Log(level, "f"); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"DEBUG trades a map[n:1]", "INFO trades b map[]", "WARNING trades c map[s:" + strings.Repeat("x", short) + "]",
		"ERROR trades d map[error:broken]", "CRITICAL trades e map[]", "INFO+2 trades f map[]",
		"CRITICAL+99988 trades f map[]", "DEBUG-99996 trades f map[]",
	}
	if got := allSaid(t, d.take(w)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTrialsBelongToLoggersAndContextsNotToTheProcess(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	base := w.Logger("orders").With(slog.String("side", "buy"))
	plain := slog.New(NewHandler(w, HandlerOptions{}))
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			ctx := WithTrial(context.Background(), "walk", n)
			inner := WithTrial(ctx, "walk", 100+n)
			for range 8 {
				base.Trial("walk", n).Info("logger")
				base.For(ctx).Info("context")
				base.For(inner).Trial("walk", n).Info("again")
				plain.WithGroup("g").InfoContext(ctx, "slog", "a", n)
				base.For(context.Background()).Info("none")
			}
		})
	}
	wg.Wait()
	count := map[string]int{}
	for _, s := range allSaid(t, d.take(w)) {
		count[s]++
	}
	want := map[string]int{"INFO orders none map[side:buy]": 64}
	for n := range 8 {
		for _, m := range []string{"logger", "context", "again"} {
			want[fmt.Sprintf("INFO orders %s map[side:buy study:walk trial:%d]", m, n)] = 8
		}
		want[fmt.Sprintf("INFO  slog map[g:map[a:%d] study:walk trial:%d]", n, n)] = 8
	}
	if !reflect.DeepEqual(count, want) {
		t.Errorf("got %v\nwant %v", count, want)
	}
}

// setLevels gives the ring these rules.
func setLevels(t testing.TB, path string, rules ...ring.LevelRule) {
	t.Helper()
	if err := ring.SetLevels(path, func([]ring.LevelRule) []ring.LevelRule { return rules }); err != nil {
		t.Fatal(err)
	}
}

func TestTheLongestRuleOfTheRingDecidesElseTheWritersLevel(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w := open(t, path, Options{})
	trades, fx, tradesman := w.Logger("trades"), w.Logger("trades.fx"), w.Logger("tradesman")
	check := func(when string, l *NamedLogger, want slog.Level) {
		t.Helper()
		// In a handler of the same name as well.
		h := NewHandler(w, HandlerOptions{Logger: l.filter.name})
		for level := slog.Level(-20); level < 20; level++ {
			if l.Enabled(level) != (level >= want) || h.Enabled(context.Background(), level) != (level >= want) {
				t.Errorf("%s: %s at %v: want from %v", when, l.filter.name, level, want)
			}
		}
	}
	for _, l := range []*NamedLogger{trades, fx, tradesman} {
		check("without rules", l, slog.LevelInfo)
	}
	rule := func(prefix string, l record.Level) ring.LevelRule {
		return ring.LevelRule{Prefix: prefix, Level: int16(l)}
	}
	setLevels(t, path, rule("trades", record.LevelDebug))
	check("one rule", trades, slog.LevelDebug)
	check("one rule", fx, slog.LevelDebug)
	check("one rule", tradesman, slog.LevelInfo)
	setLevels(t, path, rule("", record.LevelError), rule("trades", record.LevelDebug), rule("trades.fx", 1), rule("trad", -40))
	check("four rules", trades, slog.LevelDebug)
	check("four rules", fx, 1)
	check("four rules", tradesman, slog.LevelError)
	setLevels(t, path)
	check("no rules again", fx, slog.LevelInfo)
}

func TestALevelVarIsObeyedAtOnceAndRulesGoBeforeIt(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	var forAll, forOne slog.LevelVar
	w, d := open(t, path, Options{Level: &forAll}), newDrain(t, path)
	all, one := w.Logger("all"), slog.New(NewHandler(w, HandlerOptions{Logger: "one", Level: &forOne}))
	log := func() []string {
		all.Debug("d")
		all.Warning("w")
		one.Debug("d")
		one.Warn("w")
		return allSaid(t, d.take(w))
	}
	for _, c := range []struct {
		set  func()
		want []string
	}{
		{func() {}, []string{"WARNING all w map[]", "WARNING one w map[]"}},
		{func() { forAll.Set(slog.LevelDebug) }, []string{"DEBUG all d map[]", "WARNING all w map[]", "WARNING one w map[]"}},
		{func() { forOne.Set(slog.LevelError) }, []string{"DEBUG all d map[]", "WARNING all w map[]"}},
		{
			func() { setLevels(t, path, ring.LevelRule{Prefix: "one", Level: int16(record.LevelDebug)}) },
			[]string{"DEBUG all d map[]", "WARNING all w map[]", "DEBUG one d map[]", "WARNING one w map[]"},
		},
	} {
		c.set()
		if got := log(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// The last eighth of a lane is for WARNING and above (W10).
func TestAFullLaneStillTakesWarnings(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{Policy: PolicyDrop}), newDrain(t, path)
	l := w.Logger("app")
	text := string(bytes.Repeat([]byte("x"), 1000))
	var err error
	for err == nil {
		err = l.Log(slog.LevelInfo, text)
	}
	if !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	warnings := 0
	for err = nil; err == nil; warnings++ {
		err = l.Log(slog.LevelWarn, text)
	}
	warnings--
	if want := ring.MinLaneSize / 8 / 1048; warnings < want-1 {
		t.Errorf("%d warnings fit, want about %d", warnings, want)
	}
	if got, want := w.Stats().Lost.Full, (Bands{Below: 1, Above: 1}); got != want {
		t.Errorf("lost %+v, want %+v", got, want)
	}
	d.take(w)
	if err := l.Log(slog.LevelInfo, text); err != nil {
		t.Error(err)
	}
}

// An INFO that waits for room does not keep those from it that need less.
func TestAWarningDoesNotQueueBehindAnInfoThatHasNoRoom(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{Timeout: time.Hour}), newDrain(t, path)
	fill(t, w)
	s := w.sink.Load()
	// Of the two that wait for room, the WARNING comes second; when both wait, so
	// much is given back that there is room for the WARNING alone.
	waiting, room := make(chan struct{}, 1), make(chan struct{})
	wait := s.wait
	s.wait = func(seen uint64, timeout time.Duration) {
		select {
		case waiting <- struct{}{}:
			<-room
		case <-room:
		}
		wait(seen, timeout)
	}
	appended := make(chan record.Level, 2)
	for _, level := range []record.Level{record.LevelInfo, record.LevelWarning} {
		go func() {
			if err := w.Append(level, []byte("m")); err != nil {
				t.Error(err)
			}
			appended <- level
		}()
		<-waiting
	}
	d.giveBack(w, 2)
	close(room)
	if got := <-appended; got != record.LevelWarning {
		t.Errorf("level %v was appended first", got)
	}
	d.take(w)
	<-appended
}

// The version is odd as long as somebody changes the rules; who dies then leaves it so.
// Not parallel: AllocsPerRun counts the whole process.
func TestLoggersOfOneNameAgreeThoughASetterDied(t *testing.T) {
	path := newRing(t)
	w := open(t, path, Options{})
	setLevels(t, path, ring.LevelRule{Prefix: "trades", Level: int16(record.LevelDebug)})
	before := w.Logger("trades")
	if !before.Enabled(slog.LevelDebug) {
		t.Fatal("the rule does not hold")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const levelVersion = 4096 + 0x300 // docs/format.md
	if _, err := f.WriteAt([]byte{3}, levelVersion); err != nil {
		t.Fatal(err)
	}
	if after := w.Logger("trades"); !before.Enabled(slog.LevelDebug) || !after.Enabled(slog.LevelDebug) {
		t.Error("a logger does not keep the rules")
	}
	if n := testing.AllocsPerRun(10, func() { before.Enabled(slog.LevelDebug) }); n != 0 {
		t.Errorf("each call looks again, with %v allocations", n)
	}
	setLevels(t, path)
	if before.Enabled(slog.LevelDebug) {
		t.Error("the next change is not seen")
	}
}
