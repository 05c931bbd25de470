package peer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Worker is a process that logs when it is told to. It is used by one goroutine.
type Worker struct {
	command *exec.Cmd
	orders  io.WriteCloser
	answers *bufio.Reader
	logged  uint64 // calls that were ordered so far
}

// Start starts command and waits until it is ready. Standard input and output are
// the protocol's; standard error is this process's own where it is not set. Commands
// are to be made by exec.CommandContext, so that they end with the run.
func Start(command *exec.Cmd) (*Worker, error) {
	if command.Stderr == nil {
		command.Stderr = os.Stderr
	}
	orders, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	w := &Worker{command: command, orders: orders, answers: bufio.NewReader(answers)}
	line, err := w.answers.ReadString('\n')
	if err == nil && strings.TrimSpace(line) != ready {
		err = fmt.Errorf("it says %q: want %s", line, ready)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("a worker did not begin: %w", err), w.Close())
	}
	return w, nil
}

// Pid is the process's id.
func (w *Worker) Pid() int { return w.command.Process.Pid }

func (w *Worker) order(o order) error {
	if _, err := fmt.Fprintln(w.orders, o); err != nil {
		return fmt.Errorf("give a worker its orders: %w", err)
	}
	w.logged += uint64(o.n)
	return nil
}

// Flush has the worker hand over all that it logged, and returns how long that took.
func (w *Worker) Flush() (time.Duration, error) {
	if err := w.order(order{what: "flush"}); err != nil {
		return 0, err
	}
	return readFlushed(w.answers)
}

func (w *Worker) latencies() (Took, *hdrhistogram.Histogram, error) {
	t, err := readTook(w.answers)
	if err != nil {
		return t, nil, err
	}
	h, err := readHistogram(w.answers)
	return t, h, err
}

// Close ends the worker's orders, and so the worker.
func (w *Worker) Close() error { return errors.Join(w.orders.Close(), w.command.Wait()) }
