package parts

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

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

// delay appends records one by one and waits for the file to grow. It is told of that by
// the kernel: who looks again and again takes the processor that the reader is to wake up on.
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
	grown, err := watch(filepath.Join(dirs.Logs, "a.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(grown)) }()
	var all []float64
	for _, p := range pauses {
		var took []float64
		for range max(2, int(float64(p.times)*d.Seconds()/0.1)) {
			if err := sleep(ctx, time.Duration(p.ms)*time.Millisecond); err != nil {
				return err
			}
			t, err := arrival(w, grown)
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

// watch returns a descriptor with an event for each write to path.
func watch(path string) (int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("inotify: %w", err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		return -1, errors.Join(fmt.Errorf("inotify %s: %w", path, err), unix.Close(fd))
	}
	return fd, nil
}

// hopeless is when a record will not come.
const hopeless = 10 * time.Second

// arrival appends a record and returns how long after that the file grew.
func arrival(w *writer.Writer, grown int) (time.Duration, error) {
	if err := forget(grown); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := w.Append(record.LevelInfo, text); err != nil {
		return 0, err
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(grown), Events: unix.POLLIN}}, int(hopeless.Milliseconds()))
		took := time.Since(begin)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("poll: %w", err)
		case n == 0:
			return 0, fmt.Errorf("a record is not in the file after %v", took)
		default:
			return took, nil
		}
	}
}

// forget takes the events that there were.
func forget(grown int) error {
	var events [4096]byte
	for {
		switch _, err := unix.Read(grown, events[:]); {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("inotify: %w", err)
		}
	}
}
