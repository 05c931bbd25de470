//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sink is what the drain needs of an output that is no regular file.
type sink interface {
	write(ctx context.Context, b []byte) error
	close() error
}

// pipe is an output that is no regular file: a pipe, a terminal, a device. It
// cannot be rolled back, so a record may reach it twice if the reader dies before
// it publishes.
type pipe struct {
	path string
	out  io.WriteCloser
}

// errStalled is what a pipe fails with that took nothing while the reader was to
// end.
var errStalled = errors.New("nobody reads it")

// standard is standard output or standard error.
func standard(path string) *pipe {
	if path == stderrPath {
		return &pipe{path: "standard error", out: keepOpen{os.Stderr}}
	}
	return &pipe{path: "standard output", out: keepOpen{os.Stdout}}
}

// openPipe opens path. A FIFO that nobody reads is an error: to wait for somebody would
// keep the ring from everybody else.
func openPipe(path string) (*pipe, error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, fmt.Errorf("reader: opening output %s: %w; start what reads it first", path, errStalled)
	}
	if err != nil {
		return nil, fmt.Errorf("reader: opening output: %w", err)
	}
	return &pipe{path: path, out: out}, nil
}

// keepOpen is an output that is not the reader's to close.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

// write writes b. It may block for as long as whoever reads the other end likes,
// and then holds up the whole drain; but once ctx has ended, only for a while. If
// it gives up, b is still in use and must not change.
func (p *pipe) write(ctx context.Context, b []byte) error {
	done := make(chan error, 1)
	go func() {
		_, err := p.out.Write(b)
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(giveUpAfter):
			err = errStalled
		}
	}
	if err != nil {
		return fmt.Errorf("reader: writing to %s: %w; the records stay in the ring", p.path, err)
	}
	return nil
}

func (p *pipe) close() error { return p.out.Close() }
