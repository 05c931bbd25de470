package writer

import (
	"log/slog"
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
	for name, f := range map[string]func() error{
		"Append":        func() error { return w.Append(record.LevelInfo, p) },
		"Log":           func() error { return w.Log(record.LevelInfo, &e) },
		"Write":         func() error { _, err := w.Write(p); return err },
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
