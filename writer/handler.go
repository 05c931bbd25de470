package writer

import (
	"context"
	"log/slog"
	"math"
	"runtime"
	"sync"

	"github.com/ringlog/ringlog/record"
)

// Handler appends the records of a [slog.Logger]. It may be used by any number of
// goroutines, and after Close of its Writer: Handle then fails with ErrClosed, which
// slog drops.
//
// A record keeps slog's time, level, message and attributes as they are; the
// attributes that are not plain as record.Entry.Prepared says. Without a time, or with
// one before 1678 or after 2261, it shows that of the append. Attributes and groups of a
// logger are encoded once, by WithAttrs. A record of a context with a trial carries
// it, see [WithTrial].
type Handler struct {
	filter *filter
	scope  *record.Scope
	source bool
}

// HandlerOptions shape a Handler. The zero value is the default.
type HandlerOptions struct {
	// Logger is the name under which the records go to the log; default: the root
	// logger. Outputs and levels are chosen by it.
	Logger string
	// Level is the minimum level where no rule of the ring fits; nil: that of the
	// Writer. A *slog.LevelVar can be changed at any time.
	Level slog.Leveler
	// AddSource adds file, line and function of the call.
	AddSource bool
}

var _ slog.Handler = (*Handler)(nil)

// Bounds, in Unix seconds, of times of which Unix nanoseconds can be had.
const (
	minSecond = math.MinInt64 / 1_000_000_000
	maxSecond = math.MaxInt64 / 1_000_000_000
)

// NewHandler returns a handler that logs through w; nil is [Default].
func NewHandler(w *Writer, o HandlerOptions) *Handler {
	if w == nil {
		w = processWriter
	}
	return &Handler{filter: &filter{w: w, name: o.Logger, own: o.Level}, source: o.AddSource}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return h.filter.enabled(level) }

// Handle implements [slog.Handler]. It allocates nothing for up to eight plain
// attributes. Errors are those of [Writer.Log].
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	stored, clamped := record.FromSlog(r.Level)
	var at int64
	if s := r.Time.Unix(); s > minSecond && s < maxSecond {
		at = r.Time.UnixNano()
	}
	lead := trialOf(ctx)
	if s := h.filter.w.sink.Load(); s != nil && h.scope == nil && !h.source && clamped.Scale == 0 {
		var room scratch
		prefix := record.Prefix{Logger: h.filter.name, Lead: lead}
		if n, ok := prefix.EncodeRecord(room.payload[:], at, &r); ok {
			if err := s.appendLog(stored, room.payload[:n]); err != ErrClosed || h.filter.w.home == nil {
				return err
			}
		}
	}
	e := record.Entry{Logger: h.filter.name, Message: r.Message, Scope: h.scope, Lead: lead, Level: clamped, Time: at}
	if h.source {
		e.Source = sourceOf(r.PC)
	}
	var buf [8]slog.Attr
	e.Attrs = buf[:0]
	r.Attrs(func(a slog.Attr) bool {
		e.Attrs = append(e.Attrs, a)
		return true
	})
	return h.filter.w.Log(stored, &e)
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.filter, h.scope.WithAttrs(attrs), h.source}
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.filter, h.scope.WithGroup(name), h.source}
}

// sources are the places of calls, by program counter: as many as the program has
// calls that log.
var sources sync.Map

func sourceOf(pc uintptr) record.Source[string] {
	if pc == 0 {
		return record.Source[string]{}
	}
	if s, ok := sources.Load(pc); ok {
		return s.(record.Source[string])
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	s := record.Source[string]{File: frame.File, Line: uint32(frame.Line), Function: frame.Function}
	sources.Store(pc, s)
	return s
}
