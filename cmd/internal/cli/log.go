package cli

import (
	"context"
	"io"
	"log/slog"
)

// NewLog returns a logger that writes what it is told to w as the commands say
// everything: lines that begin with "ringlog: ". A line shows the message alone,
// since packages that are given this logger put all into that.
func NewLog(w io.Writer) *slog.Logger { return slog.New(lineHandler{w}) }

type lineHandler struct{ w io.Writer }

func (h lineHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	// In one piece: several goroutines and processes may write there.
	_, err := io.WriteString(h.w, "ringlog: "+oneLine(r.Message)+"\n")
	return err
}

func (h lineHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h lineHandler) WithGroup(string) slog.Handler      { return h }
