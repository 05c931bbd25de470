package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in a configuration file.
type Error struct {
	File   string // as it was named
	Line   int    // from 1; 0: it is about the file as a whole
	Column int    // from 1, in characters
	Msg    string // one line
}

// Error is FILE:LINE:COLUMN: MSG, as compilers say it, or FILE: MSG.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Msg)
}

// position is where something is in the file; the zero value: nowhere, or everywhere.
type position struct{ line, column int }

// mistakes are those of one file.
type mistakes struct {
	file  string
	found []*Error
}

// maxMistakes is how many mistakes are told. Who has more has named the wrong file.
const maxMistakes = 1000

// add notes a mistake: of several lines, several, as errors.Join makes them of messages
// that have one each.
func (m *mistakes) add(at position, msg string) {
	for line := range strings.SplitSeq(msg, "\n") {
		if len(m.found) < maxMistakes {
			m.found = append(m.found, &Error{m.file, at.line, at.column, line})
		}
	}
}

// err is all of them in their order in the file, joined; nil: there is none. What an alias
// repeats is said once.
func (m *mistakes) err() error {
	slices.SortStableFunc(m.found, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Msg, b.Msg))
	})
	m.found = slices.CompactFunc(m.found, func(a, b *Error) bool { return *a == *b })
	errs := make([]error, len(m.found))
	for i, e := range m.found {
		errs[i] = e
	}
	return errors.Join(errs...)
}
