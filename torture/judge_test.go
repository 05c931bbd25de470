package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// script is what a worker left in an output, as lines that can be spoiled.
type script []string

// text is the line of record n of goroutine g of worker w.
func text(w, g int, n, seq uint64) string {
	attrs := ""
	if numbered(n) {
		attrs = fmt.Sprintf(`,"attrs":{"n":%d}`, n)
	}
	_, level := levelOf(n)
	return fmt.Sprintf(`{"time":"2026-01-02T15:04:05.000000000Z","level":"%s","logger":"%s","msg":"%s","worker":"w%d","pid":%d,"seq":%d,"id":"r-0-%d.%d.%d"%s}`,
		level, loggerOf(n), appendMessage(nil, w, g, n), w, 100+w, seq, w, g, n, attrs)
}

// marker is the line of a marker of worker w.
func marker(w int, seq uint64, event, attrs string) string {
	return fmt.Sprintf(`{"time":"2026-01-02T15:04:05.000000000Z","level":"WARNING","logger":"ringlog","msg":"%s","worker":"w%d","pid":%d,"seq":%d,"id":"r-0-%d.%s.%d","event":"%s","attrs":{"event":"%s","worker":"w%d","pid":%d,"lane":0,%s}}`,
		event, w, 100+w, seq, w, event, seq, event, event, w, 100+w, attrs)
}

// life is all that comes out of worker w with one goroutine, records 1 to most.
func life(w int, most uint64, end ...string) (all, trades, orders script) {
	for n := uint64(1); n <= most; n++ {
		t := text(w, 0, n, n)
		all = append(all, t)
		if routes(1, n) {
			trades = append(trades, t)
		}
		if routes(2, n) {
			orders = append(orders, t)
		}
	}
	return append(all, end...), trades, orders
}

func vanished(w int, records, torn uint64) string {
	return marker(w, records, "vanished", fmt.Sprintf(`"records":%d,"torn":%d`, records, torn))
}

func accepted(n, lost uint64) (a account) {
	a.tallies[0] = tally{accepted: n, lost: lost}
	return a
}

// verdict judges one worker, with a goroutine, that ended as told.
func verdict(how fate, noted account, all, trades, orders script) *judge {
	j := newJudge()
	j.register(1, 1)
	for o, s := range []script{all, trades, orders} {
		data := strings.Join(append(slices.Clone(s), ""), "\n")
		if o == everything {
			data = strings.TrimSuffix(data, "\n") + strings.Repeat("\n", min(1, len(s)))
		}
		j.take(piece{output: o, name: outputNames[o]}, []byte(data))
	}
	j.ended(1, how, noted)
	j.forget()
	j.finish()
	return j
}

const records = 40

func TestTheJudgeFindsNothingWhereNothingIsWrong(t *testing.T) {
	t.Parallel()
	all, trades, orders := life(1, records)
	lossy, _, _ := life(1, 20)
	lossy = append(lossy, marker(1, 22, "lost", `"lost":2`))
	for n := uint64(21); n <= records; n++ {
		lossy = append(lossy, text(1, 0, n, n+2))
	}
	for name, j := range map[string]*judge{
		"closed":               verdict(closed, accepted(records, 0), all, trades, orders),
		"killed":               verdict(killed, accepted(records, 0), append(all[:records:records], vanished(1, records, 0)), trades, orders),
		"killed before a note": verdict(killed, accepted(records-1, 0), append(all[:records:records], vanished(1, records, 0)), trades, orders),
		"torn": verdict(killed, accepted(records, 0),
			append(all[:records:records], marker(1, records, "torn", `"position":8,"bytes":64`), vanished(1, records, 1)), trades, orders),
		"dropped":                   verdict(closed, accepted(records, 2), lossy, trades, orders),
		"killed, nothing accepted":  verdict(killed, accepted(0, 0), nil, nil, nil),
		"killed while it closed":    verdict(killed, account{tallies: accepted(records, 0).tallies, closing: begun}, all, trades, orders),
		"killed after it had ended": verdict(killed, account{tallies: accepted(records, 0).tallies, closing: done}, all, trades, orders),
	} {
		if j.bad() > 0 || len(j.sources) > 0 {
			t.Errorf("%s: %v, %d workers left", name, j.faults, len(j.sources))
		}
	}
}

