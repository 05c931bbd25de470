package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// job is what another process of this program is to do.
type job struct {
	Role   string // worker or reader
	Ring   string
	Name   string // of a worker: its label in the log
	Note   string // of a worker: where it notes what was accepted
	Logs   string // of a worker: where the sources come from
	Source int    // of a worker: which of them it replays
	Lines  int    // of a worker: how many lines of it; 0: until it is killed
	Log    string // of a reader: the file it writes
}

// roleOf returns the work of a process that this program started from itself.
func roleOf(args []string) (func(context.Context) error, bool) {
	var j job
	if len(args) != 2 || json.Unmarshal([]byte(args[1]), &j) != nil {
		return nil, false
	}
	if j.Role == "reader" {
		return func(ctx context.Context) error { return read(ctx, j) }, true
	}
	return func(context.Context) error { return work(j) }, true
}

// process is one that was started.
type process struct {
	job
	cmd    *exec.Cmd
	killed bool
	ended  chan struct{} // closed when the process has ended; err is set then
	err    error
}

// start starts this program again, to do j. The process is killed when ctx ends.
func start(ctx context.Context, j job) (*process, error) {
	arg, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{job: j, cmd: exec.CommandContext(ctx, "/proc/self/exe", string(arg)), ended: make(chan struct{})}
	p.cmd.Stderr = os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil { // ends when we do
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s %s: %w", j.Role, j.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// kill sends SIGKILL, which no process can answer. It does nothing to one that
// has ended.
func (p *process) kill() error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	p.killed = true
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s %s: %w", p.Role, p.Name, err)
	}
	return nil
}

// wait waits for the end of the process. That of one that we killed is no error.
func (p *process) wait() error {
	<-p.ended
	if p.err != nil && !p.killed {
		return fmt.Errorf("%s %s: %w", p.Role, p.Name, p.err)
	}
	return nil
}

// accepted is what a worker has noted so far.
func (p *process) accepted() int { return readNote(p.Note) }

// crew is the workers of one act.
type crew []*process

// startCrew starts a worker for each source. lines says how many each replays.
func (s *show) startCrew(ctx context.Context, ring string, lines func(source int) int) (crew, error) {
	var c crew
	for i := range s.sources {
		name := fmt.Sprintf("worker-%d", i+1)
		p, err := start(ctx, job{
			Role: "worker", Ring: ring, Name: name, Note: ring + "." + name + ".accepted",
			Logs: s.logs, Source: i, Lines: lines(i),
		})
		if err != nil {
			return c, errors.Join(err, c.killAll(), c.wait())
		}
		c = append(c, p)
	}
	return c, nil
}

func (c crew) killAll() error {
	var errs []error
	for _, p := range c {
		errs = append(errs, p.kill())
	}
	return errors.Join(errs...)
}

func (c crew) wait() error {
	var errs []error
	for _, p := range c {
		errs = append(errs, p.wait())
	}
	return errors.Join(errs...)
}

func (c crew) accepted() (total int) {
	for _, p := range c {
		total += p.accepted()
	}
	return total
}

// done says whether all have ended, and what went wrong with those that have.
func (c crew) done() (bool, error) {
	all := true
	for _, p := range c {
		select {
		case <-p.ended:
			if err := p.wait(); err != nil {
				return false, err
			}
		default:
			all = false
		}
	}
	return all, nil
}

// look is how often the crew is looked at.
const look = 20 * time.Millisecond

// watch looks at the crew again and again, until enough says so; done tells it
// that all have ended. It
// fails if a worker does, or if ctx ends before.
func (c crew) watch(ctx context.Context, enough func(done bool) bool) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		done, err := c.done()
		if err != nil || enough(done) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
