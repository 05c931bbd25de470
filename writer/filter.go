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
// ring's rules.
type gate struct {
	sink    *sink
	version uint64
	min     slog.Level
	own     slog.Leveler // says the minimum instead of min, if not nil
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
	s, g := f.w.sink.Load(), f.gate.Load()
	if s == nil || g == nil || g.sink != s || g.version != s.levelVersion() {
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
	g := &gate{sink: s, own: f.own}
	if g.own == nil {
		g.own = f.w.level(s)
	}
	if constant, ok := g.own.(slog.Level); ok {
		g.min, g.own = constant, nil
	}
	if s == nil {
		return g // the next record looks again
	}
	rule, found, version, ok := s.minLevel(f.name)
	if !ok { // the rules are being changed, and the next record looks again
		if before := f.gate.Load(); before != nil && before.sink == s {
			return before
		}
		return g
	}
	if g.version = version; found {
		g.min, g.own = rule.AtLeast(), nil
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
