package format

import (
	"log/slog"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

// at is 2026-11-23 18:47:01.123456789 UTC.
const at int64 = 1795459621123456789

// lineOf returns the line of an entry, as the drain would have it.
func lineOf(t testing.TB, e record.Entry) *Line {
	t.Helper()
	e.Attrs = e.Prepared()
	size, err := e.Size()
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, size)
	if err := e.Encode(payload); err != nil {
		t.Fatal(err)
	}
	return lineOfPayload(t, payload)
}

func lineOfPayload(t testing.TB, payload []byte) *Line {
	t.Helper()
	r, err := record.Decode(payload)
	if err != nil {
		t.Fatal(err)
	}
	return newLine(r)
}

func newLine(r record.Record) *Line {
	return &Line{
		Time: at, Record: r, Seq: 7, Position: 4096,
		Origin: &Origin{Worker: "worker-3", PID: 4711, Ring: [16]byte{0xab, 15: 0x01}, Lane: 2},
	}
}

func text(l *Line) string { return string(NewText(time.UTC).Append(nil, l)) }

// typical is a record as an optimisation run logs it.
func typical() record.Entry {
	return record.Entry{
		Logger:  "trades",
		Message: "order filled at the limit",
		Attrs:   []slog.Attr{slog.Int("trial", 1742), slog.Float64("price", 101.25), slog.String("symbol", "SPX")},
	}
}

// rich has a field of every kind.
func rich() record.Entry {
	e := typical()
	e.Time, e.Level, e.Thread = at, record.CustomLevel[string]{Scale: record.ScalePython, Number: 25, Name: "NOTICE"}, "MainThread"
	e.Source, e.Traceback = record.Source[string]{File: "optimise.py", Line: 17, Function: "main"}, "Traceback:\n  line\nError\n"
	e.Attrs = append(
		e.Attrs, slog.Bool("b", true), slog.Uint64("u", 1), slog.Time("t", time.Unix(at/1e9, 5).UTC()),
		slog.Duration("d", 1500*time.Millisecond), slog.Any("bytes", []byte("abc")), slog.Any("bad", "\xff"),
		slog.Group("g", slog.Int("n", 1), slog.Group("in", slog.String("s", "x y"))),
	)
	return e
}
