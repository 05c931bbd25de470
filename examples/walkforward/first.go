package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/reader"
)

// firstRun is the study. This process drains the ring; one worker is killed.
func (s *show) firstRun(ctx context.Context) error {
	trials := s.plan.trials()
	outputs := s.outputs(len(trials) + 1)
	began := time.Now()
	// From here on this process writes the log files, and the processes that it starts
	// find the ring in their environment.
	h, err := reader.Start(reader.StartOptions{
		Options:    reader.Options{Outputs: outputs},
		OwnSignals: true, // ctx ends by them
	})
	if err != nil {
		return err
	}
	defer h.Close()
	c, err := startCrew(s.workers, s.path("first"), s.study, s.series)
	if err != nil {
		return err
	}
	f, err := s.optimise(ctx, c, trials)
	if err != nil {
		return errors.Join(err, c.killAll(), h.Close())
	}
	err = c.end()
	ended := time.Now()
	if err := errors.Join(err, h.Close()); err != nil {
		return err
	}
	took, late, st := time.Since(began), time.Since(ended), h.Stats()
	if err := s.report(f); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%s records in %.1f s, %s records/s; the last was in its file %.1f ms after the last worker ended.\n",
		humanize.Comma(int64(st.Records)), took.Seconds(), humanize.Comma(int64(float64(st.Records)/took.Seconds())), late.Seconds()*1e3)
	return s.judgeFirst(c, outputs, f.forward)
}

// outcome is what a study comes to.
type outcome struct {
	best    []result // of each window: the trial that was best in its training
	forward trial    // the one that uses what they found
	walked  result   // and how it did
}

// optimise does all trials, and then the one that walks forward with the best.
func (s *show) optimise(ctx context.Context, c *crew, trials []trial) (o outcome, err error) {
	bar := newProgress(s.out, s.redraws)
	defer bar.end()
	d, victim := newDesk(trials), c.members[len(c.members)/2]
	err = c.run(ctx, d, func() (bool, error) {
		bar.show(len(d.results), len(trials), c.accepted)
		if victim.killed || len(d.results) < len(trials)/2 {
			return false, nil
		}
		bar.say("Half-way through, %s is killed (SIGKILL, pid %d).", victim.name, victim.cmd.Process.Pid)
		return false, victim.kill()
	})
	if err != nil {
		return o, err
	}
	bar.say("%d trials that a killed worker had not done were done by the others.", d.back)
	o.best = s.plan.best(d.results)
	o.forward = s.plan.forward(o.best)
	last := newDesk([]trial{o.forward})
	err = c.run(ctx, last, func() (bool, error) { return false, nil })
	o.walked = last.results[o.forward.Number]
	return o, err
}

// judgeFirst counts the records in the files.
func (s *show) judgeFirst(c *crew, outputs []reader.Output, forward trial) error {
	accounts, err := s.accounts(c)
	if err != nil {
		return err
	}
	tallies, err := count(outputs, accounts)
	if err != nil {
		return err
	}
	last, err := expect(s.market, s.study, []trial{forward})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Counted from the files:")
	if err := s.judge(accounts, tallies[0], tallies[3]); err != nil {
		return err
	}
	return s.compareOutputs(outputs, tallies, accounts, len(last.sums))
}
