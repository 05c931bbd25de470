package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// loggers are the ways to log through a ring, with a record that is as long as the
// 100 bytes of the appends.
var loggers = []candidate{
	{"Logger, 3 attributes", 1, openLogger(func(w *writer.Writer, n int) {
		l := w.Logger("trades")
		for i := range n {
			l.Info("order filled at the limit", slog.Int("trial", i), slog.Float64("price", 101.25), slog.String("symbol", "SPX"))
		}
	})},
	{"Logger, 3 attributes made before", 1, openLogger(func(w *writer.Writer, n int) {
		l := w.Logger("trades")
		attrs := []slog.Attr{slog.Int("trial", n), slog.Float64("price", 101.25), slog.String("symbol", "SPX")}
		for range n {
			l.Info("order filled at the limit", attrs...)
		}
	})},
	{"Logger, 3 attributes, below its level", 1, openLogger(func(w *writer.Writer, n int) {
		l := w.Logger("trades")
		for i := range n {
			l.Debug("order filled at the limit", slog.Int("trial", i), slog.Float64("price", 101.25), slog.String("symbol", "SPX"))
		}
	})},
	{"Logger, a message, below its level", 1, openLogger(func(w *writer.Writer, n int) {
		l := w.Logger("trades")
		for range n {
			l.Debug("order filled at the limit")
		}
	})},
	{"slog to a ring, 3 attributes", 1, openLogger(func(w *writer.Writer, n int) {
		logSlog(writer.NewHandler(w, writer.HandlerOptions{Logger: "trades"}), n)
	})},
	{"slog to a handler that does nothing", 1, openLogger(func(_ *writer.Writer, n int) { logSlog(nothing{}, n) })},
}

func logSlog(h slog.Handler, n int) {
	l, ctx := slog.New(h), context.Background()
	for i := range n {
		l.LogAttrs(ctx, slog.LevelInfo, "order filled at the limit", slog.Int("trial", i), slog.Float64("price", 101.25), slog.String("symbol", "SPX"))
	}
}

// openLogger prepares log calls, n at a time.
func openLogger(log func(w *writer.Writer, n int)) func(string) (measurement, error) {
	return openAppender(ring.DefaultLaneSize, func(w *writer.Writer) func(int) (time.Duration, error) {
		return func(n int) (time.Duration, error) {
			begin := time.Now()
			log(w, n)
			took := time.Since(begin)
			if w.Stats().Lost.Total() > 0 {
				return 0, errors.New("a burst found its lane full")
			}
			return took, nil
		}
	})
}

// nothing is a handler that costs what slog itself does.
type nothing struct{}

func (nothing) Enabled(context.Context, slog.Level) bool  { return true }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (nothing) WithAttrs([]slog.Attr) slog.Handler        { return nothing{} }
func (nothing) WithGroup(string) slog.Handler             { return nothing{} }
