package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// workerVariable makes this program a worker of the ring it names.
const workerVariable = "RINGLOG_BENCH_WORKER"

// headStart is how far ahead of a burst its start is announced. Workers spin
// until then, so that they begin together although pipes wake them one by one.
const headStart = 300 * time.Microsecond

// workers are processes that append to lanes of one ring at the same time.
type workers struct {
	consumer *ring.Consumer
	burst    int
	all      crew
}

// crew is some workers of one ring.
type crew []*workerProcess

type workerProcess struct {
	command *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	lane    int
}

func openWorkers(dir string) (_ measurement, err error) {
	path := filepath.Join(dir, "workers.ring")
	consumer, err := newRing(path, 2, ring.DefaultLaneSize)
	if err != nil {
		return nil, err
	}
	all, err := startWorkers(path)
	if err != nil {
		return nil, errors.Join(err, consumer.Close())
	}
	return &workers{consumer: consumer, burst: burst(ring.DefaultLaneSize), all: all}, nil
}

// startWorkers starts two workers of the ring at path.
func startWorkers(path string) (all crew, err error) {
	for range 2 {
		p, err := startWorker(path)
		if err != nil {
			return nil, errors.Join(err, all.stop())
		}
		all = append(all, p)
	}
	return all, nil
}

func startWorker(path string) (*workerProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), workerVariable+"="+path)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &workerProcess{command: c, orders: in, answers: bufio.NewReader(out)}
	if _, err := fmt.Fscanln(p.answers, &p.lane); err != nil {
		return nil, errors.Join(fmt.Errorf("a worker did not attach: %w", err), p.stop())
	}
	return p, nil
}

// run repeats bursts of all workers. The time is that of one process, on
// average: each appends as many records as the others.
func (w *workers) run(d time.Duration) (n int, took time.Duration, err error) {
	for took < d {
		for _, p := range w.all {
			if err := discard(w.consumer, p.lane); err != nil {
				return 0, 0, err
			}
		}
		t, err := w.all.burst(w.burst)
		if err != nil {
			return 0, 0, err
		}
		n += w.burst
		took += t
	}
	return n, took, nil
}

// burst makes every worker append n records at the same time, and returns how
// long that took, on average over the workers.
func (c crew) burst(n int) (time.Duration, error) {
	start := time.Now().Add(headStart).UnixNano()
	for _, p := range c {
		if _, err := fmt.Fprintln(p.orders, start, n); err != nil {
			return 0, fmt.Errorf("giving a worker its orders: %w", err)
		}
	}
	var sum time.Duration
	for _, p := range c {
		var t time.Duration
		if _, err := fmt.Fscanln(p.answers, &t); err != nil {
			return 0, fmt.Errorf("reading a worker's time: %w", err)
		}
		sum += t
	}
	return sum / time.Duration(len(c)), nil
}

func (c crew) stop() error {
	var errs []error
	for _, p := range c {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

func (w *workers) Close() error { return errors.Join(w.all.stop(), w.consumer.Close()) }

// stop ends the worker's orders, and so the worker.
func (p *workerProcess) stop() error { return errors.Join(p.orders.Close(), p.command.Wait()) }

// serve is the worker's side: it says its lane, then reads orders, "start
// records", until there are no more, and answers each with the nanoseconds that
// the burst took.
func serve(path string, in io.Reader, out io.Writer) error {
	w, err := writer.Open(path, writer.Options{})
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := fmt.Fprintln(out, w.Stats().Lane); err != nil {
		return err
	}
	orders := bufio.NewReader(in)
	for {
		var start int64
		var n int
		if _, err := fmt.Fscanln(orders, &start, &n); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading orders: %w", err)
		}
		for time.Now().UnixNano() < start {
		}
		took, err := appendBurst(w, n)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, took.Nanoseconds()); err != nil {
			return err
		}
	}
}
