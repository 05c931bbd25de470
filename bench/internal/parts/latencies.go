package parts

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/ringlog/ringlog/bench/internal/cpus"
	"github.com/ringlog/ringlog/bench/internal/golog"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
)

// HighRate is the second rate, for those that keep up with it.
const HighRate = 1e6

// The names of lines that others look up.
const (
	LatencyAppend      = "ringlog append, 100 B"
	LatencyAppendApart = LatencyAppend + Apart
)

// Apart ends the names of lines whose worker has a processor to itself.
const Apart = ", CPUs apart"

// Quantiles are the metrics of a distribution.
var Quantiles = []struct {
	Name string
	Of   float64 // in per cent
}{{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}, {"max", 100}}

// timed is the calls of one peer, each by itself, while a reader works beside it.
type timed struct {
	peer  peer.Peer
	what  peer.Payload
	rate  float64 // that is measured, beside calls as fast as they go and HighRate
	apart bool    // HighRate alone, where the worker is bound to a processor and all else to others
}

func latencies(o Options) []rounds.Line {
	lines := []rounds.Line{
		line(LatencyAppend, rig.Peer{Format: "text"}, peer.Message, o),
		line("ringlog Logger", rig.Peer{How: rig.Logger, Format: "text"}, peer.Fields, o),
		line("ringlog slog.Handler", rig.Peer{How: rig.Slog, Format: "text"}, peer.Fields, o),
	}
	for _, k := range golog.All {
		name := k.Info().Name
		if k.Nowhere() && name != golog.Nothing.Info().Name && name != "zerolog → nowhere" || name == "log/slog text → file" {
			continue // like the others, but with less in it
		}
		lines = append(lines, line(name, golog.Peer{Kind: k}, k.Info().Payloads[0], o))
	}
	for _, p := range o.Native {
		what := peer.Fields
		if !has(p, what) {
			what = peer.Message
		}
		lines = append(lines, line(p.Info().Name, p, what, o))
	}
	return append(lines, latenciesApart(o)...)
}

func line(name string, p peer.Peer, what peer.Payload, o Options) rounds.Line {
	return rounds.Line{Name: name, Each: timed{peer: p, what: what, rate: o.Rate}.each}
}

// latenciesApart are those that keep up with HighRate, and have somebody who collects.
func latenciesApart(o Options) []rounds.Line {
	var lines []rounds.Line
	add := func(name string, p peer.Peer) {
		l := rounds.Line{Name: name + Apart, Each: timed{peer: p, what: p.Info().Payloads[0], apart: true}.each}
		if runtime.NumCPU() < 2 {
			l.Never = "not run: there is one processor"
		}
		lines = append(lines, l)
	}
	add(LatencyAppend, rig.Peer{Format: "text"})
	add("ringlog Logger", rig.Peer{How: rig.Logger, Format: "text"})
	add(golog.Nothing.Info().Name, golog.Peer{Kind: golog.Nothing})
	for _, p := range o.Native {
		add(p.Info().Name, p)
	}
	return lines
}

// How long a line is measured at a rate, in times of a run's time; and how many calls as
// fast as they go, which is so few that they fit every queue but the socket's.
const (
	pacedTimes = 5
	fastCalls  = 4000
	warmCalls  = 4000
)

// keepsUp is the share of a rate's time that calls may take one after the other, of who
// is measured at it.
const keepsUp = 0.8

func (t timed) each(ctx context.Context, dirs peer.Dirs, d time.Duration, to *rounds.Sink) (err error) {
	open := t.peer.Open
	if t.apart {
		open = t.openApart
	}
	s, err := open(ctx, dirs, 1, t.what)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	_, took, err := s.Crew().Burst(warmCalls)
	if err != nil {
		return err
	}
	if t.apart {
		return t.paced(s, callsAt(HighRate, d), HighRate, to)
	}
	rates := []float64{0, t.rate}
	if t.rate < HighRate && took.Time < time.Duration(keepsUp*warmCalls*1e9/HighRate) {
		rates = append(rates, HighRate)
	}
	for _, rate := range rates {
		if err := t.paced(s, callsAt(rate, d), rate, to); err != nil {
			return err
		}
	}
	return nil
}

// callsAt is how many there are at a rate.
func callsAt(rate float64, d time.Duration) int {
	if rate == 0 {
		return fastCalls
	}
	return max(100, int(rate*d.Seconds()*pacedTimes))
}

// openApart is the peer's Open. What is not written in Go calls in its first thread and collects
// in others.
func (t timed) openApart(ctx context.Context, dirs peer.Dirs, workers int, what peer.Payload) (s peer.Session, err error) {
	one, others, ok, err := cpus.Apart()
	if err != nil || !ok {
		return nil, errors.Join(err, errors.New("this process may use one processor only"))
	}
	err = cpus.On(others, func() (err error) {
		s, err = t.peer.Open(ctx, dirs, workers, what)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, w := range s.Crew() {
		if err := cpus.Bind(w.Pid(), one, t.peer.Info().Language != "Go"); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// paced begins when all that was logged before has been collected.
func (t timed) paced(s peer.Session, n int, rate float64, to *rounds.Sink) error {
	if err := s.Crew().Flush(); err != nil {
		return err
	}
	if r, ok := s.(*rig.Session); ok {
		if _, err := r.Reader.Wait(r.Crew().Logged()); err != nil {
			return err
		}
	}
	took, h, err := s.Crew().Paced(n, every(rate))
	if err != nil {
		return err
	}
	for _, q := range Quantiles {
		to.Add(q.Name, rate, result.Nanoseconds, value(h, q.Of))
	}
	to.Add(LostCount, rate, result.Lost, float64(took.Lost))
	to.Spread(rate, h)
	return nil
}

func value(h *hdrhistogram.Histogram, percentile float64) float64 {
	if percentile == 100 {
		return float64(h.Max())
	}
	return float64(h.ValueAtPercentile(percentile))
}
