package parts

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/golog"
	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// The names of lines that others look up.
const (
	Append100     = "append 100 B"
	AppendSingle  = "append 100 B, single producer"
	AppendOne     = "append 100 B, in a process of its own"
	AppendTwo     = "append 100 B, each of 2 processes"
	LoggerFields  = "Logger, 3 attributes"
	loggerSingle  = "Logger, 3 attributes, single producer"
	SlogRing      = "slog to a ring, 3 attributes"
	SlogNothing   = "slog to a handler that does nothing"
	BelowMessage  = "Logger, a message, below its level"
	belowFields   = "Logger, 3 attributes, below its level"
	loggerPrepare = "Logger, 3 attributes made before"
)

func costs(o Options) []rounds.Line {
	lines := []rounds.Line{
		{Name: Append100, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Append, payload.Texts{text}) })},
		{Name: AppendSingle, Group: "ringlog", Keep: openSingle(func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Append, payload.Texts{text}) })},
		{Name: "append 100 B, lane of 64 KiB", Group: "ringlog", Keep: openCalls(ring.MinLaneSize, func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Append, payload.Texts{text}) })},
		{Name: AppendOne, Group: "ringlog", Keep: openCrew(1)},
		{Name: AppendTwo, Group: "ringlog", Keep: openCrew(2)},
		{Name: LoggerFields, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Logger, nil) })},
		{Name: loggerSingle, Group: "ringlog", Keep: openSingle(func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Logger, nil) })},
		{Name: loggerPrepare, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, prepared)},
		{Name: belowFields, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, below)},
		{Name: BelowMessage, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, belowMessage)},
		{Name: SlogRing, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, func(w *writer.Writer) peer.Logger { return rig.Calls(w, rig.Slog, nil) })},
		{Name: SlogNothing, Group: "ringlog", Keep: openCalls(ring.DefaultLaneSize, func(*writer.Writer) peer.Logger { return peer.SlogCalls(nothing{}) })},
	}
	for _, k := range golog.All {
		if k.Alone() {
			lines = append(lines, rounds.Line{Name: k.Info().Name, Group: "peers", Keep: func(_ context.Context, dir string) (rounds.Measurement, error) { return openPeer(k, dir) }})
		}
	}
	for _, p := range o.Native {
		for _, what := range p.Info().Payloads {
			lines = append(lines, rounds.Line{Name: p.Info().Name + Suffix(what), Group: "peers", Keep: func(ctx context.Context, dir string) (rounds.Measurement, error) {
				return openNative(ctx, p, what, dir)
			}})
		}
	}
	return slices.Concat(lines, floors())
}

// Suffix says what a peer logs, where it can log both.
func Suffix(what peer.Payload) string {
	if what == peer.Message {
		return ", 100 B"
	}
	return ", 3 fields"
}

func prepared(w *writer.Writer) peer.Logger {
	l := w.Logger("trades")
	attrs := []slog.Attr{slog.Int("trial", 4711), slog.Float64("price", peer.Price), slog.String("symbol", peer.Symbol)}
	return peer.Logger{Log: func(n int) error {
		for range n {
			l.Info(peer.FieldsText, attrs...)
		}
		return nil
	}}
}

func below(w *writer.Writer) peer.Logger {
	l := w.Logger("trades")
	return peer.Logger{Log: func(n int) error {
		for i := range n {
			l.Debug(peer.FieldsText, slog.Int("trial", i), slog.Float64("price", peer.Price), slog.String("symbol", peer.Symbol))
		}
		return nil
	}}
}

func belowMessage(w *writer.Writer) peer.Logger {
	l := w.Logger("trades")
	return peer.Logger{Log: func(n int) error {
		for range n {
			l.Debug(peer.FieldsText)
		}
		return nil
	}}
}

// calls are bursts in this process. What comes before each is not measured.
type calls struct {
	log    func(n int) error
	before func() error
	after  func() error
	burst  int
	io.Closer
}

type opening = func(context.Context, string) (rounds.Measurement, error)

func openCalls(size uint64, with func(*writer.Writer) peer.Logger) opening {
	return openLane(size, false, with)
}

