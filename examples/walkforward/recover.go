package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// recover shows what the dead left, and then drains it.
func (s *show) recover(ctx context.Context, c *crew, j readJob) error {
	accounts, err := s.accounts(c)
	if err != nil {
		return err
	}
	// What a person would do now: ringdump shows what the ring still holds.
	inFiles := newTally("", byName(accounts))
	if err := inFiles.addOutput(j.Log, inFiles.add); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err // another one than that the reader died in a line
	}
	inRing, err := s.look(accounts, j.Ring)
	if err != nil {
		return err
	}
	if err := s.compare(accounts, inFiles, inRing); err != nil {
		return err
	}

	// And what ends it: any new reader. It undoes the batch that the dead one left half
	// written, and drains the rest.
	if err := drain(ctx, j, reader.UntilEmpty); err != nil {
		return err
	}
	whole := newTally("", byName(accounts))
	if err := whole.addOutput(j.Log, whole.add); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "\nA new reader has drained the ring. Now the files have:")
	return s.judge(accounts, whole)
}

// look reads what a ring of the dead holds and no reader has taken: what ringdump
// prints. The ring is only looked at, never changed.
func (s *show) look(accounts []account, path string) (*tally, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return nil, err
	}
	d := dump.Scan(in, dump.Options{})
	var lines []byte
	json := format.NewJSON()
	for l := range d.Lines() {
		lines = json.Append(lines, &l.Line)
	}
	fmt.Fprintln(s.out, "ringdump looks at what the dead have left:")
	for _, issue := range d.Issues() {
		fmt.Fprintf(s.out, "  %v\n", issue)
	}
	for _, o := range d.Unfinished() {
		fmt.Fprintf(s.out, "  %s is whole up to byte %d, where the reader died in a batch; what follows is in the ring too\n", o.Path, o.Before)
	}
	t := newTally("", byName(accounts))
	return t, errors.Join(t.add(bytes.NewReader(lines)), in.Close())
}

// compare prints what the dead left of each worker: in the files, and in the ring.
func (s *show) compare(accounts []account, files, rest *tally) error {
	w := table(s.out, "worker", "records accepted", "in the files", "found by ringdump", "in neither")
	kept := true
	for _, a := range accounts {
		inFiles, inRing := files.workers[a.name], rest.workers[a.name]
		written, _ := inFiles.found()
		waiting, _ := inRing.found()
		lost := inFiles.lost(a.accepted, "", inRing)
		kept = kept && lost == 0
		row(w, a.name, a.accepted, written, waiting, lost)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !kept {
		return errBroken
	}
	return nil
}
