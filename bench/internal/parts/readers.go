package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/internal/stats"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// The names of lines that others look up.
const (
	IdleNobody   = "idle, nobody attached"
	IdleAttached = "idle, 16 lanes attached"
	Delay        = "append to file"
)

// Idle is the metric of an idle reader, a share of a core in per cent.
const Idle = "idle"

func readers(Options) []rounds.Line {
	return []rounds.Line{
		{Name: IdleNobody, Each: idle(0)},
		{Name: IdleAttached, Each: idle(16)},
		{Name: Delay, Each: delay},
	}
}

// settling is how long an idle reader is left alone first, and watching how long it is
// measured: in times of a run's time.
const (
	settling = 5
	watching = 60
)

func idle(lanes int) rounds.Each {
	return func(ctx context.Context, dirs peer.Dirs, d time.Duration, to *rounds.Sink) (err error) {
		s, err := rig.Peer{Format: "text", Lanes: lanes}.Start(ctx, dirs, min(1, lanes))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if err := sleep(ctx, settling*d); err != nil {
			return err
		}
		before, err := s.Reader.Usage()
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := sleep(ctx, watching*d); err != nil {
			return err
		}
		after, err := s.Reader.Usage()
		if err != nil {
			return err
		}
		to.Add(Idle, 0, result.Share, 100*float64(after.Processor-before.Processor)/float64(time.Since(begin)))
		return nil
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// pauses before a record, in milliseconds: while a reader looks by itself, and when it has gone to
// sleep; and how many there are of each.
var pauses = []struct{ ms, times int }{{1, 300}, {20, 100}, {150, 20}}

// hopeless is when a record will not come.
const hopeless = 10 * time.Second

// delay appends records one by one and watches the file grow.
func delay(ctx context.Context, dirs peer.Dirs, d time.Duration, to *rounds.Sink) (err error) {
	s, err := rig.Peer{Format: "raw"}.Start(ctx, dirs, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w, err := writer.Open(s.Ring, writer.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	out := filepath.Join(dirs.Logs, "a.log")
	var all []float64
	for _, p := range pauses {
		var took []float64
		for range max(2, int(float64(p.times)*d.Seconds()/0.1)) {
			if err := sleep(ctx, time.Duration(p.ms)*time.Millisecond); err != nil {
				return err
			}
			t, err := arrival(w, out)
			if err != nil {
				return err
			}
			took = append(took, float64(t))
		}
		slices.Sort(took)
		to.Add("p50", float64(p.ms), result.Nanoseconds, stats.Quantile(took, 0.5))
		to.Add("p99", float64(p.ms), result.Nanoseconds, stats.Quantile(took, 0.99))
		all = append(all, took...)
	}
	slices.Sort(all)
	to.Add("p50", 0, result.Nanoseconds, stats.Quantile(all, 0.5))
	to.Add("p99", 0, result.Nanoseconds, stats.Quantile(all, 0.99))
	return nil
}

func arrival(w *writer.Writer, out string) (time.Duration, error) {
	before, err := os.Stat(out)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := w.Append(record.LevelInfo, text); err != nil {
		return 0, err
	}
	for {
		st, err := os.Stat(out)
		took := time.Since(begin)
		switch {
		case err != nil:
			return 0, err
		case st.Size() > before.Size():
			return took, nil
		case took > hopeless:
			return 0, fmt.Errorf("a record is not in the file after %v", hopeless)
		}
	}
}
