package parts

import (
	"context"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/ringlog/ringlog/bench/internal/cycles"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
)

// The names of floors that others look up.
const (
	FloorCopy    = "copy 100 B to a mapped file"
	FloorCAS     = "compare-and-swap, uncontended"
	FloorStore   = "store with release order"
	FloorCounter = "cycle counter"
	FloorSince   = "time.Since"
	FloorCRC     = "CRC-32C of 128 B"
)

// floors are what an append is made of, each by itself: no append can be faster than
// the sum of those it needs.
func floors() []rounds.Line {
	return []rounds.Line{
		{Name: FloorCopy, Group: "floors", Keep: openCopy},
		loop("atomic add, uncontended", func(n int) {
			for range n {
				counter.Add(1)
			}
		}),
		loop(FloorCAS, func(n int) {
			for range n {
				v := counter.Load()
				counter.CompareAndSwap(v, v+1)
			}
		}),
		loop(FloorStore, func(n int) {
			for i := range n {
				counter.Store(uint64(i))
			}
		}),
		loop(FloorCounter, func(n int) {
			sum := uint64(0)
			for range n {
				sum += cycles.Now()
			}
			counter.Store(sum)
		}),
		loop(FloorSince, func(n int) {
			var sum time.Duration
			for range n {
				sum += time.Since(started)
			}
			counter.Store(uint64(sum))
		}),
		loop("time.Now", func(n int) {
			sum := 0
			for range n {
				sum += time.Now().Nanosecond()
			}
			counter.Store(uint64(sum))
		}),
		loop(FloorCRC, func(n int) {
			for range n {
				checksum = crc32.Update(checksum, castagnoli, record128)
			}
		}),
		loop("CRC-32 (IEEE) of 128 B", func(n int) {
			for range n {
				checksum = crc32.Update(checksum, crc32.IEEETable, record128)
			}
		}),
		{Name: "write(2) of 100 B, O_APPEND", Group: "floors", Keep: openAppendFile},
	}
}

// Package variables keep the compiler from leaving out what is measured.
var (
	counter   atomic.Uint64
	checksum  uint32
	started   = time.Now()
	record128 = make([]byte, 128)
	text      = []byte(peer.Text)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// operation repeats something n times.
type operation func(n int)

// chunk is how often an operation is repeated between two looks at the clock,
// which then cost less than 0.1 ns an operation.
const chunk = 1000

func loop(name string, f operation) rounds.Line {
	return rounds.Line{Name: name, Group: "floors", Keep: func(context.Context, string) (rounds.Measurement, error) { return f, nil }}
}

func (f operation) Run(_ context.Context, d time.Duration, to *rounds.Sink) error {
	n, took := 0, time.Duration(0)
	for begin := time.Now(); took < d; took = time.Since(begin) {
		f(chunk)
		n += chunk
	}
	to.Add(Call, 0, result.Nanoseconds, float64(took)/float64(n))
	return nil
}

func (f operation) Close() error { return nil }

// mapped copies to places in a mapped file that lie as far apart as records do.
type mapped struct {
	file *os.File
	mem  mmap.MMap
	at   int
}

const mappedSize = 4 << 20 // like a lane

func openCopy(_ context.Context, dir string) (rounds.Measurement, error) {
	f, err := os.Create(filepath.Join(dir, "mapped"))
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, mappedSize)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mem, err := mmap.Map(f, mmap.RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &mapped{file: f, mem: mem}, nil
}

func (m *mapped) Run(ctx context.Context, d time.Duration, to *rounds.Sink) error {
	return operation(func(n int) {
		at := m.at
		for range n {
			if at+rig.Stride > mappedSize {
				at = 0
			}
			copy(m.mem[at:at+len(text)], text)
			at += rig.Stride
		}
		m.at = at
	}).Run(ctx, d, to)
}

func (m *mapped) Close() error { return errors.Join(m.mem.Unmap(), m.file.Close()) }

// appendFile is a log file as every process has it that writes its own lines.
type appendFile struct{ *os.File }

func openAppendFile(_ context.Context, dir string) (rounds.Measurement, error) {
	f, err := os.OpenFile(filepath.Join(dir, "appended"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return appendFile{f}, err
}

func (f appendFile) Run(ctx context.Context, d time.Duration, to *rounds.Sink) error {
	// The file is in memory, and must not grow from round to round.
	if err := f.Truncate(0); err != nil {
		return err
	}
	var failed error
	err := operation(func(n int) {
		for range n {
			if _, err := f.Write(text); err != nil {
				failed = err
			}
		}
	}).Run(ctx, d, to)
	return errors.Join(err, failed)
}