// A judge that cannot fail proves nothing.
func TestTheJudgeFindsEachKindOfFault(t *testing.T) {
	t.Parallel()
	end := vanished(1, records, 0)
	dropped := marker(1, 1, "lost", `"lost":1`)
	for _, c := range []struct {
		name  string
		want  kind
		how   fate
		noted account
		spoil func(all, trades, orders *script)
	}{
		{"a record is missing", lost, closed, accepted(records, 0), func(all, _, _ *script) { *all = slices.Delete(*all, 9, 10) }},
		{"the first is missing", lost, closed, accepted(records, 0), func(all, _, _ *script) { *all = (*all)[1:] }},
		{"the last is missing", lost, closed, accepted(records, 0), func(all, _, _ *script) { *all = (*all)[:records-1] }},
		{"all is missing", lost, closed, accepted(records, 0), func(all, trades, orders *script) { *all, *trades, *orders = nil, nil, nil }},
		{"the last of a routed output is missing", lost, closed, accepted(records, 0), func(_, trades, _ *script) { *trades = (*trades)[:len(*trades)-1] }},
		{"one in a routed output is missing", lost, closed, accepted(records, 0), func(_, _, orders *script) { *orders = slices.Delete(*orders, 2, 3) }},
		{"the last of a killed worker is missing", lost, killed, accepted(records+1, 0), func(all, _, _ *script) { *all = append(*all, end) }},
		{"a record comes twice", doubled, closed, accepted(records, 0), func(all, _, _ *script) { *all = slices.Insert(*all, 10, (*all)[9]) }},
		{"a batch comes twice", doubled, closed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, (*all)[20:]...) }},
		{"a record comes twice in a routed output", doubled, closed, accepted(records, 0), func(_, trades, _ *script) { *trades = append(*trades, (*trades)[len(*trades)-1]) }},
		{"two change places", order, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[5], (*all)[6] = (*all)[6], (*all)[5] }},
		{"a sequence number jumps", order, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[7] = text(1, 0, 8, 9) }},
		{"a record comes after the end", order, killed, accepted(records, 0), func(all, _, _ *script) { *all = slices.Insert(*all, records-1, vanished(1, records-1, 0)) }},
		{"a line is cut short", torn, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[3] = (*all)[3][:50] }},
		{"two lines are mixed", torn, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[3] = (*all)[3][:90] + (*all)[4] }},
		{"a byte of a message is another", torn, closed, accepted(records, 0), func(all, _, _ *script) {
			(*all)[1] = strings.Replace((*all)[1], `","worker`, `~","worker`, 1)
		}},
		{"a message is another record's", torn, closed, accepted(records, 0), func(all, _, _ *script) {
			(*all)[1] = strings.Replace((*all)[1], `"w1 0 2 `, `"w1 0 3 `, 1)
		}},
		{"a level is wrong", torn, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[1] = strings.Replace((*all)[1], "INFO", "ERROR", 1) }},
		{"an attribute is wrong", torn, closed, accepted(records, 0), func(all, _, _ *script) { (*all)[4] = strings.Replace((*all)[4], `{"n":5}`, `{"n":6}`, 1) }},
		{"a worker that nobody started", foreign, closed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, text(2, 0, 1, 1)) }},
		{"more came out than was accepted", foreign, closed, accepted(records-1, 0), func(_, _, _ *script) {}},
		{"two more than a killed worker noted", foreign, killed, accepted(records-2, 0), func(all, _, _ *script) { *all = append(*all, end) }},
		{"a record in another's output", foreign, closed, accepted(records, 0), func(_, trades, _ *script) { *trades = append(*trades, text(1, 0, 41, 41)) }},
		{"vanished twice", markers, killed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, end, end) }},
		{"vanished is missing", markers, killed, accepted(records, 0), func(_, _, _ *script) {}},
		{"vanished, and it closed", markers, closed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, end) }},
		{"vanished with a wrong count", markers, killed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, vanished(1, records-1, 0)) }},
		{"torn, and it closed", markers, closed, accepted(records, 0), func(all, _, _ *script) {
			*all = append(*all, marker(1, records, "torn", `"position":8,"bytes":64`))
		}},
		{"losses without a marker", markers, closed, accepted(records, 1), func(_, _, _ *script) {}},
		{"a marker without losses", markers, closed, accepted(records, 0), func(all, _, _ *script) { *all = append(*all, dropped) }},
		{"damage", markers, closed, accepted(records, 0), func(all, _, _ *script) {
			*all = append(*all, marker(1, records, "damaged", `"position":8,"bytes":64`))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all, trades, orders := life(1, records)
			c.spoil(&all, &trades, &orders)
			j := verdict(c.how, c.noted, all, trades, orders)
			if j.count[c.want] == 0 {
				t.Errorf("not found: %v; found: %v", c.want, j.faults)
			}
		})
	}
}

