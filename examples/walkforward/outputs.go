package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// rotateAt is the size in bytes at which a log file is rotated.
const rotateAt = 8 << 20

// outputs are the files of the first run: everything as JSON, a file for each
// logger, two of them as text, and one for a single trial, whichever logger its
// records are of.
func (s *show) outputs(trial int) []reader.Output {
	outputs := []reader.Output{
		{Path: s.path("all.jsonl"), Format: format.Options{Name: "json"}},
		{Path: s.path("app.log"), Loggers: []string{"app"}},
		{Path: s.path("orders.log"), Loggers: []string{"orders"}},
		{Path: s.path("trades.jsonl"), Loggers: []string{"trades"}, Format: format.Options{Name: "json"}},
		{Path: s.path("forward.log"), Attrs: []reader.AttrMatch{
			{Key: "study", Value: s.study}, {Key: "trial", Value: strconv.Itoa(trial)},
		}},
	}
	for i := range outputs {
		outputs[i].Rotation.Size = rotateAt
	}
	return outputs
}

// loggerOf is whose records o gets; empty: all.
func loggerOf(o reader.Output) string { return strings.Join(o.Loggers, "") }

// count counts what is in each output, and returns one tally of each. Of text it
// counts lines, of JSON every record.
func count(outputs []reader.Output, accounts []account) ([]*tally, error) {
	tallies, errs := make([]*tally, len(outputs)), make([]error, len(outputs))
	var wg sync.WaitGroup
	for i, o := range outputs {
		t := newTally(loggerOf(o), byName(accounts))
		add := t.add
		if o.Format.Name != "json" {
			add = t.addText
		}
		tallies[i] = t
		wg.Go(func() { errs[i] = t.addOutput(o.Path, add) })
	}
	wg.Wait()
	return tallies, errors.Join(errs...)
}

// compareOutputs prints how many records each output should have beside how many it
// has, and fails if they differ. forward is how many the one trial had that has an
// output of its own.
func (s *show) compareOutputs(outputs []reader.Output, tallies []*tally, accounts []account, forward int) error {
	w := table(s.out, "output", "has", "records accepted", "lines", "files", "size")
	kept := true
	for i, o := range outputs {
		has, want, t := "everything", 0, tallies[i]
		for _, a := range accounts {
			want += a.count(a.accepted, loggerOf(o))
		}
		switch {
		case loggerOf(o) != "":
			has = "logger " + loggerOf(o)
		case o.Attrs != nil:
			has, want = "trial "+o.Attrs[1].Value+", which walks forward", forward
		}
		kept = kept && t.lines == want
		row(w, filepath.Base(o.Path), has, want, t.lines, t.files, humanize.IBytes(uint64(t.size)))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !kept {
		return fmt.Errorf("an output has another number of lines: %w", errBroken)
	}
	return nil
}
