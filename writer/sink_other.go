//go:build !linux

package writer

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer/internal/fallback"
)

// sink is standard error, on systems that have no ring.
type sink struct {
	printer  *fallback.Printer
	counters counters
	closed   atomic.Bool
}

func (s *sink) open(string, Options) error {
	s.printer = fallback.New(os.Stderr)
	return nil
}

func (s *sink) append(level record.Level, p []byte) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.printer.Raw(level, p)
}

func (s *sink) log(level record.Level, e *record.Entry) error {
	if s.closed.Load() {
		return ErrClosed
	}
	err := s.printer.Log(level, e)
	switch {
	case errors.Is(err, record.ErrTooLong):
		s.counters.add(reasonTooLarge, level)
	case errors.Is(err, record.ErrUnprepared):
		s.counters.add(reasonAborted, level)
	case errors.Is(err, record.ErrSizeChanged):
		s.counters.add(reasonAborted, level)
		return ErrAborted
	}
	return err
}

func (s *sink) stats() Stats { return Stats{Lane: NoLane, Lost: s.counters.lost()} }

func (s *sink) close() error {
	s.closed.Store(true)
	return nil
}