func TestTheJudgeFindsAFileThatEndsInHalfALine(t *testing.T) {
	t.Parallel()
	j := newJudge()
	j.register(1, 1)
	whole := text(1, 0, 1, 1) + "\n"
	j.take(piece{name: "all.log"}, []byte(whole+text(1, 0, 2, 2)))
	if j.count[torn] != 1 || j.faults[0].line != 2 {
		t.Errorf("found %v", j.faults)
	}
	j = newJudge()
	j.register(1, 1)
	j.take(piece{name: "all.log", loose: true}, []byte(whole+text(1, 0, 2, 2)))
	if j.bad() != 0 || j.unfinishedLines != 1 {
		t.Errorf("of a removed output: found %v", j.faults)
	}
}

func TestOnlyTheLastBatchOfARemovedOutputMayComeAgain(t *testing.T) {
	t.Parallel()
	lines := func(from, to uint64) (b []byte) {
		for n := from; n <= to; n++ {
			b = append(append(b, text(1, 0, n, n)...), '\n')
		}
		return b
	}
	for _, c := range []struct {
		name  string
		again [][]byte // what follows the removed file, which has 1 to 10
		bad   bool
	}{
		{"nothing", [][]byte{lines(11, 20)}, false},
		{"the last three", [][]byte{lines(8, 20)}, false},
		{"all of it", [][]byte{lines(1, 20)}, false},
		{"over two files", [][]byte{lines(5, 8), lines(9, 20)}, false},
		{"the last three twice", [][]byte{lines(8, 10), lines(8, 20)}, true},
		{"some in the middle", [][]byte{lines(4, 6), lines(11, 20)}, true},
		{"one is left out", [][]byte{lines(6, 7), lines(9, 20)}, true},
		{"one is lost", [][]byte{lines(8, 10), lines(12, 20)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			j := newJudge()
			j.register(1, 1)
			j.take(piece{name: "all.log", loose: true}, lines(1, 10))
			for _, b := range c.again {
				j.take(piece{name: "all.log"}, b)
			}
			j.endRepeats(everything)
			if got := j.bad() > 0; got != c.bad {
				t.Errorf("found %v", j.faults)
			}
		})
	}
}

func TestNothingMayComeAgainWhereNoOutputWasRemoved(t *testing.T) {
	t.Parallel()
	j := newJudge()
	j.register(1, 1)
	b := []byte(text(1, 0, 1, 1) + "\n")
	j.take(piece{name: "all.log"}, b)
	j.take(piece{name: "all.log"}, b)
	if j.count[doubled] != 1 {
		t.Errorf("found %v", j.faults)
	}
}
