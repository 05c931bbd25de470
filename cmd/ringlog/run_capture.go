package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// capture makes records of the lines that a command prints, and passes the bytes on
// unchanged, as they come.
type capture struct {
	w       *writer.Writer
	part    int // bytes of a line that one record takes
	streams [2]*stream
	theirs  [2]*os.File // the command's ends
	errs    [2]error    // for use once ended is closed
	ended   chan struct{}
}

// newCapture attaches to the ring at path, and has the command, which is not started
// yet, print into pipes. No record of the ring is larger than largest bytes.
func newCapture(path string, largest int, command *exec.Cmd) (*capture, error) {
	c := &capture{part: largest / 2, ended: make(chan struct{})}
	for i, to := range []*os.File{os.Stdout, os.Stderr} {
		from, theirs, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("making a pipe: %w", err)
		}
		c.streams[i], c.theirs[i] = &stream{from: from, to: to, name: [2]string{"stdout", "stderr"}[i]}, theirs
	}
	command.Stdout, command.Stderr = c.theirs[0], c.theirs[1]
	var err error
	c.w, err = writer.Open(path, writer.Options{Label: filepath.Base(command.Args[0])})
	return c, err
}

// begin reads what the command prints, which has been started, or could not be.
func (c *capture) begin() {
	var both sync.WaitGroup
	for i, s := range c.streams {
		c.theirs[i].Close() // now the command's alone: when it ends, the stream does
		both.Go(func() {
			c.errs[i] = cli.Guard(func() error { return c.record(s) })
		})
	}
	go func() {
		both.Wait()
		close(c.ended)
	}()
}

// record makes records of the lines of s. Those that are lost the ring counts.
func (c *capture) record(s *stream) error {
	in := bufio.NewReaderSize(s, c.part)
	entry := record.Entry{Logger: s.name}
	for part := 1; ; {
		line, err := in.ReadSlice('\n')
		ends := !errors.Is(err, bufio.ErrBufferFull)
		if err == nil {
			line = line[:len(line)-1]
		}
		entry.Attrs = nil
		if !ends || part > 1 {
			entry.Attrs = []slog.Attr{slog.Int("part", part)}
		}
		// After the last newline there may be nothing, and after a part that took the
		// whole of a line nothing but that.
		if len(line) > 0 || err == nil && part == 1 {
			entry.MessageBytes = line
			if errors.Is(c.w.Log(record.LevelInfo, &entry), writer.ErrClosed) {
				return nil
			}
		}
		switch {
		case !ends:
			part++
		case err == nil:
			part = 1
		case errors.Is(err, io.EOF):
			return nil
		default:
			return fmt.Errorf("reading the command's %s: %w", s.name, err)
		}
	}
}

// open says whether somebody can still print. It may be called by any goroutine.
func (c *capture) open() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// finish waits, for as long as ctx lasts, for the processes that can still print,
// then takes what they have printed, and gives up the lane.
func (c *capture) finish(ctx context.Context) error {
	select {
	case <-c.ended:
	case <-ctx.Done():
		for _, s := range c.streams {
			s.stop()
		}
	}
	var late error
	select {
	case <-c.ended:
		late = errors.Join(c.errs[:]...)
		if c.streams[0].held || c.streams[1].held {
			say("a process still has the command's output (--capture): what it prints from now on is lost, and may end it (SIGPIPE)")
		}
	case <-time.After(finish):
		late = errors.New("the last lines that the command printed are not in the log: nobody takes them from our own output")
	}
	return errors.Join(late, c.w.Close())
}

// stream is what a command prints. What is read of it has been passed on.
type stream struct {
	name string
	from *os.File // the pipe that the command prints into
	to   *os.File // our own

	broken  bool // nothing can be passed on any more
	stopped bool
	left    int  // bytes that are still to be read, if stopped
	held    bool // somebody could still print when it was stopped
}

// Read is for one goroutine.
func (s *stream) Read(p []byte) (int, error) {
	if s.stopped {
		if s.left == 0 {
			return 0, io.EOF
		}
		p = p[:min(len(p), s.left)]
	}
	n, err := s.from.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && !s.stopped {
		if err := s.measure(); err != nil {
			return 0, err
		}
		return s.Read(p)
	}
	s.left -= n
	if n > 0 && !s.broken {
		if _, err := s.to.Write(p[:n]); err != nil {
			s.broken = true
			say("%v; what the command prints there goes into the log alone", err)
		}
	}
	return n, err
}

// stop has the stream end with what is in the pipe now. It may be called by any
// goroutine.
func (s *stream) stop() {
	_ = s.from.SetReadDeadline(time.Now()) // fails for no pipe that is open
}

// measure notes how much is in the pipe. So much can be read without waiting.
func (s *stream) measure() error {
	raw, err := s.from.SyscallConn()
	if err != nil {
		return err
	}
	var ioctl error
	err = raw.Control(func(fd uintptr) {
		// In this order: what is printed and closed in between is read as well.
		poll := []unix.PollFd{{Fd: int32(fd)}}
		_, _ = unix.Poll(poll, 0) // at worst, held is said of what is not
		s.held = poll[0].Revents&unix.POLLHUP == 0
		s.left, ioctl = unix.IoctlGetInt(int(fd), unix.TIOCINQ)
	})
	s.stopped = true
	return errors.Join(err, ioctl, s.from.SetReadDeadline(time.Time{}))
}
