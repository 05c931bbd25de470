package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

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

// finish is how long lines that were read may still wait for room after a signal.
const finish = 2 * time.Second

// run appends in to its end, or to a signal, and closes the lane.
func (a *appender) run(in *input, signals <-chan os.Signal) error {
	done := make(chan error, 1)
	go func() {
		done <- cli.Guard(func() error { return a.copy(in) })
	}()
	err, ended := error(nil), false
	wait := func(limit <-chan time.Time) (caught os.Signal) {
		select {
		case err = <-done:
			ended = true
		case caught = <-signals:
		case <-limit:
		}
		return caught
	}
	caught := wait(nil)
	if caught == syscall.SIGINT {
		// A terminal sends it to the whole pipeline: what the programs before
		// this one say at their end is still to come.
		caught = wait(nil)
	}
	if !ended {
		in.stop()
		wait(time.After(finish))
	}
	closed := a.w.Close()
	if !ended {
		// The record that waited for room is refused now; then the count is final.
		wait(time.After(finish))
	}
	lost := a.lost()
	switch {
	case err != nil || closed != nil:
		return errors.Join(err, closed, lost, a.left(in))
	case caught != nil:
		return cli.Exit(cli.Signalled+int(caught.(syscall.Signal)), errors.Join(lost, a.left(in)))
	case lost != nil:
		return cli.Exit(cli.Lost, lost)
	}
	return nil
}

// copy appends every line of in. It fails if in does; lost records are counted by
// the writer.
func (a *appender) copy(in *input) error {
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
		case in.cut.Load() && a.records.Load() == in.whole.Load():
			return nil // the begin of a line, of which nobody waited for the rest
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

// left says how many lines were read and became neither records nor lost ones, or
// nil.
func (a *appender) left(in *input) error {
	given, done := in.given(), a.records.Load()
	if given <= done {
		return nil
	}
	return fmt.Errorf("not in the ring: %d of %s read, for which the end came too soon", given-done, cli.Count(given, "line"))
}
