package writer

import (
	"context"
	"log/slog"

	"github.com/ringlog/ringlog/record"
)

// NamedLogger logs under one name. It does what a [slog.Logger] with a [Handler]
// does at less than half the cost: there is no call of slog's, and no time is asked
// for but that of the append. All methods may be called concurrently, and derive
// new loggers without changing the old one.
//
// A record below the minimum level is not made: that of the longest rule for the
// logger's name that was set with "ringlog level", else that of the Writer.
type NamedLogger struct {
	filter *filter       // shared with all that are derived from this one
	prefix record.Prefix // its Lead is the trial
}

// Logger returns a logger of the process's own writer, see [Default]. It may be
// made at any time: also in a package's variables, before there is a ring.
func Logger(name string) *NamedLogger { return processWriter.Logger(name) }

// Logger returns a logger of w. Names are hierarchical: outputs and rules for
// "trades" take in "trades.fx". Empty is the root logger.
func (w *Writer) Logger(name string) *NamedLogger {
	return &NamedLogger{&filter{w: w, name: name}, record.Prefix{Logger: name}}
}

// Log logs a message with attributes. Nil means that the record was accepted, or that
// its level is not logged; or, from the process's own writer while that has no ring,
// that it was written to standard error. Errors are those of [Writer.Log]. attrs are
// not kept.
func (l *NamedLogger) Log(level slog.Level, message string, attrs ...slog.Attr) error {
	// As filter.enabled, whose call would take as long as what it does. What else there is
	// to do is in functions of their own: here it would have all arguments saved first,
	// also for a record that is not logged.
	f := l.filter
	s, g := f.w.sink.Load(), f.gate.Load()
	if g == nil || s == nil || g.sink != s.number || g.version != s.levelVersion() || g.own != nil {
		return l.logAfterLook(level, message, attrs)
	}
	if level < g.min {
		return nil
	}
	return l.logTo(level, message, attrs, s)
}

// logAfterLook logs where it takes more to know whether level is logged.
func (l *NamedLogger) logAfterLook(level slog.Level, message string, attrs []slog.Attr) error {
	if !l.filter.enabled(level) {
		return nil
	}
	if s := l.filter.w.sink.Load(); s != nil { // which enabled may have found
		return l.logTo(level, message, attrs, s)
	}
	return l.logLong(level, message, attrs)
}

// logTo logs to s, which is not nil.
func (l *NamedLogger) logTo(level slog.Level, message string, attrs []slog.Attr, s *sink) error {
	var room scratch
	stored, clamped := record.FromSlog(level)
	n, ok := l.prefix.EncodeShort(room.payload[:], message, attrs)
	if ok && clamped.Scale == 0 {
		if err := s.appendLog(stored, room.payload[:n]); err != ErrClosed || l.filter.w.home == nil {
			return err
		}
	}
	return l.logLong(level, message, attrs)
}

// logLong logs what does not fit the stack or has no lane to go to.
func (l *NamedLogger) logLong(level slog.Level, message string, attrs []slog.Attr) error {
	stored, clamped := record.FromSlog(level)
	return l.filter.w.Log(stored, &record.Entry{
		Logger: l.prefix.Logger, Message: message, Attrs: attrs,
		Scope: l.prefix.Scope, Lead: l.prefix.Lead, Level: clamped,
	})
}

// LevelCritical is slog's number for CRITICAL, for which slog has no name.
const LevelCritical slog.Level = 12

// Debug logs at DEBUG. Like the other methods named after a level it is [NamedLogger.Log] for
// whoever need not know whether the record was accepted: what a ring loses is
// counted, and the log says so.
func (l *NamedLogger) Debug(message string, attrs ...slog.Attr) {
	_ = l.Log(slog.LevelDebug, message, attrs...)
}

// Info logs at INFO.
func (l *NamedLogger) Info(message string, attrs ...slog.Attr) {
	_ = l.Log(slog.LevelInfo, message, attrs...)
}

// Warning logs at WARNING.
func (l *NamedLogger) Warning(message string, attrs ...slog.Attr) {
	_ = l.Log(slog.LevelWarn, message, attrs...)
}

// Error logs at ERROR.
func (l *NamedLogger) Error(message string, attrs ...slog.Attr) {
	_ = l.Log(slog.LevelError, message, attrs...)
}

// Critical logs at CRITICAL.
func (l *NamedLogger) Critical(message string, attrs ...slog.Attr) {
	_ = l.Log(LevelCritical, message, attrs...)
}

// Enabled says whether records at level are logged now.
func (l *NamedLogger) Enabled(level slog.Level) bool { return l.filter.enabled(level) }

// With returns a logger whose records all have these attributes, which are encoded
// once, now.
func (l *NamedLogger) With(attrs ...slog.Attr) *NamedLogger {
	prefix := l.prefix
	prefix.Scope = prefix.Scope.WithAttrs(attrs)
	return &NamedLogger{l.filter, prefix}
}

// Trial returns a logger whose records all carry the trial: study and trial are
// their first attributes. It takes the place of a trial that l has.
func (l *NamedLogger) Trial(study string, n int) *NamedLogger {
	return l.under(trialFields(study, n))
}

// For returns the logger for the trial of ctx, see [WithTrial]; l if it has none.
func (l *NamedLogger) For(ctx context.Context) *NamedLogger {
	if trial := trialOf(ctx); trial != nil {
		return l.under(trial)
	}
	return l
}

// under returns a logger for an encoded trial.
func (l *NamedLogger) under(trial []byte) *NamedLogger {
	prefix := l.prefix
	prefix.Lead = trial
	return &NamedLogger{l.filter, prefix}
}
