package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// secondRun kills everything, reader first, and then looks at what is left.
func (s *show) secondRun(ctx context.Context) error {
	path, log := s.path("second.ring"), s.path("second.jsonl")
	// Small lanes are full the sooner.
	if err := ring.Create(path, ring.CreateOptions{Lanes: s.workers, LaneSize: 256 << 10}); err != nil {
		return err
	}
	if err := os.Setenv(writer.RingVariable, path); err != nil { // as reader.Start does
		return err
	}
	defer os.Unsetenv(writer.RingVariable)
	fmt.Fprintf(s.out, "\nSecond run: the reader is killed, and then the workers, when their lanes in\n%s are full.\n", path)
	rd, err := start("reader", "the reader", readJob{path, log})
	if err != nil {
		return err
	}
	c, err := startCrew(s.workers, s.path("second"), s.study, s.series)
	if err != nil {
		return errors.Join(err, rd.kill())
	}
	err = s.disaster(ctx, c, rd, path)
	if err := errors.Join(err, rd.kill(), c.killAll()); err != nil {
		return err
	}
	return s.recover(ctx, c, readJob{path, log})
}

// disaster lets the crew work for a while, kills the reader, and returns when the
// lanes have filled up and the workers stand still.
func (s *show) disaster(ctx context.Context, c *crew, rd *process, path string) error {
	d := newDesk(s.plan.trials())
	d.endless = true
	const enough = 2000 // records of each worker
	err := c.run(ctx, d, func() (bool, error) {
		return !slices.ContainsFunc(c.members, func(m *member) bool { return m.accepted() < enough }), nil
	})
	err = errors.Join(err, rd.kill())
	_, ended := rd.wait()
	if err := errors.Join(err, ended); err != nil {
		return err
	}
	in, err := ring.Inspect(path)
	if err != nil {
		return err
	}
	err = c.run(ctx, d, func() (bool, error) {
		err := in.Refresh()
		return err == nil && filled(in), err
	})
	return errors.Join(err, in.Close())
}

// filled says that every lane is so full that its worker waits for room, or soon
// will: the last eighth is kept for warnings, and the longest record takes little.
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

// readJob is what the reader process is told.
type readJob struct{ Ring, Log string }

// read is the reader process: it drains until it is killed, or until its standard
// input ends, which it does when the one that started it is gone.
func read(in io.Reader) error {
	var j readJob
	jobs := json.NewDecoder(in)
	if err := jobs.Decode(&j); err != nil {
		return fmt.Errorf("the reader is started by walkforward itself: reading its job: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		io.Copy(io.Discard, in)
		stop()
	}()
	return drain(ctx, j, reader.UntilStopped)
}

// drain opens the ring, drains it until its end, and closes everything.
func drain(ctx context.Context, j readJob, until reader.Until) error {
	r, err := reader.Open(j.Ring, reader.Options{
		Outputs: []reader.Output{{Path: j.Log, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: rotateAt}}},
		Until:   until,
	})
	if err != nil {
		return err
	}
	return errors.Join(r.Run(ctx), r.Close())
}