func openSingle(with func(*writer.Writer) peer.Logger) opening {
	return openLane(ring.DefaultLaneSize, true, with)
}

func openLane(size uint64, single bool, with func(*writer.Writer) peer.Logger) opening {
	return func(_ context.Context, dir string) (rounds.Measurement, error) {
		lane, err := rig.OpenLane(dir, size, single)
		if err != nil {
			return nil, err
		}
		after := func() error {
			if lane.Writer.Stats().Lost.Total() > 0 {
				return errors.New("a burst found its lane full")
			}
			return nil
		}
		return &calls{with(lane.Writer).Log, lane.Empty, after, lane.Burst, lane}, nil
	}
}

func openPeer(k golog.Kind, dir string) (rounds.Measurement, error) {
	l, closer, err := k.Make(dir)
	if err != nil {
		return nil, err
	}
	before := func() error {
		// Files are in memory, and must not grow from round to round.
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range files {
			err = errors.Join(err, os.Truncate(f, 0))
		}
		return err
	}
	return &calls{l.Log, before, func() error { return nil }, 5000, closer}, nil
}

func (c *calls) Run(ctx context.Context, d time.Duration, to *rounds.Sink) error {
	n, took, allocs := 0, time.Duration(0), uint64(0)
	for took < d && ctx.Err() == nil {
		if err := c.before(); err != nil {
			return err
		}
		allocated := allocations()
		begin := time.Now()
		if err := c.log(c.burst); err != nil {
			return err
		}
		took += time.Since(begin)
		allocs += allocations() - allocated
		if err := c.after(); err != nil {
			return err
		}
		n += c.burst
	}
	to.Add(Call, 0, result.Nanoseconds, float64(took)/float64(n))
	to.Add(Allocs, 0, result.Count, float64(allocs)/float64(n))
	return ctx.Err()
}

func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// crew is bursts of worker processes.
type crew struct {
	peer.Session
	before func() error
	burst  int
}

// openCrew prepares appends in processes, each with its lane, which nobody reads.
func openCrew(workers int) func(context.Context, string) (rounds.Measurement, error) {
	return func(ctx context.Context, dir string) (rounds.Measurement, error) {
		s, err := rig.OpenUnread(ctx, dir, workers)
		if err != nil {
			return nil, err
		}
		return &crew{s, s.Empty, s.Burst}, nil
	}
}

// nativeBurst fits the queue or the buffers of all peers, so that calls do not wait.
const nativeBurst = 5000

func openNative(ctx context.Context, p peer.Peer, what peer.Payload, dir string) (rounds.Measurement, error) {
	dirs := peer.Dirs{Work: filepath.Join(dir, "work"), Logs: filepath.Join(dir, "logs")}
	if err := errors.Join(os.Mkdir(dirs.Work, 0o700), os.Mkdir(dirs.Logs, 0o700)); err != nil {
		return nil, err
	}
	s, err := p.Open(ctx, dirs, 1, what)
	if err != nil {
		return nil, err
	}
	return &crew{s, s.Crew().Flush, nativeBurst}, nil
}

// Run adds the time of one process, on average: each logs as many records as the others.
func (c *crew) Run(ctx context.Context, d time.Duration, to *rounds.Sink) error {
	n, took := 0, time.Duration(0)
	for took < d && ctx.Err() == nil {
		if err := c.before(); err != nil {
			return err
		}
		_, t, err := c.Crew().Burst(c.burst)
		if err != nil {
			return err
		}
		if t.Lost > 0 {
			return errors.New("a burst lost records")
		}
		n, took = n+c.burst, took+t.Time
	}
	to.Add(Call, 0, result.Nanoseconds, float64(took)/float64(n))
	return ctx.Err()
}

// nothing is a handler that costs what slog itself does.
type nothing struct{}

func (nothing) Enabled(context.Context, slog.Level) bool  { return true }
func (nothing) Handle(context.Context, slog.Record) error { return nil }
func (nothing) WithAttrs([]slog.Attr) slog.Handler        { return nothing{} }
func (nothing) WithGroup(string) slog.Handler             { return nothing{} }
