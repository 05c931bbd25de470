// Package rounds measures lines in rounds, one round of each after the other, so that
// what happens to the machine meanwhile happens to all of them.
package rounds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/peer"
)

// Part is some lines that are measured together.
type Part struct {
	Name string
	// Share is how many rounds there are for each of a run; the parts whose lines take
	// long have fewer. At least one is measured.
	Share float64
	// Warm says that a round before the first one is not counted: it fills caches.
	Warm  bool
	Lines []Line
}

// Line is one thing to measure: by Keep, if it stays open over all rounds, or else by
// Each.
type Line struct {
	Name  string
	Group string  // of lines that a table has together
	X     float64 // of a line of many, the abscissa
	Keep  func(ctx context.Context, dir string) (Measurement, error)
	Each  Each
	Disk  bool   // whether the logs of Each lie on disk, not in memory
	Never string // why it must not be measured; empty: it may
}

// Each measures once, for about d. Its folders are new and are removed afterwards.
type Each func(ctx context.Context, dirs peer.Dirs, d time.Duration, to *Sink) error

// Measurement is a line that is open. Run measures for about d.
type Measurement interface {
	Run(ctx context.Context, d time.Duration, to *Sink) error
	io.Closer
}

// ErrSkipped: a line cannot be measured here; the others can. A peer.Missing is
// another such error.
var ErrSkipped = errors.New("skipped")

// Plan is what all parts have in common.
type Plan struct {
	Rounds       int
	Time         time.Duration // measured time of one line in one round
	Memory, Disk string        // folders, in which all others are made
	// Progress is told what is done next.
	Progress func(part string, round, of int, line string)
	// Between is called between two rounds.
	Between func()
}

// state is a line on its way through the rounds.
type state struct {
	Line
	open Measurement
	dir  string // of one that is open
	sink *Sink
	out  bool // it was skipped, or it failed
}

// Run measures p and adds what comes out to r. A line that fails is left out of the
// other rounds; the error names all of those, and ends the run only if ctx is done.
func (p Part) Run(ctx context.Context, plan Plan, r *result.Report) (err error) {
	lines := make([]state, len(p.Lines))
	var failed []error
	give := func(s *state, e error) {
		s.out = true
		var missing *peer.Missing
		if errors.Is(e, ErrSkipped) || errors.As(e, &missing) {
			r.Skipped = append(r.Skipped, result.Skip{Part: p.Name, Line: s.Name, Why: e.Error()})
		} else if ctx.Err() == nil {
			failed = append(failed, fmt.Errorf("%s, %s: %w", p.Name, s.Name, e))
		}
	}
	defer func() {
		for i := range lines {
			if e := lines[i].close(); e != nil && ctx.Err() == nil {
				failed = append(failed, fmt.Errorf("%s, end of %s: %w", p.Name, lines[i].Name, e))
			}
		}
		err = errors.Join(append([]error{err}, failed...)...)
	}()
	for i, line := range p.Lines {
		s := &lines[i]
		*s = state{Line: line, sink: &Sink{line: line, part: p.Name, report: r}}
		switch {
		case line.Never != "":
			s.out = true
			r.Skipped = append(r.Skipped, result.Skip{Part: p.Name, Line: line.Name, Why: line.Never})
		case line.Keep != nil:
			plan.Progress(p.Name, 0, 0, "preparing "+line.Name)
			var e error
			if s.dir, e = os.MkdirTemp(plan.Memory, "line-"); e == nil {
				s.open, e = line.Keep(ctx, s.dir)
			}
			if e != nil {
				give(s, e)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	of := max(1, int(float64(plan.Rounds)*p.Share))
	round := 0
	if p.Warm {
		round = -1
	}
	for ; round < of; round++ {
		plan.Between()
		for i := range lines {
			s := &lines[i]
			if s.out {
				continue
			}
			plan.Progress(p.Name, round+1, of, s.Name)
			s.sink.off = round < 0
			if e := s.measure(ctx, plan); e != nil {
				give(s, e)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	for i := range lines {
		r.Spreads = append(r.Spreads, lines[i].sink.distributions()...)
	}
	return nil
}

func (s *state) close() error {
	var err error
	if s.open != nil {
		err = s.open.Close()
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

func (s *state) measure(ctx context.Context, plan Plan) (err error) {
	runtime.GC() // what one line left is not the next one's to clear
	if s.open != nil {
		return s.open.Run(ctx, plan.Time, s.sink)
	}
	logs := plan.Memory
	if s.Disk {
		logs = plan.Disk
	}
	var dirs peer.Dirs
	if dirs.Work, err = os.MkdirTemp(plan.Memory, "work-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dirs.Work)) }()
	if dirs.Logs, err = os.MkdirTemp(logs, "logs-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dirs.Logs)) }()
	return s.Each(ctx, dirs, plan.Time, s.sink)
}

// Sink takes what a line measures.
type Sink struct {
	line    Line
	part    string
	report  *result.Report
	off     bool // in the round that warms up
	spreads []spread
}

type spread struct {
	rate float64
	all  *hdrhistogram.Histogram
}

// Add adds one sample of a figure. X is the line's where it is 0.
func (s *Sink) Add(metric string, x float64, unit result.Unit, sample float64) {
	if s.off {
		return
	}
	if x == 0 {
		x = s.line.X
	}
	s.report.Add(result.Series{Part: s.part, Line: s.line.Name, Group: s.line.Group, Metric: metric, X: x, Unit: unit}, sample)
}

// Spread adds the calls of one round at a rate.
func (s *Sink) Spread(rate float64, h *hdrhistogram.Histogram) {
	if s.off {
		return
	}
	i := slices.IndexFunc(s.spreads, func(o spread) bool { return o.rate == rate })
	if i < 0 {
		s.spreads = append(s.spreads, spread{rate, h})
		return
	}
	s.spreads[i].all.Merge(h)
}

func (s *Sink) distributions() []result.Distribution {
	var all []result.Distribution
	for _, o := range s.spreads {
		d := result.Distribution{Line: s.line.Name, Rate: o.rate}
		for _, b := range o.all.Distribution() {
			if b.Count > 0 {
				d.Values = append(d.Values, [2]int64{b.To, b.Count})
			}
		}
		all = append(all, d)
	}
	return all
}
