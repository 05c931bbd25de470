package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// candidate is one thing to measure.
type candidate struct {
	name      string
	processes int // that do it at the same time
	// open prepares the measurement in dir, which is in memory if that exists.
	open func(dir string) (measurement, error)
}

// measurement is a candidate that is ready. run repeats the operation for about
// d of measured time and says how often it did, in each process, and how long
// that took, on average over the processes.
type measurement interface {
	run(d time.Duration) (n int, took time.Duration, err error)
	io.Closer
}

// errSkipped: a candidate cannot be measured here; the others can.
var errSkipped = errors.New("skipped")

// processorTimer is a measurement that also says how much processor time the reader
// took in the last run.
type processorTimer interface{ processorTime() time.Duration }

// result is what came out for one candidate.
type result struct {
	Name      string    `json:"name"`
	Processes int       `json:"processes"`
	Samples   []float64 `json:"ns_per_op"` // one a round; of one process
	Allocs    float64   `json:"allocs_per_op"`
	Summary   summary   `json:"summary"`
	// Processor is the reader's processor time for one record, where it is measured.
	Processor []float64 `json:"processor_ns_per_record,omitempty"`
	Skipped   string    `json:"skipped,omitempty"` // why there is nothing of it
}

// perSecond is how many operations all processes together do.
func (r *result) perSecond() float64 { return float64(r.Processes) * 1e9 / r.Summary.Median }

// everything is what there is to measure. The first line is what the others are
// compared with.
var everything = slices.Concat(appends, loggers, drains, intents, floors)

func choose(all []candidate, only *regexp.Regexp) []candidate {
	var chosen []candidate
	for _, c := range all {
		if only.MatchString(c.name) {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// measure runs all candidates once a round, one after the other, so that what
// happens to the machine meanwhile happens to all of them. A round before the
// first warms caches and is not counted.
func measure(ctx context.Context, all []candidate, dir string, rounds int, d time.Duration) (results []result, err error) {
	open := make([]measurement, len(all))
	defer func() {
		for _, m := range open {
			if m == nil {
				continue
			}
			if e := m.Close(); e != nil && err == nil {
				err = e
			}
		}
	}()
	for i, c := range all {
		r := result{Name: c.name, Processes: c.processes}
		if open[i], err = c.open(dir); errors.Is(err, errSkipped) {
			r.Skipped, err = err.Error(), nil
		} else if err != nil {
			return nil, fmt.Errorf("preparing %s: %w", c.name, err)
		}
		results = append(results, r)
	}
	for round := -1; round < rounds; round++ {
		for i, m := range open {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r := &results[i]
			if r.Skipped != "" {
				continue
			}
			runtime.GC() // what one candidate left is not the next one's to clear
			before := mallocs()
			n, took, err := m.run(d)
			if err != nil {
				return nil, fmt.Errorf("measuring %s: %w", r.Name, err)
			}
			if round < 0 {
				continue
			}
			r.Samples = append(r.Samples, float64(took)/float64(n))
			if p, ok := m.(processorTimer); ok {
				r.Processor = append(r.Processor, float64(p.processorTime())/float64(n*r.Processes))
			}
			r.Allocs = max(r.Allocs, float64(mallocs()-before)/float64(n))
		}
	}
	for i := range results {
		if r := &results[i]; r.Skipped == "" {
			r.Summary = summarize(r.Samples)
		}
	}
	return results, nil
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
