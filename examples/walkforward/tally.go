package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// tally is what was found, in the files of one output or in a ring: all that this
// program believes about the outcome.
type tally struct {
	logger  string // the only one whose records belong here; empty: all
	workers map[string]*findings
	lines   int // records; not the lines that the reader itself writes
	files   int
	size    int64 // bytes
}

// findings is what was found of one worker.
type findings struct {
	*expected
	copies   []uint8 // how often each of its records was found, by number from 0
	last     int     // number of the last record found, from 1
	disorder int     // records found after a later one
	changed  int     // records that are not what was logged, or not of this place
	vanished int     // how often the reader says that the worker vanished
}

// newTally returns an empty tally of the workers, of records of one logger or all.
func newTally(logger string, workers map[string]*expected) *tally {
	t := &tally{logger: logger, workers: make(map[string]*findings, len(workers))}
	for name, x := range workers {
		t.workers[name] = &findings{expected: x, copies: make([]uint8, len(x.sums))}
	}
	return t
}

// addOutput counts the files of an output, the oldest first, by add or addText. What
// is counted is of use also if the error is io.ErrUnexpectedEOF: half a line at the
// very end.
func (t *tally) addOutput(path string, add func(io.Reader) error) error {
	rotated, err := filepath.Glob(path + ".*Z") // their names sort as their times do
	if err != nil {
		return err
	}
	for _, file := range append(rotated, path) {
		if err := t.addFile(file, add); err != nil {
			return fmt.Errorf("counting %s: %w", file, err)
		}
	}
	return nil
}

func (t *tally) addFile(path string, add func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	t.files++
	t.size += st.Size()
	return add(f)
}

// addText counts lines: no record, whatever it says, takes more than one.
func (t *tally) addText(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		t.lines++
	}
	return lines.Err()
}

// line is what is looked at of a line.
type line struct {
	Logger, Worker, Msg string
	Event               string // only in the reader's own lines
	Attrs               json.RawMessage
}

// add counts the JSON lines that r yields. Half a line is an error.
func (t *tally) add(r io.Reader) error {
	for lines := json.NewDecoder(r); ; {
		var l line
		if err := lines.Decode(&l); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		f := t.workers[l.Worker]
		if f == nil {
			return fmt.Errorf("a line of an unknown worker %q", l.Worker)
		}
		if l.Event != "" {
			if l.Event == "vanished" {
				f.vanished++
			}
			continue
		}
		var number struct{ N int }
		if err := json.Unmarshal(l.Attrs, &number); err != nil {
			return errors.Join(errors.New("a line without its number"), err)
		}
		t.lines++
		f.add(number.N, checksum(l.Logger, l.Msg, l.Attrs), t.logger == "" || t.logger == l.Logger)
	}
}

func (f *findings) add(n int, sum uint64, here bool) {
	if n < 1 || n > len(f.sums) {
		f.changed++ // no record has this number
		return
	}
	f.copies[n-1] = min(f.copies[n-1], 254) + 1
	if n < f.last {
		f.disorder++
	}
	f.last = max(f.last, n)
	if sum != f.sums[n-1] || !here {
		f.changed++
	}
}

// found is the number of records found, and of copies beyond the first.
func (f *findings) found() (records, doubled int) {
	for _, n := range f.copies {
		if n > 0 {
			records++
			doubled += int(n) - 1
		}
	}
	return records, doubled
}

// lost is how many of the first n records, of a logger or of all, are neither here
// nor in others.
func (f *findings) lost(n int, logger string, others ...*findings) (lost int) {
	for i := range min(n, len(f.sums)) {
		here := logger != "" && names[f.of[i]] != logger || f.copies[i] > 0
		for _, o := range others {
			here = here || o.copies[i] > 0
		}
		if !here {
			lost++
		}
	}
	return lost + max(0, n-len(f.sums)) // more accepted than there can be
}
