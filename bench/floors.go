package main

import (
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/edsrzf/mmap-go"
)

// The floors are what an append is made of, each by itself: no append can be
// faster than the sum of those it needs.
var floors = []candidate{
	{"copy 100 B to a mapped file", 1, openCopy},
	{"atomic add, uncontended", 1, loop(func(n int) {
		for range n {
			counter.Add(1)
		}
	})},
	{"compare-and-swap, uncontended", 1, loop(func(n int) {
		for range n {
			v := counter.Load()
			counter.CompareAndSwap(v, v+1)
		}
	})},
	{"time.Since", 1, loop(func(n int) {
		var sum time.Duration
		for range n {
			sum += time.Since(started)
		}
		counter.Store(uint64(sum))
	})},
	{"time.Now", 1, loop(func(n int) {
		sum := 0
		for range n {
			sum += time.Now().Nanosecond()
		}
		counter.Store(uint64(sum))
	})},
	{"CRC-32C of 128 B", 1, loop(func(n int) {
		for range n {
			sinkSum = crc32.Update(sinkSum, castagnoli, record128)
		}
	})},
	{"CRC-32 (IEEE) of 128 B", 1, loop(func(n int) {
		for range n {
			sinkSum = crc32.Update(sinkSum, crc32.IEEETable, record128)
		}
	})},
	{"write(2) of 100 B, O_APPEND", 1, openAppendFile},
}

// Package variables keep the compiler from leaving out what is measured.
var (
	counter   atomic.Uint64
	sinkSum   uint32
	started   = time.Now()
	record128 = make([]byte, 128)
	message   = []byte("2026-11-23 18:47:01,123 - trades - INFO - filled order 4711 at 101.25 for study 17, trial 3, wrkr 12") // 100 bytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// operation repeats something n times.
type operation func(n int)

// chunk is how often an operation is repeated between two looks at the clock,
// which then cost less than 0.1 ns an operation.
const chunk = 1000

func loop(f operation) func(string) (measurement, error) {
	return func(string) (measurement, error) { return f, nil }
}

func (f operation) run(d time.Duration) (n int, took time.Duration, err error) {
	for begin := time.Now(); took < d; took = time.Since(begin) {
		f(chunk)
		n += chunk
	}
	return n, took, nil
}

func (f operation) Close() error { return nil }

// mapped copies to places in a mapped file that lie as far apart as records do.
type mapped struct {
	file *os.File
	mem  mmap.MMap
	at   int
}

const (
	mappedSize = 4 << 20 // like a lane
	stride     = 136     // a record of 100 B with its header
)

func openCopy(dir string) (measurement, error) {
	f, err := os.Create(filepath.Join(dir, "mapped"))
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, mappedSize)); err != nil {
		f.Close()
		return nil, err
	}
	mem, err := mmap.Map(f, mmap.RDWR, 0)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &mapped{file: f, mem: mem}, nil
}

func (m *mapped) run(d time.Duration) (int, time.Duration, error) {
	return operation(func(n int) {
		at := m.at
		for range n {
			if at+stride > mappedSize {
				at = 0
			}
			copy(m.mem[at:at+len(message)], message)
			at += stride
		}
		m.at = at
	}).run(d)
}

func (m *mapped) Close() error { return errors.Join(m.mem.Unmap(), m.file.Close()) }

// appendFile is a log file as every process has it that writes its own lines.
type appendFile struct{ *os.File }

func openAppendFile(dir string) (measurement, error) {
	f, err := os.OpenFile(filepath.Join(dir, "appended"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return appendFile{f}, err
}

func (f appendFile) run(d time.Duration) (int, time.Duration, error) {
	// The file is in memory, and must not grow from round to round.
	if err := f.Truncate(0); err != nil {
		return 0, 0, err
	}
	var failed error
	n, took, _ := operation(func(n int) {
		for range n {
			if _, err := f.Write(message); err != nil {
				failed = err
			}
		}
	}).run(d)
	return n, took, failed
}
