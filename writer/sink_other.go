//go:build !linux

package writer

import (
	"errors"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer/internal/fallback"
)

// sink is standard error, on systems that have no ring.
type sink struct {
	number   uint64 // there is one sink at most
	printer  *fallback.Printer
	level    slog.Leveler
	counters counters
	closed   atomic.Bool
}

func openSink(_ string, o Options) (*sink, error) {
	return &sink{printer: fallback.New(os.Stderr), level: levelOf(o)}, nil
}

func (s *sink) append(level record.Level, p []byte) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.printer.Raw(level, p)
}

func (s *sink) appendNow(level record.Level, p []byte) error { return s.append(level, p) }

// appendLate has nothing to add: there is no room to wait for.
func (s *sink) appendLate(cause error, _ record.Level, _ []byte) error { return cause }

// appendLog appends an encoded log record.
func (s *sink) appendLog(level record.Level, payload []byte) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.printer.Encoded(level, payload)
}

func (s *sink) log(level record.Level, e *record.Entry) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := s.printer.Log(level, e)
	switch {
	case errors.Is(err, record.ErrTooLong):
		s.counters.add(reasonTooLarge, level)
	case errors.Is(err, record.ErrSizeChanged):
		s.counters.add(reasonAborted, level)
		return ErrAborted
	}
	return err
}

// There are no rules for levels without a ring.

func (s *sink) levelVersion() uint64 { return 0 }

func (s *sink) minLevel(string) (level record.Level, found bool, version uint64) { return 0, false, 0 }

func (s *sink) stats() Stats { return Stats{Lane: NoLane, Lost: s.counters.lost()} }

func (s *sink) close() error {
	s.closed.Store(true)
	return nil
}
