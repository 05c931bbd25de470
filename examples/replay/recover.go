package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

// recover reads what a ring of the dead holds and no reader has taken: what
// ringdump prints. The ring is only looked at, never changed.
func (s *show) recover(c crew, path string) (*tally, error) {
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
	for _, issue := range d.Issues() {
		fmt.Fprintf(s.out, "  ringdump says: %v\n", issue)
	}
	for _, o := range d.Unfinished() {
		fmt.Fprintf(s.out, "  ringdump says: %s is whole up to byte %d, where the reader died in a batch\n", o.Path, o.Before)
	}
	t := s.newTally(c)
	return t, errors.Join(t.add(bytes.NewReader(lines)), in.Close())
}
