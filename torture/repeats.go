package main

import (
	"bytes"
	"errors"
	"fmt"
)

// repeats are the lines of an output that was taken from its reader. The batch that
// was under way then was written to a file without a name and comes again, whole, in
// the next one. So what may come again is a part of those lines from some one on to
// the last, each of them once and soon. All else is doubled.
type repeats struct {
	at    map[string]int // by id, which index
	texts [][]byte
	came  []bool
	first int // the first that came again
	after int // bytes of the output since
}

// repeatsWithin is how many bytes of the output hold the lines that come again: a
// batch of a MiB, and what else the next reader put between them.
const repeatsWithin = 8 << 20

func newRepeats() *repeats { return &repeats{at: map[string]int{}} }

// add notes a line of the file. text is kept.
func (r *repeats) add(id, text []byte) {
	r.at[string(id)] = len(r.texts)
	r.texts = append(r.texts, text)
	r.came = append(r.came, false)
	r.first = len(r.texts)
}

var errDifferent = errors.New("a line of a removed output comes again with another text")

// take says whether a later line is one of them.
func (r *repeats) take(l *line, text []byte) (bool, error) {
	r.after += len(text) + 1
	i, ok := r.at[string(l.id)]
	if !ok || r.came[i] {
		return false, nil
	}
	// A marker's text may say more by now, when reasons were added to it.
	if l.event == nil && !bytes.Equal(r.texts[i], text) {
		return false, errDifferent
	}
	r.came[i], r.first = true, min(r.first, i)
	return true, nil
}

// over says that nothing more may come again.
func (r *repeats) over() bool { return r.after > repeatsWithin }

// check says whether what came again was the end of the file.
func (r *repeats) check() error {
	for i := r.first; i < len(r.came); i++ {
		if !r.came[i] {
			return fmt.Errorf("line %d of a removed output came again and line %d behind it did not: this was no batch", r.first+1, i+1)
		}
	}
	return nil
}
