package cli

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
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

// NewFormattedLog returns a logger that writes to w in a format of outputs: lines with
// the logger format.OwnLogger, which no record can copy, with level, message and
// attributes. f must be for this logger alone.
func NewFormattedLog(w io.Writer, f format.Formatter) *slog.Logger {
	l := &ownLines{w: w, format: f, origin: format.Origin{Worker: format.OwnLogger, PID: uint64(os.Getpid())}}
	// No ring's: lines have ids that are in no other log.
	_, _ = rand.Read(l.origin.Ring[:]) // never fails
	return slog.New(formatHandler{lines: l})
}

// ownEvent is what ringlog's own lines report that are not of gaps or workers.
const ownEvent = "message"

// ownLines are the lines of one logger, and those derived from it.
type ownLines struct {
	w      io.Writer
	origin format.Origin

	mu     sync.Mutex // held while a line is made and written
	format format.Formatter
	seq    uint64
}

func (l *ownLines) write(at time.Time, level record.Level, r record.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	line := format.Line{
		Time: at.UnixNano(), Level: level, Record: r, Origin: &l.origin, Seq: l.seq, Position: l.seq, Event: ownEvent,
	}
	_, err := l.w.Write(l.format.Append(nil, &line))
	return err
}

type formatHandler struct {
	lines *ownLines
	scope *record.Scope // attributes and groups of all lines
}

func (h formatHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h formatHandler) Handle(_ context.Context, r slog.Record) error {
	level, custom := record.FromSlog(r.Level)
	e := record.Entry{Logger: format.OwnLogger, Message: oneLine(r.Message), Scope: h.scope, Level: custom}
	r.Attrs(func(a slog.Attr) bool {
		e.Attrs = append(e.Attrs, a)
		return true
	})
	e.Attrs = e.Prepared()
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	return h.lines.write(at, level, asRead(&e))
}

func (h formatHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return formatHandler{h.lines, h.scope.WithAttrs(attrs)}
}

func (h formatHandler) WithGroup(name string) slog.Handler {
	return formatHandler{h.lines, h.scope.WithGroup(name)}
}

// asRead is e as formatters take it, or where its attributes cannot be encoded, for keys of
// 64 KiB and such, without them: the message is what counts.
func asRead(e *record.Entry) record.Record {
	for range 2 {
		if n, err := e.Size(); err == nil {
			payload := make([]byte, n)
			if e.Encode(payload) == nil {
				if r, err := record.Decode(payload); err == nil {
					return r
				}
			}
		}
		e.Attrs, e.Scope = nil, nil
	}
	return record.Raw([]byte(e.Message))
}
