package main

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// tally is what a goroutine had accepted and lost.
type tally struct {
	accepted uint64 // the last number that was accepted
	lost     uint64 // how many records its policy dropped
}

// account is what a worker noted.
type account struct {
	tallies [maxGoroutines]tally
	closing closing
}

// closing is how far a worker's Close was.
type closing uint64

const (
	notBegun closing = iota
	begun
	done
)

const (
	tallySize = 16
	closingAt = maxGoroutines * tallySize
	notesSize = closingAt + 8
)

// notes are a worker's tallies in a file that it maps, so that they outlive it.
type notes []byte

// mapNotes makes the file at path and maps it, until the process ends.
func mapNotes(path string) (notes, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(notesSize); err != nil {
		return nil, err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, notesSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	return m, nil
}

// Each of these is one store of 8 bytes: whatever kills the worker, the old number is there
// or the new one.
func (n notes) accept(g int, number uint64) { binary.LittleEndian.PutUint64(n[g*tallySize:], number) }

func (n notes) lose(g int, count uint64) { binary.LittleEndian.PutUint64(n[g*tallySize+8:], count) }

func (n notes) close(c closing) { binary.LittleEndian.PutUint64(n[closingAt:], uint64(c)) }

// readNotes reads the notes of a worker that has ended. One that was killed before it
// made them accepted nothing.
func readNotes(path string) (a account, err error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) || err == nil && len(b) < notesSize {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	for g := range a.tallies {
		a.tallies[g].accepted = binary.LittleEndian.Uint64(b[g*tallySize:])
		a.tallies[g].lost = binary.LittleEndian.Uint64(b[g*tallySize+8:])
	}
	a.closing = closing(binary.LittleEndian.Uint64(b[closingAt:]))
	return a, nil
}
