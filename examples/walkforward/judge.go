package main

import (
	"errors"
	"fmt"
	"sync"
)

// errBroken is a promise that was not kept.
var errBroken = errors.New("a promise is broken: see the table")

// account is what a worker is to be held to.
type account struct {
	name     string
	accepted int // records, as it noted them
	killed   bool
	*expected
}

// accounts are those of a crew that has ended.
func (s *show) accounts(c *crew) ([]account, error) {
	all, errs := make([]account, len(c.members)), make([]error, len(c.members))
	var wg sync.WaitGroup
	for i, m := range c.members {
		wg.Go(func() {
			x, err := expect(s.market, s.study, m.given)
			all[i], errs[i] = account{m.name, m.accepted(), m.killed, x}, err
		})
	}
	wg.Wait()
	return all, errors.Join(errs...)
}

// byName is what a tally needs to know.
func byName(accounts []account) map[string]*expected {
	m := make(map[string]*expected, len(accounts))
	for _, a := range accounts {
		m[a.name] = a.expected
	}
	return m
}

// addUnnoted adds the records of workers that were killed between append and note:
// accepted, and nobody wrote that down. There is at most one for each.
func addUnnoted(accounts []account, found *tally) (unnoted int) {
	for i := range accounts {
		if a := &accounts[i]; a.killed && found.workers[a.name].last == a.accepted+1 {
			a.accepted++
			unnoted++
		}
	}
	return unnoted
}

// judge prints what was found of each worker beside what it noted as accepted, and
// fails if they differ. whole is of the output that has everything; a record whose
// logger has a part of its own must be there too, once, and in order.
func (s *show) judge(accounts []account, whole *tally, parts ...*tally) error {
	unnoted := addUnnoted(accounts, whole)
	w := table(s.out, "worker", "records accepted", "found", "lost", "doubled", "out of order", "changed", "end")
	kept := true
	for _, a := range accounts {
		f := whole.workers[a.name]
		found, doubled := f.found()
		lost, disorder, changed := f.lost(a.accepted, ""), f.disorder, f.changed
		kept = kept && found == a.accepted && (a.killed || a.accepted == len(a.sums))
		for _, part := range parts {
			p := part.workers[a.name]
			n, twice := p.found()
			kept = kept && n == a.count(a.accepted, part.logger)
			lost, doubled = lost+p.lost(a.accepted, part.logger), doubled+twice
			disorder, changed = disorder+p.disorder, changed+p.changed
		}
		end, ends := "closed its lane", 0
		if a.killed {
			end, ends = "killed; the log says: vanished", 1
		}
		if f.vanished != ends {
			end = fmt.Sprintf("the log says %d times, not %d: vanished", f.vanished, ends)
		}
		kept = kept && lost+doubled+disorder+changed == 0 && f.vanished == ends
		row(w, a.name, a.accepted, found, lost, doubled, disorder, changed, end)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if unnoted > 0 {
		fmt.Fprintf(s.out, "(Accepted includes %d that a worker appended and was killed before it could note.)\n", unnoted)
	}
	if !kept {
		return errBroken
	}
	return nil
}
