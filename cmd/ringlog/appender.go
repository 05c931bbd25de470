package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/lines"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// appender makes records of lines.
type appender struct {
	w       *writer.Writer
	level   record.Level
	entry   *record.Entry // to log as; nil: raw records
	largest int           // no payload has so many bytes

	records atomic.Uint64 // records accepted or lost
}

// run appends in to its end, or to a signal, and closes the lane.
func (a *appender) run(in io.Reader, signals <-chan os.Signal) error {
	// A read of standard input cannot be interrupted, so it has a goroutine of
	// its own, which a signal leaves behind.
	done := make(chan error, 1)
	go func() {
		done <- cli.Guard(func() error { return a.copy(in) })
	}()
	var err error
	var caught os.Signal
	select {
	case err = <-done:
	case caught = <-signals:
	}
	closed := a.w.Close()
	lost := a.lost()
	switch {
	case err != nil || closed != nil:
		return errors.Join(err, closed, lost)
	case caught != nil:
		return cli.Exit(cli.Signalled+int(caught.(syscall.Signal)), lost)
	case lost != nil:
		return cli.Exit(cli.Lost, lost)
	}
	return nil
}

// copy appends every line of in. It fails if in does; lost records are counted by
// the writer.
func (a *appender) copy(in io.Reader) error {
	// A line cut at the size of the largest record with its header is too large
	// still: the writer counts it, without there ever being more of it in memory.
	from := lines.New(in, a.largest)
	for {
		line, err := from.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading standard input: %w", err)
		}
		if errors.Is(a.append(line), writer.ErrClosed) {
			return nil
		}
		a.records.Add(1)
	}
}

func (a *appender) append(line []byte) error {
	if a.entry == nil {
		return a.w.Append(a.level, line)
	}
	a.entry.MessageBytes = line
	return a.w.Log(a.level, a.entry)
}

// lost says how many records were lost and why, or nil.
func (a *appender) lost() error {
	l := a.w.Stats().Lost
	total := l.Total()
	if total == 0 {
		return nil
	}
	var why []string
	for _, r := range []struct {
		n    uint64
		text string
	}{
		{l.Full.Total(), "the lane was full"},
		{l.Timeout.Total(), "the reader gave no room back in time"},
		{l.NoReader.Total(), "the lane was full and no reader was running"},
		{l.TooLarge.Total(), fmt.Sprintf("larger than a record can be (%d bytes with its header)", a.largest)},
		{l.Aborted.Total(), "aborted"},
	} {
		if r.n > 0 {
			why = append(why, fmt.Sprintf("%d %s", r.n, r.text))
		}
	}
	return fmt.Errorf("lost %d of %s: %s", total, cli.Count(a.records.Load(), "record"), strings.Join(why, ", "))
}
