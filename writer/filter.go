package writer

import (
	"log/slog"
	"sync/atomic"
)

// filter decides, for one name of a logger, which levels are logged.
type filter struct {
	w    *Writer
	name string
	own  slog.Leveler // minimum where no rule of the ring fits; nil: the Writer's
	gate atomic.Pointer[gate]
}

// gate is what a filter found out: it holds for one sink and one version of the
// ring's rules. It has the sink's number instead of the sink, which would keep the
// memory of a ring that is gone for as long as the logger is not used again.
type gate struct {
	sink    uint64
	version uint64
	min     slog.Level
	own     slog.Leveler // says the minimum instead of min, if not nil
}

// holds says whether what was found out is true of s now.
func (g *gate) holds(s *sink) bool {
	return g != nil && s != nil && g.sink == s.number && g.version == s.levelVersion()
}

func (g *gate) lets(level slog.Level) bool {
	if g.own != nil {
		return level >= g.own.Level()
	}
	return level >= g.min
}

// enabled says whether records at level are logged. Of shared memory it loads one
// word, which nobody writes but who changes the rules.
func (f *filter) enabled(level slog.Level) bool {
	g := f.gate.Load()
	if !g.holds(f.w.sink.Load()) {
		g = f.look()
	}
	return g.lets(level)
}

// look finds out what holds now.
func (f *filter) look() *gate {
	s := f.w.sink.Load()
	if s == nil {
		s = f.w.find()
	}
	g := &gate{own: f.own}
	if g.own == nil {
		g.own = f.w.level(s)
	}
	if constant, ok := g.own.(slog.Level); ok {
		g.min, g.own = constant, nil
	}
	if s == nil {
		return g // the next record looks again
	}
	g.sink = s.number
	rule, found, version := s.minLevel(f.name)
	if g.version = version; found {
		g.min, g.own = rule.Level(), nil
	}
	f.gate.Store(g)
	return g
}

// level is the minimum level of the Writer itself.
func (w *Writer) level(s *sink) slog.Leveler {
	if s != nil {
		return s.level
	}
	w.home.mu.Lock()
	defer w.home.mu.Unlock()
	return levelOf(w.home.options)
}

func levelOf(o Options) slog.Leveler {
	if o.Level == nil {
		return slog.LevelInfo
	}
	return o.Level
}
