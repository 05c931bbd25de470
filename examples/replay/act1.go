package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// actOne replays the sources through a ring that this process itself drains. One
// worker does not end by itself; it is killed when it has done half of its lines.
func (s *show) actOne(ctx context.Context) error {
	ringPath, log := s.path("one.ring"), s.path("one.log")
	if err := createRing(ringPath, len(s.sources)); err != nil {
		return err
	}
	victim := len(s.sources) / 2
	fmt.Fprintf(s.out, "Act one: %d workers append to %s; worker-%d will be killed.\n", len(s.sources), ringPath, victim+1)
	if doubt := ring.Warning(ringPath); doubt != "" {
		fmt.Fprintln(s.out, "Note:", doubt)
	}

	r, err := openReader(ringPath, log, reader.UntilStopped)
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx) // ends the workers if the reader fails
	defer fail(nil)
	readerCtx, stop := context.WithCancel(ctx) // ends the reader after the workers
	defer stop()
	began, drained := time.Now(), make(chan error, 1)
	go func() {
		err := r.Run(readerCtx)
		fail(err)
		drained <- err
	}()

	c, err := s.startCrew(ctx, ringPath, func(i int) int {
		if i == victim {
			return 0
		}
		return s.lines
	})
	if err == nil {
		err = errors.Join(s.replay(ctx, c, c[victim]), c.killAll(), c.wait())
	}
	replayed := time.Now()
	stop()
	err = errors.Join(err, <-drained, r.Close())
	if err != nil {
		return err
	}
	took, late := time.Since(began), time.Since(replayed)

	t, err := s.count(c, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s records in %.1f s, %s records/s, from %d processes to %s in %d files; the last one was in its file %.1f ms after the last worker ended.\n",
		humanize.Comma(int64(r.Stats().Records)), took.Seconds(), humanize.Comma(int64(float64(r.Stats().Records)/took.Seconds())),
		len(c), humanize.IBytes(uint64(t.size)), t.files, late.Seconds()*1e3)
	return s.judge(c, t)
}

// replay shows how far the crew is, and kills victim in the middle.
func (s *show) replay(ctx context.Context, c crew, victim *process) error {
	bar := newProgress(s.out, len(c)*s.lines-s.lines/2)
	defer bar.end()
	var err error
	return errors.Join(err, c.watch(ctx, func(done bool) bool {
		bar.show(c.accepted())
		if n := victim.accepted(); !victim.killed && n >= s.lines/2 {
			err = victim.kill()
			bar.say(fmt.Sprintf("%s killed (SIGKILL, pid %d)", victim.Name, victim.cmd.Process.Pid))
		}
		return done || err != nil
	}))
}
