package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// patience is how long workers wait for room: longer than any reader is away.
const patience = time.Minute

// orders are what a worker process is told to do, in JSON.
type orders struct {
	Ring       string
	Notes      string
	Worker     int // its number, and so its label
	Goroutines int
	Drop       bool   // drop records when the lane is full, and note how many
	Quota      uint64 // records of each goroutine; then the worker closes its lane
	Burst      int    // records in a row, on average
	Pause      time.Duration
	Seed       uint64
}

func labelOf(worker int) string { return fmt.Sprint("w", worker) }

// work is the worker process: it appends until its quota is reached, until SIGTERM,
// or until it is killed, and notes what was accepted.
func work(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	n, err := mapNotes(o.Notes)
	if err != nil {
		return err
	}
	w, err := attach(ctx, o)
	if errors.Is(err, writer.ErrNoFreeLane) {
		return nil // told to end while a full disk kept every lane from being free again
	}
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, o.Goroutines)
	for g := range o.Goroutines {
		all.Go(func() { errs[g] = (&appender{orders: o, notes: n, writer: w, g: g}).run() })
	}
	ended := make(chan struct{})
	go func() { all.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done(): // closed in the middle of appends, which are refused from then on
	}
	n.close(begun)
	if err = w.Close(); err == nil {
		n.close(done)
	}
	<-ended
	return errors.Join(append(errs, err)...)
}

// attach tries again while no lane is free: dead workers' lanes wait for a reader.
func attach(ctx context.Context, o orders) (*writer.Writer, error) {
	options := writer.Options{Label: labelOf(o.Worker), Timeout: patience}
	if o.Drop {
		options.Policy = writer.PolicyDrop
	}
	for {
		w, err := writer.Open(o.Ring, options)
		if !errors.Is(err, writer.ErrNoFreeLane) || ctx.Err() != nil {
			return w, err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// appender is a goroutine of a worker.
type appender struct {
	orders
	notes  notes
	writer *writer.Writer
	g      int
	buf    []byte
}

func (a *appender) run() error {
	rnd := rand.New(rand.NewPCG(a.Seed, uint64(a.g)))
	left, lost := a.Burst, uint64(0)
	for n := uint64(1); n <= a.Quota; {
		switch err := a.append(n); {
		case err == nil:
			a.notes.accept(a.g, n)
			n++
		case errors.Is(err, writer.ErrClosed):
			return nil
		case errors.Is(err, writer.ErrFull), errors.Is(err, writer.ErrTimeout), errors.Is(err, writer.ErrNoReader):
			lost++
			a.notes.lose(a.g, lost)
			time.Sleep(time.Millisecond) // a full lane refuses a million a second
		default:
			return fmt.Errorf("appending record %d: %w", n, err)
		}
		if left--; left <= 0 {
			left = rnd.IntN(2*a.Burst) + 1
			time.Sleep(time.Duration(rnd.Int64N(int64(2 * a.Pause))))
		}
	}
	return nil
}

func (a *appender) append(n uint64) error {
	a.buf = appendMessage(a.buf[:0], a.Worker, a.g, n)
	level, _ := levelOf(n)
	if raw(n) {
		return a.writer.Append(level, a.buf)
	}
	e := record.Entry{Logger: loggerOf(n), MessageBytes: a.buf}
	if numbered(n) {
		e.Attrs = []slog.Attr{slog.Uint64("n", n)}
	}
	return a.writer.Log(level, &e)
}
