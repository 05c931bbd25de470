package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// input is a stream that can be told to end. It counts the lines that it has
// given, so that those that did not become records can be counted too.
//
// A read cannot be interrupted, and what it took from a pipe after the end was
// asked for would be lost unseen. So it is begun only when there is something to
// read and nobody has asked for the end.
type input struct {
	in     *os.File
	end    *os.File // readable, by being at its end, once stop is called
	ending *os.File

	whole atomic.Uint64 // lines with their newline
	half  atomic.Bool   // bytes of a line without its newline were given last
	cut   atomic.Bool   // ended by stop, not by itself
}

func newInput(in *os.File) (*input, error) {
	end, ending, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	return &input{in: in, end: end, ending: ending}, nil
}

// Read is for one goroutine.
func (i *input) Read(p []byte) (int, error) {
	fds := []unix.PollFd{
		{Fd: int32(i.end.Fd()), Events: unix.POLLIN},
		{Fd: int32(i.in.Fd()), Events: unix.POLLIN},
	}
	for {
		_, err := unix.Poll(fds, -1)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return 0, fmt.Errorf("waiting for input: %w", err)
		}
	}
	if fds[0].Revents != 0 {
		i.cut.Store(true)
		return 0, io.EOF
	}
	n, err := i.in.Read(p)
	if n > 0 {
		i.whole.Add(uint64(bytes.Count(p[:n], []byte{'\n'})))
		i.half.Store(p[n-1] != '\n')
	}
	return n, err
}

// stop ends the stream: Read gives no more. To be called once, by any goroutine.
func (i *input) stop() { i.ending.Close() }

// given is the number of lines that were read, the last of them perhaps in part.
func (i *input) given() uint64 {
	n := i.whole.Load()
	if i.half.Load() {
		n++
	}
	return n
}
