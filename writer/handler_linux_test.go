package writer

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/ringlog/ringlog/record"
)

// logged is a record as a handler's user would describe it: attributes by key, and
// groups as maps.
func logged(t testing.TB, payload []byte) map[string]any {
	t.Helper()
	r, err := record.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	m := attrsOf(r.Attrs())
	m[slog.MessageKey] = string(r.Message())
	if ns, ok := r.Time(); ok {
		m[slog.TimeKey] = time.Unix(0, ns)
	}
	return m
}

func attrsOf(attrs record.Attrs) map[string]any {
	m := map[string]any{}
	for a := range attrs.All() {
		m[string(a.Key)] = valueOf(a.Value)
	}
	return m
}

func valueOf(v record.Value) any {
	switch v.Tag() {
	case record.TagGroup:
		return attrsOf(v.Group())
	case record.TagInt:
		return v.Int64()
	}
	return string(v.Bytes())
}

// A line always shows a time; one that is the append's, for want of slog's, is not
// in the record.
func TestHandlerPassesSlogsOwnTest(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	err := slogtest.TestHandler(NewHandler(w, HandlerOptions{}), func() (results []map[string]any) {
		for _, it := range d.take(w) {
			m := logged(t, it.Payload)
			m[slog.LevelKey] = record.Level(it.Level).String()
			results = append(results, m)
		}
		return results
	})
	if err != nil {
		t.Error(err)
	}
}

func TestHandlerNamesItsLoggerAndThePlaceOfTheCall(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	l := slog.New(NewHandler(w, HandlerOptions{Logger: "orders", AddSource: true}))
	for range 2 { // the second time the place is known
		l.Info("filled")
	}
	if err := l.Handler().Handle(context.Background(), slog.Record{Message: "from nowhere"}); err != nil {
		t.Fatal(err)
	}
	items := d.take(w)
	for i, it := range items {
		r, err := record.Decode(it.Payload)
		if err != nil {
			t.Fatal(err)
		}
		source, ok := r.Source()
		if i == 2 {
			if ok {
				t.Errorf("a call from nowhere is at %s:%d", source.File, source.Line)
			}
			continue
		}
		if string(r.Logger()) != "orders" || !ok || !strings.HasSuffix(string(source.File), "handler_linux_test.go") ||
			source.Line == 0 || !strings.Contains(string(source.Function), "TestHandlerNames") {
			t.Errorf("%s: %s:%d %s", r.Logger(), source.File, source.Line, source.Function)
		}
	}
}

// User code runs before anything is claimed, so whatever it does costs at most its
// own record.
func TestValuesThatMisbehaveCostTheirOwnRecordAtMost(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	l := slog.New(NewHandler(w, HandlerOptions{}))
	calls := 0
	for _, v := range []any{
		valuer(func() slog.Value { l.Info("from inside"); return slog.StringValue("logs") }),
		valuer(func() slog.Value { panic("no value") }),
		valuer(func() slog.Value { calls++; return slog.IntValue(calls) }),
		stringer(func() string { panic("no string") }),
		stringer(func() string { l.Info("from inside"); return strings.Repeat("x", 1000) }),
	} {
		l.Info("outer", "v", v)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		l.Info("outer", "v", valuer(func() slog.Value { runtime.Goexit(); return slog.Value{} }))
	})
	wg.Wait()
	l.Info("last")
	var got []string
	for _, it := range d.take(w) {
		m := logged(t, it.Payload)
		text := m[slog.MessageKey].(string)
		switch v := m["v"].(type) {
		case string:
			text += " " + v[:min(len(v), 12)]
		case int64:
			text += " " + string(rune('0'+v))
		}
		got = append(got, text)
	}
	want := []string{
		"from inside", "outer logs", "outer LogValue pan", "outer 1", "outer %!v(PANIC=St",
		"from inside", "outer " + strings.Repeat("x", 12), "last",
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if lost := w.Stats().Lost.Total(); lost != 0 {
		t.Errorf("%d lost", lost)
	}
}

type valuer func() slog.Value

func (v valuer) LogValue() slog.Value { return v() }

type stringer func() string

func (s stringer) String() string { return s() }

func TestAHandlerAfterCloseOnlySaysSo(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{})
	h := NewHandler(w, HandlerOptions{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := slog.New(h.WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}))
	l.Info("late", "error", errors.New("x"))
	if err := h.Handle(context.Background(), slog.NewRecord(time.Now(), slog.LevelInfo, "late", 0)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if lost := w.Stats().Lost.Total(); lost != 0 {
		t.Errorf("%d counted as lost", lost)
	}
}

// A value that no record can hold is refused, counted, and said in the log.
func TestAnAttributeOfAMebibyteIsRefusedAsTooLarge(t *testing.T) {
	t.Parallel()
	w := open(t, newRing(t), Options{})
	large := slog.String("report", strings.Repeat("x", 1<<20))
	if err := w.Logger("app").Log(slog.LevelInfo, "m", large); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	r := slog.NewRecord(time.Now(), slog.LevelError, "m", 0)
	r.AddAttrs(large)
	if err := NewHandler(w, HandlerOptions{}).Handle(context.Background(), r); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if got, want := w.Stats().Lost.TooLarge, (Bands{Below: 1, Above: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestHandlerKeepsTimesThatCanBeHeldAndLeavesOutOthers(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	h := NewHandler(w, HandlerOptions{})
	for _, c := range []struct {
		given time.Time
		kept  bool
	}{
		{time.Date(1678, 1, 1, 0, 0, 0, 1, time.UTC), true},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), true},
		{time.Now(), true},
		{time.Date(2262, 1, 1, 0, 0, 0, 1, time.UTC), true},
		{time.Time{}, false},
		{time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), false},
		{time.Date(1677, 1, 1, 0, 0, 0, 1, time.UTC), false},
		{time.Date(2263, 1, 1, 0, 0, 0, 1, time.UTC), false},
	} {
		if err := h.Handle(context.Background(), slog.NewRecord(c.given, slog.LevelInfo, "m", 0)); err != nil {
			t.Fatal(err)
		}
		r, err := record.Decode(d.take(w)[0].Payload)
		if err != nil {
			t.Fatal(err)
		}
		if ns, ok := r.Time(); ok != c.kept || ok && !time.Unix(0, ns).Equal(c.given) {
			t.Errorf("%v: %v, %v", c.given, time.Unix(0, ns).UTC(), ok)
		}
	}
}
