package parts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
)

// load is records that go the whole way: from the workers' common start until the
// last one is in the files.
type load struct {
	peer    peer.Peer
	workers int
	what    peer.Payload
	warm    int           // records of each worker before: they touch memory
	times   time.Duration // how many times as long as a run's time
	smoke   bool          // whether a moment is enough
	n       int           // records of each worker; 0 before the first run
}

// What a worker may log in one run; and how much all log in the run from which they learn
// how much that is to be.
const (
	fewest = 1000
	most   = 20_000_000
	trial  = 40_000
)

// fill is how many records of size bytes go once around a lane of laneSize bytes: the
// pages of a lane that was not used before have to be made first.
func fill(laneSize uint64, size int) int { return int(laneSize)/(size+32) + 1 }

// each measures, in a session of its own, as many records as take about d.
func (l *load) each(ctx context.Context, dirs peer.Dirs, d time.Duration, to *rounds.Sink) error {
	if l.n == 0 {
		l.n = fewest
		if !l.smoke {
			if err := l.learn(ctx, dirs, d*l.times); err != nil {
				return err
			}
		}
	}
	_, err := l.run(ctx, dirs, l.n, to)
	return err
}

// learn finds out how many records take d, from what more records take longer: with some
// peers most of a short run is its end.
func (l *load) learn(ctx context.Context, dirs peer.Dirs, d time.Duration) error {
	short, err := l.run(ctx, dirs, fewest, nil)
	if err != nil {
		return err
	}
	for n := max(2*fewest, trial/l.workers); ; n *= 8 {
		long, err := l.run(ctx, dirs, n, nil)
		if err != nil {
			return err
		}
		if long < 2*short && 8*n <= most {
			continue // it is still mostly the end
		}
		each := max(1, float64(long-short)/float64(n-fewest))
		l.n = min(max(fewest, int(float64(d)/each)), most)
		return nil
	}
}

// run returns what n records of each worker took. It adds nothing to a sink that is nil.
func (l *load) run(ctx context.Context, outer peer.Dirs, n int, to *rounds.Sink) (took time.Duration, err error) {
	dirs, remove, err := within(outer)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	s, err := l.peer.Open(ctx, dirs, l.workers, l.what)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, _, err := s.Crew().Burst(l.warm); err != nil {
		return 0, err
	}
	if err := s.Crew().Flush(); err != nil {
		return 0, err
	}
	ringlog, _ := s.(*rig.Session)
	before, err := usage(ringlog)
	if err != nil {
		return 0, err
	}
	begin, _, err := s.Crew().Burst(n)
	if err != nil {
		return 0, err
	}
	settled, err := s.Settle(ctx)
	if err != nil {
		return 0, err
	}
	took = settled.At.Sub(begin)
	if settled.Arrived > s.Crew().Logged() || took <= 0 {
		return 0, fmt.Errorf("%d records are in the files after %v, of %d", settled.Arrived, took, s.Crew().Logged())
	}
	if to == nil {
		return took, nil
	}
	logged := float64(s.Crew().Logged())
	lost := logged - float64(settled.Arrived)
	measured := float64(n*l.workers) / logged // the others were logged before
	to.Add(Rate, 0, result.PerSecond, float64(settled.Arrived)*measured/took.Seconds())
	to.Add(Bytes, 0, result.Megabytes, float64(settled.Bytes)*measured/1e6/took.Seconds())
	to.Add(LostCount, 0, result.Lost, lost)
	if ringlog == nil {
		return took, nil
	}
	if lost > 0 {
		return 0, fmt.Errorf("%.0f records are not in the file, of %.0f", lost, logged)
	}
	after, err := usage(ringlog)
	if err != nil {
		return 0, err
	}
	to.Add(Processor, 0, result.Nanoseconds, float64(after.Processor-before.Processor)/float64(n*l.workers))
	to.Add(Allocs, 0, result.Count, float64(after.Allocs-before.Allocs)/float64(n*l.workers))
	to.Add(Memory, 0, result.Mebibytes, float64(after.Private)/(1<<20))
	return took, nil
}

// usage is that of a reader which has drained what was logged; nothing for other peers.
func usage(s *rig.Session) (rig.Usage, error) {
	if s == nil {
		return rig.Usage{}, nil
	}
	if _, err := s.Reader.Wait(s.Crew().Logged()); err != nil {
		return rig.Usage{}, err
	}
	return s.Reader.Usage()
}
