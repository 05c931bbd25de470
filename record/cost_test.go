package record

import (
	"log/slog"
	"testing"
	"time"
)

// rich has a field of every kind.
func rich() Entry {
	e := typical()
	e.Time, e.Level, e.Thread = 1, CustomLevel[string]{ScalePython, 25, "NOTICE"}, "MainThread"
	e.Source, e.Traceback = Source[string]{"optimise.py", 17, "main"}, "Traceback (most recent call last):\n"
	e.Attrs = append(
		e.Attrs, slog.Bool("b", true), slog.Uint64("u", 1), slog.Time("t", time.Now()), slog.Duration("d", time.Second),
		slog.Any("bytes", []byte("abc")), slog.Any("err", errorText("broken")), slog.Attr{},
		slog.Group("g", slog.Int("n", 1), slog.Group("in", slog.String("s", "x")), slog.Group("empty")),
	)
	return e
}

var sink int

func walk(attrs Attrs) {
	for a := range attrs.All() {
		sink += len(a.Key) + len(a.Value.Bytes()) + int(a.Value.Int64())
		walk(a.Value.Group())
	}
}

// Not parallel: AllocsPerRun counts the whole process.
func TestHotPathAllocatesNothing(t *testing.T) {
	e := rich()
	payload := encode(t, &e)
	r := decode(t, payload)
	dst, text := make([]byte, len(payload)), make([]byte, 0, 64)
	for name, f := range map[string]func(){
		"Prepare": func() { sink += len(prepared(e.Attrs, 0)) },
		"Size":    func() { n, _ := e.Size(); sink += n },
		"Encode":  func() { _ = e.Encode(dst) },
		"Refused": func() { _ = e.Encode(dst[1:]) },
		"Decode":  func() { d, _ := Decode(payload); sink += d.Unknown() },
		"All":     func() { walk(r.Attrs()) },
		"Level":   func() { l, _ := FromSlog(6); sink += len(l.Append(text)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func benchmarkEntries(b *testing.B, run func(b *testing.B, e Entry)) {
	message := typical()
	message.Attrs = nil
	for _, c := range []struct {
		name  string
		entry Entry
	}{{"message", message}, {"3attrs", typical()}, {"rich", rich()}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			run(b, c.entry)
		})
	}
}

func BenchmarkSizeAndEncode(b *testing.B) {
	benchmarkEntries(b, func(b *testing.B, e Entry) {
		dst := make([]byte, 4096)
		for b.Loop() {
			n, err := e.Size()
			if err != nil {
				b.Fatal(err)
			}
			if err := e.Encode(dst[:n]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	benchmarkEntries(b, func(b *testing.B, e Entry) {
		payload := encode(b, &e)
		for b.Loop() {
			if _, err := Decode(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkIterate(b *testing.B) {
	benchmarkEntries(b, func(b *testing.B, e Entry) {
		r := decode(b, encode(b, &e))
		for b.Loop() {
			walk(r.Attrs())
		}
	})
}

func BenchmarkPrepare(b *testing.B) {
	benchmarkEntries(b, func(b *testing.B, e Entry) {
		for b.Loop() {
			prepared(e.Attrs, 0)
		}
	})
}
