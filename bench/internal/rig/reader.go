package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/ringlog/ringlog/bench/internal/host"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

const readerRole = "ringlog-reader"

// drain is what a reader process is told.
type drain struct{ Ring, Format, Out string }

// Usage is what a reader process has used so far.
type Usage struct {
	Records   uint64
	Lost      uint64
	Bytes     uint64        // in its file
	Processor time.Duration // in user and in system mode
	Private   int64         // bytes of memory that is no file's
	Allocs    uint64
}

// serveReader drains until there are no more questions. "wait N" is answered, once N
// records are in the file, with the time in Unix nanoseconds; "usage" with a Usage.
func serveReader(settings []byte, in io.Reader, out io.Writer) error {
	var s drain
	if err := json.Unmarshal(settings, &s); err != nil {
		return err
	}
	r, err := reader.Open(s.Ring, reader.Options{Outputs: []reader.Output{{Path: s.Out, Format: format.Options{Name: s.Format}}}})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	err = role.Answer(in, out, func(question string) (string, error) {
		what, n, _ := strings.Cut(question, " ")
		if what == "wait" {
			return wait(r, n, done)
		}
		stats, files := r.Stats(), r.OutputStats()
		b, err := json.Marshal(Usage{stats.Records, stats.Lost, files[0].Bytes, host.ProcessorTime(), host.PrivateMemory(), allocations()})
		return string(b), err
	})
	stop()
	return errors.Join(err, <-done, r.Close())
}

// look is how often a reader is asked whether all has arrived: so seldom that the
// drain does not feel it.
const look = 200 * time.Microsecond

func wait(r *reader.Reader, n string, done <-chan error) (string, error) {
	want, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return "", fmt.Errorf("wait %q: want a number of records", n)
	}
	arrived, moved := uint64(0), time.Now()
	again := time.NewTicker(look) // which allocates nothing while it ticks: allocations are counted
	defer again.Stop()
	for {
		s := r.Stats()
		now := time.Now()
		switch n := s.Records + s.Lost; {
		case n >= want:
			return strconv.FormatInt(now.UnixNano(), 10), nil
		case n != arrived:
			arrived, moved = n, now
		case now.Sub(moved) > patience:
			return "", fmt.Errorf("%d records are in the file, of %d, and for %v no other has come", n, want, patience)
		}
		select {
		case err := <-done:
			return "", errors.Join(errors.New("the drain ended"), err)
		case <-again.C:
		}
	}
}

// Reader is a reader process.
type Reader struct{ process *role.Process }

// StartReader starts a reader of the ring; by another build of this program where
// program is not empty. Format is the name of one, out the file.
func StartReader(ctx context.Context, program, ring, format, out string) (*Reader, error) {
	p, err := role.Start(ctx, program, readerRole, drain{ring, format, out})
	if err != nil {
		return nil, err
	}
	return &Reader{p}, nil
}

// Wait returns when n records have arrived in all, those included that were lost by
// policy, and says when that was.
func (r *Reader) Wait(n uint64) (time.Time, error) {
	answer, err := r.process.Ask("wait " + strconv.FormatUint(n, 10))
	if err != nil {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the reader answers %q: want a time", answer)
	}
	return time.Unix(0, at), nil
}

// Usage asks the reader what it has used.
func (r *Reader) Usage() (u Usage, err error) {
	answer, err := r.process.Ask("usage")
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal([]byte(answer), &u)
}

// Close has the reader drain what is left, and ends it.
func (r *Reader) Close() error { return r.process.Close() }
