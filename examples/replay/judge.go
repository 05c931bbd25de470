package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// errBroken is a promise that was not kept.
var errBroken = errors.New("a promise is broken: see the table")

// judge prints what the files have of each worker beside what the worker noted as
// accepted, and fails if they differ.
func (s *show) judge(c crew, t *tally) error {
	w := s.table("worker", "logger", "lines accepted", "found", "lost", "doubled", "out of order", "changed", "end")
	kept, unnoted := true, 0
	for _, p := range c {
		a, accepted := t.workers[p.Name], p.accepted()
		found, doubled := a.found()
		lost := a.lost(accepted)
		// Killed between append and note: accepted, and nobody wrote that down.
		if p.killed && a.last == accepted+1 {
			unnoted++
			accepted++
		}
		end, ended := "closed its lane", 0
		if p.killed {
			end, ended = "killed; the log says: vanished", 1
		}
		if a.vanished != ended {
			end = fmt.Sprintf("%s %d times, not %d", "the log says: vanished", a.vanished, ended)
		}
		kept = kept && lost == 0 && doubled == 0 && a.disorder == 0 && a.changed == 0 && found == accepted && a.vanished == ended
		row(w, p.Name, a.src.logger, accepted, found, lost, doubled, a.disorder, a.changed, end)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if unnoted > 0 {
		fmt.Fprintf(s.out, "(Accepted lines include %d that a worker appended and was killed before it could note.)\n", unnoted)
	}
	if !kept {
		return errBroken
	}
	return nil
}

// table begins a table of numbers.
func (s *show) table(heads ...any) *tabwriter.Writer {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w)
	row(w, heads...)
	return w
}

// row adds a row: numbers with their thousands set apart.
func row(w *tabwriter.Writer, cells ...any) {
	for _, cell := range cells {
		if n, ok := cell.(int); ok {
			cell = humanize.Comma(int64(n))
		}
		fmt.Fprintf(w, "%v\t", cell)
	}
	fmt.Fprintln(w)
}
