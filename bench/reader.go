package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// readerVariable makes this program a reader that drains when it is told to.
const readerVariable = "RINGLOG_BENCH_READER"

// readerProcess is a program of ours in that role.
type readerProcess struct {
	command *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
}

func startReader(program string) (*readerProcess, error) {
	c := exec.Command(program)
	c.Env = append(os.Environ(), readerVariable+"=1")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &readerProcess{c, in, bufio.NewReader(out)}, c.Start()
}

// begin returns when the reader runs.
func (p *readerProcess) begin(format, ring, out string) error {
	if _, err := fmt.Fprintf(p.orders, "%q %q %q\n", format, ring, out); err != nil {
		return fmt.Errorf("giving a reader its orders: %w", err)
	}
	if _, err := fmt.Fscanln(p.answers); err != nil {
		return fmt.Errorf("a reader did not begin: %w", err)
	}
	return nil
}

// end makes the reader drain what is left, and returns how many records it got and
// how much processor time it took.
func (p *readerProcess) end() (records uint64, used time.Duration, err error) {
	if _, err := fmt.Fprintln(p.orders); err != nil {
		return 0, 0, fmt.Errorf("ending a drain: %w", err)
	}
	if _, err := fmt.Fscanln(p.answers, &records, &used); err != nil {
		return 0, 0, fmt.Errorf("reading a reader's figures: %w", err)
	}
	return records, used, nil
}

func (p *readerProcess) stop() error { return errors.Join(p.orders.Close(), p.command.Wait()) }

// serveDrains is the reader's side: orders, "format ring output", each of which an
// empty line ends, until there are no more.
func serveDrains(in io.Reader, out io.Writer) error {
	orders := bufio.NewReader(in)
	for {
		var format, ring, path string
		if _, err := fmt.Fscanf(orders, "%q %q %q\n", &format, &ring, &path); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading orders: %w", err)
		}
		if err := serveDrain(format, ring, path, orders, out); err != nil {
			return err
		}
	}
}

func serveDrain(name, ring, path string, orders *bufio.Reader, out io.Writer) error {
	r, err := reader.Open(ring, reader.Options{Outputs: []reader.Output{{Path: path, Format: format.Options{Name: name}}}})
	if err != nil {
		return err
	}
	defer os.Remove(path)
	before := processorTime()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	_, err = fmt.Fprintln(out)
	_, end := orders.ReadString('\n')
	stop()
	err = errors.Join(err, end, <-done)
	used := processorTime() - before
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, r.Stats().Records, used.Nanoseconds())
	return err
}

// processorTime is what this process has used, in user and in system mode.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0 // cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
