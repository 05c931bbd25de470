package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

var drains = []candidate{
	{"drain raw, 2 processes to 1 file", 2, openEndToEnd("raw")},
	{"drain text, 2 processes to 1 file", 2, openEndToEnd("text")},
	{"drain json, 2 processes to 1 file", 2, openEndToEnd("json")},
}

// endToEnd is the whole way: two workers append as fast as they can and wait
// where their lane is full, while a reader drains to a file in memory. The time
// is from the workers' start until the last record is in the file.
type endToEnd struct {
	ring, out, format string
	workers           crew
	n                 int // records of each worker in the next run
}

func openEndToEnd(format string) func(string) (measurement, error) {
	return func(dir string) (measurement, error) {
		path := filepath.Join(dir, format+".ring")
		if err := ring.Create(path, ring.CreateOptions{Lanes: 2}); err != nil {
			return nil, err
		}
		all, err := startWorkers(path)
		if err != nil {
			return nil, err
		}
		return &endToEnd{ring: path, out: filepath.Join(dir, format+".log"), format: format, workers: all, n: 10_000}, nil
	}
}

// run drains once. How many records take d is learned from the run before, so the
// first one, which is not counted, may be short.
func (e *endToEnd) run(d time.Duration) (int, time.Duration, error) {
	r, err := reader.Open(e.ring, reader.Options{Outputs: []reader.Output{{Path: e.out, Format: format.Options{Name: e.format}}}})
	if err != nil {
		return 0, 0, err
	}
	defer os.Remove(e.out)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	begin := time.Now()
	_, err = e.workers.burst(e.n)
	stop()
	err = errors.Join(err, <-done)
	took := time.Since(begin)
	stats := r.Stats()
	if err := errors.Join(err, r.Close()); err != nil {
		return 0, 0, err
	}
	n := e.n
	if want := uint64(n * len(e.workers)); stats.Records != want || stats.Lost != 0 {
		return 0, 0, fmt.Errorf("%d records arrived and %d were lost, of %d", stats.Records, stats.Lost, want)
	}
	e.n = max(1000, int(float64(n)*float64(d)/float64(took)))
	return n, took, nil
}

func (e *endToEnd) Close() error { return e.workers.stop() }
