package main

import "fmt"

// fate is how a worker process ended.
type fate uint8

const (
	running fate = iota
	closed       // by itself, its lane closed
	killed
)

// source is a worker as the judge sees it. It is forgotten as soon as everything of
// it has come out and nothing more may.
type source struct {
	worker     int
	goroutines int
	pid        uint64 // as the first line says

	seen   [len(outputNames)][maxGoroutines]uint64 // the last number, by output and goroutine
	missed map[number]bool                         // numbers that were passed over, a few of them

	// In the output that has everything:
	records  uint64
	lost     uint64 // as the markers say
	torn     uint64
	vanished int

	fate  fate
	noted account // once it has ended
}

// number is one record's, in an output.
type number struct {
	output, goroutine int
	n                 uint64
}

// outputNames are the files that the readers are told to write: the first takes
// everything, each other one a logger and those below it.
var outputNames = [...]string{"all.log", "trades.log", "orders.log"}

const everything = 0

// routes says whether output o has to have the records with number n.
func routes(o int, n uint64) bool {
	switch o {
	case 1:
		return loggerOf(n) == "trades.fx"
	case 2:
		return loggerOf(n) == "orders"
	}
	return true
}

// following is the first number after n that output o has to have.
func following(o int, n uint64) uint64 {
	for n++; !routes(o, n); n++ {
	}
	return n
}

// accepted says whether w noted any record as accepted.
func (w *source) accepted() (n uint64) {
	for _, t := range w.noted.tallies {
		n += t.accepted
	}
	return n
}

func (w *source) notedLost() (n uint64) {
	for _, t := range w.noted.tallies {
		n += t.lost
	}
	return n
}

// slack is by how much what came out may exceed what was noted: a record is accepted,
// or lost, a moment before that is noted, and a kill can fall between.
func (w *source) slack() uint64 {
	if w.fate == killed {
		return 1
	}
	return 0
}

// complete says that everything of w has come out. Whether it was right is for
// shortfalls.
func (w *source) complete() bool {
	least, _ := w.ends()
	if w.fate == running || w.fate == killed && w.vanished == 0 && w.noted.closing != done || w.vanished < least || w.lost < w.notedLost() {
		return false
	}
	for g := range w.goroutines {
		if w.seen[everything][g] < w.noted.tallies[g].accepted {
			return false
		}
		for o := range outputNames {
			if following(o, w.seen[o][g]) <= w.seen[everything][g] {
				return false
			}
		}
	}
	return true
}

// shortfalls compares what came out of w with its notes. It is asked when nothing
// more is to come.
func (w *source) shortfalls(fault func(kind kind, format string, args ...any)) {
	who, slack := labelOf(w.worker), w.slack()
	for g := range w.goroutines {
		got, noted := w.seen[everything][g], w.noted.tallies[g].accepted
		switch {
		case got < noted:
			fault(lost, "%s, goroutine %d: %d records were accepted, the last that came out is %d", who, g, noted, got)
		case got > noted+slack:
			fault(foreign, "%s, goroutine %d: %d records were accepted, and %d came out", who, g, noted, got)
		}
		for o := range outputNames {
			if next := following(o, w.seen[o][g]); next <= got {
				fault(lost, "%s, goroutine %d: %s ends before record %d, %s has it", who, g, outputNames[o], next, outputNames[everything])
			}
		}
	}
	least, most := w.notedLost(), w.notedLost()+slack*uint64(w.goroutines)
	if w.lost < least || w.lost > most {
		fault(markers, "%s: markers say that %d records were lost, %d were noted", who, w.lost, least)
	}
	if least, most := w.ends(); w.vanished < least || w.vanished > most {
		fault(markers, "%s is named as vanished %d times, want %d to %d", who, w.vanished, least, most)
	}
	if most := w.goroutines * w.vanished; w.torn > uint64(most) {
		fault(markers, "%s left %d torn records, %d can be", who, w.torn, most)
	}
}

// ends is how often w may be named as vanished: once if it was killed before it began
// to close its lane, and had something by which it can be missed.
func (w *source) ends() (least, most int) {
	switch {
	case w.fate == closed || w.noted.closing == done:
		return 0, 0
	case w.noted.closing == begun || w.accepted() == 0:
		return 0, 1
	}
	return 1, 1
}

// pass notes that output o passed over numbers of goroutine g, so that one which
// comes late can be told from one that comes twice.
func (w *source) pass(o, g int, from, to uint64) {
	if w.missed == nil {
		w.missed = map[number]bool{}
	}
	for n := from; n < to && len(w.missed) < 1000; n = following(o, n) {
		w.missed[number{o, g, n}] = true
	}
}

// kind is what is wrong.
type kind uint8

const (
	lost kind = iota
	doubled
	torn
	order
	foreign // nobody wrote it
	markers // a line of ringlog's own is missing, wrong or too many
	kinds
)

func (k kind) String() string {
	return [kinds]string{"lost", "doubled", "torn", "out of order", "foreign", "wrong markers"}[k]
}

// fault is something wrong, and where.
type fault struct {
	kind kind
	file string // empty: found by comparing with the notes
	line int
	text string
}

func (f fault) String() string {
	if f.file == "" {
		return fmt.Sprintf("%v: %s", f.kind, f.text)
	}
	return fmt.Sprintf("%s:%d: %v: %s", f.file, f.line, f.kind, f.text)
}
