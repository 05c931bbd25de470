package writer

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// Not parallel: AllocsPerRun counts the whole process.
func TestAppendsAllocateNothingAcceptedOrLost(t *testing.T) {
	path := newRing(t)
	w, d := open(t, path, Options{}), newDrain(t, path)
	drop := open(t, path, Options{Policy: PolicyDrop})
	dead := open(t, path, Options{})
	new(fakeTime).install(dead)
	fill(t, drop)
	fill(t, dead)
	e := record.Entry{Logger: "app", Message: "hello", Attrs: []slog.Attr{slog.Int("n", 1)}}
	p, tooLarge := make([]byte, 100), make([]byte, ring.MinLaneSize)
	logger := w.Logger("app").Trial("walk", 17).With(slog.Int("pid", 1))
	slogger := slog.New(NewHandler(w, HandlerOptions{Logger: "app", AddSource: true}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("a", 1)}))
	ctx, long := WithTrial(context.Background(), "walk", 17), strings.Repeat("x", 2*short)
	attrs := []slog.Attr{slog.Int("n", 1), slog.Float64("price", 1.5), slog.String("side", "buy")}
	for name, f := range map[string]func() error{
		"Append": func() error { return w.Append(record.LevelInfo, p) },
		"Log":    func() error { return w.Log(record.LevelInfo, &e) },
		"Write":  func() error { _, err := w.Write(p); return err },
		"Logger": func() error { return logger.Log(slog.LevelInfo, "filled", attrs...) },
		"Logger, built": func() error {
			return logger.Log(slog.LevelInfo, "filled", slog.Int("n", len(p)), slog.String("s", long[:3]), slog.Float64("f", 1))
		},
		"Logger, long":  func() error { return logger.Log(slog.LevelInfo, long, attrs...) },
		"Logger, below": func() error { return logger.Log(slog.LevelDebug, "filled", attrs...) },
		"slog":          func() error { slogger.LogAttrs(ctx, slog.LevelInfo, "filled", attrs...); return nil },
		"slog, long":    func() error { slogger.LogAttrs(ctx, slog.LevelInfo, long, attrs...); return nil },
		"slog, below":   func() error { slogger.LogAttrs(ctx, slog.LevelDebug, "filled", attrs...); return nil },
		"Append, large": func() error { return w.Append(record.LevelInfo, tooLarge) },
		"Append, full":  func() error { return drop.Append(record.LevelInfo, p) },
		"Append, dead":  func() error { return dead.Append(record.LevelInfo, p) },
	} {
		d.take(w)
		if n := testing.AllocsPerRun(100, func() { _ = f() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// The lane is emptied outside the measured time; package bench has the figures
// that are compared with others.
func BenchmarkAppend(b *testing.B) {
	e := record.Entry{Logger: "app", Message: "order filled", Attrs: []slog.Attr{slog.Int("id", 1), slog.String("side", "buy")}}
	p := make([]byte, 100)
	for name, f := range map[string]func(w *Writer) error{
		"raw": func(w *Writer) error { return w.Append(record.LevelInfo, p) },
		"log": func(w *Writer) error { return w.Log(record.LevelInfo, &e) },
	} {
		b.Run(name, func(b *testing.B) {
			path := newRing(b)
			w, d := open(b, path, Options{Policy: PolicyDrop}), newDrain(b, path)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%300 == 0 {
					b.StopTimer()
					d.take(w)
					b.StartTimer()
				}
				if err := f(w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
