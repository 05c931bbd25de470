package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// tally is what was found, in log files or in a ring: all that this program
// believes about the outcome.
type tally struct {
	workers map[string]*account // by label
	files   int
	size    int64 // bytes
}

// account is what was found of one worker.
type account struct {
	src      source  // what it replayed
	copies   []uint8 // how often each of its lines was found, by number
	last     int     // number of the last line found
	disorder int     // lines found after a later one
	changed  int     // lines that are not, byte for byte, what was logged
	vanished int     // how often the reader says that the worker vanished
}

// newTally returns an empty tally of c.
func (s *show) newTally(c crew) *tally {
	t := &tally{workers: make(map[string]*account)}
	for _, p := range c {
		t.workers[p.Name] = &account{src: s.sources[p.Source], copies: make([]uint8, 1)}
	}
	return t
}

// count reads the files of one output, the oldest first. What it returns is of
// use also if the error is io.ErrUnexpectedEOF: half a line at the very end.
func (s *show) count(c crew, log string) (*tally, error) {
	rotated, err := filepath.Glob(log + ".*Z") // their names sort as their times do
	if err != nil {
		return nil, err
	}
	t := s.newTally(c)
	for _, path := range append(rotated, log) {
		if err := t.addFile(path); err != nil {
			return t, fmt.Errorf("counting %s: %w", path, err)
		}
	}
	return t, nil
}

func (t *tally) addFile(path string) error {
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
	return t.add(f)
}

// add counts the JSON lines that r yields. Half a line is an error.
func (t *tally) add(r io.Reader) error {
	var l struct {
		Logger, Worker, Msg string
		Exact               []byte `json:"msg_base64"` // where msg is not UTF-8
		Attrs               struct {
			Line  int    // what work adds to each record
			Event string // what the reader adds to its own lines
		}
	}
	empty := l
	for lines := json.NewDecoder(r); ; {
		l = empty
		if err := lines.Decode(&l); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		a := t.workers[l.Worker]
		switch {
		case a == nil:
			return fmt.Errorf("a line of an unknown worker %q", l.Worker)
		case l.Attrs.Line > 0:
			if l.Exact != nil {
				l.Msg = string(l.Exact)
			}
			a.add(l.Attrs.Line, l.Msg)
		case l.Attrs.Event == "vanished":
			a.vanished++
		}
	}
}

func (a *account) add(n int, message string) {
	for len(a.copies) <= n {
		a.copies = append(a.copies, 0)
	}
	a.copies[n] = min(a.copies[n], 254) + 1
	if n < a.last {
		a.disorder++
	}
	a.last = max(a.last, n)
	if message != a.src.line(n) {
		a.changed++
	}
}

// has says whether line n was found.
func (a *account) has(n int) bool { return n < len(a.copies) && a.copies[n] > 0 }

// found is the number of lines found, and of copies beyond the first.
func (a *account) found() (lines, doubled int) {
	for _, n := range a.copies {
		if n > 0 {
			lines++
			doubled += int(n) - 1
		}
	}
	return lines, doubled
}

// lost is the number of lines up to the given one that are neither here nor in
// others.
func (a *account) lost(accepted int, others ...*account) (n int) {
	for line := 1; line <= accepted; line++ {
		here := a.has(line)
		for _, o := range others {
			here = here || o.has(line)
		}
		if !here {
			n++
		}
	}
	return n
}
