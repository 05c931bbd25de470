package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// actTwo kills everything, reader first, and then looks at what is left.
func (s *show) actTwo(ctx context.Context) error {
	ringPath, log := s.path("two.ring"), s.path("two.log")
	if err := createRing(ringPath, len(s.sources)); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nAct two: everything is killed, reader included, with the lanes of %s full.\n", ringPath)
	rd, err := start(ctx, job{Role: "reader", Ring: ringPath, Log: log})
	if err != nil {
		return err
	}
	c, err := s.startCrew(ctx, ringPath, func(int) int { return 0 })
	if err == nil {
		err = s.disaster(ctx, c, rd)
	}
	err = errors.Join(err, rd.kill(), c.killAll(), rd.wait(), c.wait())
	if err != nil {
		return err
	}

	// What a person would do now: ringdump shows what the ring still holds.
	left, err := s.count(c, log)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // the reader died in a line
		return err
	}
	fmt.Fprintln(s.out, "Left by the dead: in the files, and in the ring, where ringdump finds what no file has yet.")
	inRing, err := s.recover(c, ringPath)
	if err != nil {
		return err
	}
	if err := s.compare(c, left, inRing); err != nil {
		return err
	}

	// And what ends it: any new reader. It undoes the batch that the dead one left
	// half written, and drains the rest.
	if _, err := drain(ctx, ringPath, log, reader.UntilEmpty); err != nil {
		return err
	}
	whole, err := s.count(c, log)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, "\nA new reader has drained the ring. Now the files have:")
	if err := s.judge(c, whole); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\nTo look for yourself:\n  ringdump --all %s\n  ringlog stat %s\n  tail -n 3 %s\n", ringPath, ringPath, log)
	return nil
}

// compare prints what the dead left of each worker: in the files, and in the ring.
func (s *show) compare(c crew, files, rest *tally) error {
	w := s.table("worker", "lines accepted", "in the files", "found by ringdump", "in neither")
	kept := true
	for _, p := range c {
		inFiles, inRing := files.workers[p.Name], rest.workers[p.Name]
		written, _ := inFiles.found()
		waiting, _ := inRing.found()
		lost := inFiles.lost(p.accepted(), inRing)
		kept = kept && lost == 0
		row(w, p.Name, p.accepted(), written, waiting, lost)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !kept {
		return errBroken
	}
	return nil
}

// disaster lets the crew work for a while, kills the reader, and returns when the
// lanes have filled up and the workers stand still.
func (s *show) disaster(ctx context.Context, c crew, rd *process) error {
	enough := min(s.lines, 2000)
	err := c.watch(ctx, func(bool) bool {
		return !slices.ContainsFunc(c, func(p *process) bool { return p.accepted() < enough })
	})
	if err := errors.Join(err, rd.kill(), rd.wait()); err != nil {
		return err
	}
	in, err := ring.Inspect(rd.Ring)
	if err != nil {
		return err
	}
	var failed error
	err = c.watch(ctx, func(bool) bool {
		failed = in.Refresh()
		return failed != nil || filled(in)
	})
	return errors.Join(err, failed, in.Close())
}

// filled says that every lane is so full that its worker waits for room, or soon
// will: the longest record takes about a sixteenth of a lane.
func filled(in *ring.Inspector) bool {
	for i := range in.Ring().LaneCount {
		lane := in.Entry(i)
		end, _ := lane.Produced()
		progress, _ := lane.Progress()
		if end-progress.Consumer < in.Ring().LaneSize*3/4 {
			return false
		}
	}
	return true
}
