package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Logger is what a worker in Go logs through.
type Logger struct {
	// Log logs n records. It is one call for all, so that no indirect call comes
	// between two of them.
	Log func(n int) error
	// One logs record i: what is timed by itself.
	One func(i int) error
	// Flush hands over what was logged; nil: nothing is kept back.
	Flush func() error
	// Lost is how many records were dropped so far; nil: none ever are.
	Lost func() uint64
}

// Serve is the worker's side of the protocol: it says that it is ready and then does
// what it is told, until there are no more orders.
func Serve(in io.Reader, out io.Writer, l Logger) error {
	orders, answers := bufio.NewReader(in), bufio.NewWriter(out)
	fmt.Fprintln(answers, ready)
	for {
		if err := answers.Flush(); err != nil {
			return err
		}
		o, err := readOrder(orders)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := l.obey(o, answers); err != nil {
			return err
		}
	}
}

func (l *Logger) obey(o order, out io.Writer) error {
	lost := l.lost()
	begin := spinUntil(o.start)
	switch o.what {
	case "burst":
		if err := l.Log(o.n); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, "took", time.Since(begin).Nanoseconds(), l.lost()-lost)
		return err
	case "paced":
		return l.paced(o, lost, out)
	}
	if l.Flush != nil {
		if err := l.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "flushed", time.Since(begin).Nanoseconds())
	return err
}

func (l *Logger) lost() uint64 {
	if l.Lost == nil {
		return 0
	}
	return l.Lost()
}

// paced measures from when each call is due. The end of a call is the time that is
// looked at to see whether the next one is due: one look at the clock for each.
func (l *Logger) paced(o order, lost uint64, out io.Writer) error {
	h := NewHistogram()
	begin := time.Now() // with a clock that does not jump
	begin = begin.Add(-begin.Sub(o.start))
	var due time.Duration // since o.start
	now := time.Since(begin)
	for i := range o.n {
		if o.every == 0 {
			due = now
		}
		for now < due {
			now = time.Since(begin)
		}
		if err := l.One(i); err != nil {
			return err
		}
		now = time.Since(begin)
		if err := record(h, (now - due).Nanoseconds(), 1); err != nil {
			return err
		}
		due += o.every
	}
	if _, err := fmt.Fprintln(out, "took", time.Since(begin).Nanoseconds(), l.lost()-lost); err != nil {
		return err
	}
	return writeHistogram(out, h)
}

// spinUntil returns the time at which the spinning ended.
func spinUntil(start time.Time) time.Time {
	for {
		if now := time.Now(); now.After(start) {
			return now
		}
	}
}

// SlogCalls are calls of a slog.Logger with Fields.
func SlogCalls(h slog.Handler) Logger {
	l, ctx := slog.New(h), context.Background()
	one := func(i int) {
		l.LogAttrs(ctx, slog.LevelInfo, FieldsText, slog.Int("trial", i), slog.Float64("price", Price), slog.String("symbol", Symbol))
	}
	return Logger{
		Log: func(n int) error {
			for i := range n {
				one(i)
			}
			return nil
		},
		One: func(i int) error { one(i); return nil },
	}
}
