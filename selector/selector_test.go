package selector

import (
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
)

// decoded is a log record as a reader has it.
func decoded(t testing.TB, logger string, attrs ...slog.Attr) *record.Record {
	t.Helper()
	e := record.Entry{Logger: logger, Message: "m", Attrs: attrs}
	e.Attrs = e.Prepared()
	n, err := e.Size()
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, n)
	if err := e.Encode(payload); err != nil {
		t.Fatal(err)
	}
	r, err := record.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestLoggerIsWantedWithThoseBelowIt(t *testing.T) {
	t.Parallel()
	s := Selector{Loggers: []string{"trades"}}
	for logger, want := range map[string]bool{"trades": true, "trades.fx": true, "tradesman": false, "trade": false, "": false, "x.trades": false} {
		if got := s.Wants(decoded(t, logger)); got != want {
			t.Errorf("%q: %v", logger, got)
		}
	}
	if s.Loggers = nil; !s.Wants(decoded(t, "any")) || !s.Empty() {
		t.Error("an empty selector does not want every record")
	}
}

func TestAnyOfSeveralLoggersIsWanted(t *testing.T) {
	t.Parallel()
	s := Selector{Loggers: []string{"trades", "root", "orders"}}
	for logger, want := range map[string]bool{"trades.fx": true, "orders": true, "": true, "app": false, "order": false} {
		if got := s.Wants(decoded(t, logger)); got != want {
			t.Errorf("%q: %v", logger, got)
		}
	}
}

func TestRootWantsTheLoggerWithoutAName(t *testing.T) {
	t.Parallel()
	s := Selector{Loggers: []string{"root"}}
	for logger, want := range map[string]bool{"": true, "root": true, "root.a": true, "app": false} {
		if got := s.Wants(decoded(t, logger)); got != want {
			t.Errorf("%q: %v", logger, got)
		}
	}
	raw := record.Raw([]byte("bytes"))
	if !s.Wants(&raw) {
		t.Error("a raw record has no logger either")
	}
}

func TestEveryAttributeMustHold(t *testing.T) {
	t.Parallel()
	r := decoded(t, "orders", slog.String("study", "wf"), slog.Int("trial", 17), slog.Int("trial", 18))
	for text, want := range map[string]bool{
		"{study=wf}":                      true,
		"{study=wf,trial=17}":             true,
		"{trial=18}":                      true, // any of those of one name
		"{study=wf,trial=19}":             false,
		"{study=w}":                       false,
		"{study=wfx}":                     false,
		"{trial=017}":                     false,
		"{other=wf}":                      false,
		"orders{trial=17}":                true,
		"trades{trial=17}":                false,
		"orders{trial=17,trial=18}":       true,
		`"orders"{"study" = "wf"}`:        true,
		`{study=wf, trial=17 , trial=18}`: true,
	} {
		s, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := s.Wants(r); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	raw := record.Raw([]byte("trial=17"))
	if s := (Selector{Attrs: []Attr{{"trial", "17"}}}); s.Wants(&raw) {
		t.Error("a raw record has no attributes")
	}
}

func TestAttributesInGroupsAreNotMeantUnlessTheGroupHasNoKey(t *testing.T) {
	t.Parallel()
	r := decoded(t, "", slog.Group("g", slog.Int("a", 1)), slog.Group("", slog.Int("b", 2), slog.Group("", slog.Int("c", 3))))
	for text, want := range map[string]bool{"{a=1}": false, "{g.a=1}": false, `{g=""}`: false, "{b=2}": true, "{c=3}": true} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Wants(r); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestValuesAreComparedAsTextLinesShowThem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 18, 47, 1, 5e8, time.FixedZone("", 3600))
	for _, c := range []struct {
		attr slog.Attr
		text string
	}{
		{slog.Bool("k", true), "{k=true}"},
		{slog.Int("k", math.MinInt64), "{k=-9223372036854775808}"},
		{slog.Uint64("k", math.MaxUint64), "{k=18446744073709551615}"},
		{slog.Float64("k", 0.1), "{k=0.1}"},
		{slog.Float64("k", 1e300), "{k=1e+300}"},
		{slog.Float64("k", math.NaN()), "{k=NaN}"},
		{slog.Float64("k", math.Inf(-1)), "{k=-Inf}"},
		{slog.Duration("k", 1500*time.Millisecond), "{k=1.5s}"},
		{slog.Time("k", at), "{k=2026-11-23T18:47:01.5+01:00}"},
		{slog.String("k", "a, b={c}\n\"é\""), `{k="a, b={c}\n\"é\""}`},
		{slog.String("k", "\xff"), `{k="\xff"}`},
		{slog.String("k", ""), "{k=}"},
		{slog.String("", "v"), `{""=v}`},
		{slog.Any("k", errors.New("no route")), "{k=no route}"},
		{slog.Any("k", []byte("bytes")), "{k=bytes}"},
	} {
		s, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		r := decoded(t, "", c.attr)
		if !s.Wants(r) {
			l := format.Line{Record: *r}
			t.Errorf("%s does not want %s", c.text, format.NewText(nil).Append(nil, &l))
		}
	}
}

func TestWantsAllocatesNothing(t *testing.T) {
	at := time.Date(2026, 11, 23, 18, 47, 1, 5e8, time.UTC)
	r := decoded(t, "orders", slog.String("study", "wf"), slog.Int("trial", 17), slog.Float64("x", 0.1),
		slog.Duration("d", time.Second), slog.Time("t", at))
	for _, text := range []string{"orders", "{trial=18}", "orders{study=wf,trial=17}", "{x=0.1,d=1s}", "{t=2026-11-23T18:47:01.5Z}"} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { s.Wants(r) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkWants(b *testing.B) {
	r := decoded(b, "orders", slog.String("study", "wf"), slog.Int("trial", 17), slog.Float64("x", 0.1))
	for _, text := range []string{"", "orders", "{trial=18}", "orders{study=wf,trial=17}"} {
		s, _, err := parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				s.Wants(r)
			}
		})
	}
}
