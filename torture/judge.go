package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// judge holds what is in the outputs against what the workers noted. It knows nothing
// of rings, and shares no code with the reader. Its methods but register and ended are
// for one goroutine.
//
// What it demands: of each goroutine of each worker the numbers 1, 2, 3 … in every
// output that takes them, without a gap, a repeat or a change of order, up to the last
// that was noted as accepted, or one more if the worker was killed; each line whole and
// each message exact; sequence numbers that count records and losses; markers that add
// up to the losses that were noted; the end of every killed worker that had accepted
// something named once, and nobody else's.
type judge struct {
	sources map[int]*source
	again   [len(outputNames)]*repeats // after an output was removed

	inbox struct {
		sync.Mutex
		news []func()
	}

	file   string // the one at hand
	number int    // of the line at hand, from 1
	buf    []byte

	records, bytes  uint64 // records in the output that has everything; bytes in all
	judged          uint64 // workers that were judged and forgotten
	tornGaps        uint64
	vanished        uint64
	lostByPolicy    uint64
	repeated        uint64 // lines of removed outputs that came again, as they may
	unfinishedLines uint64 // half lines at the end of removed outputs, as they may be

	count  [kinds]uint64
	faults []fault // the first ones
}

func newJudge() *judge { return &judge{sources: map[int]*source{}} }

// maxFaults is how many faults are kept to be shown.
const maxFaults = 30

func (j *judge) fault(kind kind, format string, args ...any) {
	j.count[kind]++
	if len(j.faults) < maxFaults {
		j.faults = append(j.faults, fault{kind, j.file, j.number, fmt.Sprintf(format, args...)})
	}
}

// bad is the number of faults.
func (j *judge) bad() (n uint64) {
	for _, c := range j.count {
		n += c
	}
	return n
}

// register announces a worker before it is started. It may be called by any goroutine.
func (j *judge) register(worker, goroutines int) {
	j.tell(func() { j.sources[worker] = &source{worker: worker, goroutines: goroutines} })
}

// ended says how a worker ended, and what its notes are. It may be called by any
// goroutine.
func (j *judge) ended(worker int, how fate, noted account) {
	j.tell(func() {
		if w := j.sources[worker]; w != nil {
			w.fate, w.noted = how, noted
		}
	})
}

func (j *judge) tell(news func()) {
	j.inbox.Lock()
	defer j.inbox.Unlock()
	j.inbox.news = append(j.inbox.news, news)
}

func (j *judge) listen() {
	j.inbox.Lock()
	news := j.inbox.news
	j.inbox.news = nil
	j.inbox.Unlock()
	for _, n := range news {
		n()
	}
}

// piece is a file of an output to which nothing more is added.
type piece struct {
	output int
	name   string
	// loose: the file was taken from a reader in mid-batch. It may end in half a line,
	// and its last lines, those of that batch, may come again in the next file.
	loose bool
}

// take judges the next file of an output.
func (j *judge) take(p piece, data []byte) {
	j.listen()
	j.file, j.number = p.name, 0
	j.bytes += uint64(len(data))
	var next *repeats
	if p.loose {
		next = newRepeats()
	}
	for len(data) > 0 {
		j.number++
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			if p.loose {
				j.unfinishedLines++
			} else {
				j.fault(torn, "the file ends in half a line: %.200q", data)
			}
			break
		}
		text := data[:end]
		data = data[end+1:]
		var l line
		if !l.parse(text) {
			j.fault(torn, "%.300q is no line", text)
			continue
		}
		if next != nil {
			next.add(l.id, text)
		}
		if !j.repeats(p.output, &l, text) {
			j.line(p.output, &l)
		}
	}
	if next != nil {
		j.endRepeats(p.output)
		j.again[p.output] = next
	}
	j.file, j.number = "", 0
}

// repeats says whether l is a line of a removed output that comes again.
func (j *judge) repeats(output int, l *line, text []byte) bool {
	again := j.again[output]
	if again == nil {
		return false
	}
	repeat, err := again.take(l, text)
	if err != nil {
		j.fault(doubled, "%v: %.200q", err, text)
		return true
	}
	if repeat {
		j.repeated++
	}
	if again.over() {
		j.endRepeats(output)
	}
	return repeat
}

func (j *judge) endRepeats(output int) {
	if again := j.again[output]; again != nil {
		if err := again.check(); err != nil {
			j.fault(doubled, "%s: %v", outputNames[output], err)
		}
		j.again[output] = nil
	}
}

func (j *judge) line(output int, l *line) {
	number, err := strconv.Atoi(strings.TrimPrefix(string(l.worker), "w"))
	w := j.sources[number]
	if w == nil {
		j.listen() // it may have been started since
		w = j.sources[number]
	}
	switch {
	case err != nil || w == nil:
		j.fault(foreign, "worker %.40q is not known, or all of it had come out before (seq %d, %.80q)", l.worker, l.seq, l.msg)
		return
	case w.pid == 0:
		w.pid = l.pid
	case w.pid != l.pid:
		j.fault(foreign, "worker %s with pid %d, which was %d before", l.worker, l.pid, w.pid)
	}
	if l.event != nil || string(l.logger) == "ringlog" {
		j.marker(output, w, l)
		return
	}
	g, n, err := j.check(w, l)
	if err != nil {
		j.fault(torn, "%v: %.200q", err, l.msg)
		return
	}
	j.advance(output, w, g, n, l)
}

// check says whose record l is, and whether it says what that one has to say.
func (j *judge) check(w *source, l *line) (g int, n uint64, err error) {
	words := bytes.SplitN(l.msg, []byte(" "), 4)
	if len(words) != 4 {
		return 0, 0, errors.New("a message of nobody")
	}
	g, err = strconv.Atoi(string(words[1]))
	if err != nil || g < 0 || g >= w.goroutines {
		return 0, 0, fmt.Errorf("goroutine %q of %s, which has %d", words[1], l.worker, w.goroutines)
	}
	if n, err = strconv.ParseUint(string(words[2]), 10, 64); err != nil || n == 0 {
		return 0, 0, fmt.Errorf("number %q", words[2])
	}
	j.buf = appendMessage(j.buf[:0], w.worker, g, n)
	attrs := ""
	if numbered(n) {
		attrs = fmt.Sprintf(`{"n":%d}`, n)
	}
	_, level := levelOf(n)
	switch {
	case !bytes.Equal(j.buf, l.msg):
		return 0, 0, fmt.Errorf("not what record %d of goroutine %d of %s says", n, g, l.worker)
	case string(l.level) != level, string(l.logger) != loggerOf(n), string(l.attrs) != attrs:
		return 0, 0, fmt.Errorf("level %s, logger %q, attributes %s of record %d of %s", l.level, l.logger, l.attrs, n, l.worker)
	}
	return g, n, nil
}

// advance counts record n of goroutine g of w.
func (j *judge) advance(output int, w *source, g int, n uint64, l *line) {
	if !routes(output, n) {
		j.fault(foreign, "record %d of %s goes elsewhere", n, l.worker)
		return
	}
	last := w.seen[output][g]
	switch want := following(output, last); {
	case n > want:
		j.fault(lost, "%s, goroutine %d: %d where %d was to come", l.worker, g, n, want)
		w.pass(output, g, want, n)
	case n < want && w.missed[number{output, g, n}]:
		delete(w.missed, number{output, g, n})
		j.fault(order, "%s, goroutine %d: %d comes after %d", l.worker, g, n, last)
	case n < want:
		j.fault(doubled, "%s, goroutine %d: %d comes again, after %d", l.worker, g, n, last)
	}
	w.seen[output][g] = max(last, n)
	if output != everything {
		return
	}
	j.records++
	if w.records++; l.seq != w.records+w.lost {
		j.fault(order, "%s: seq %d, where %d records and %d losses are behind it", l.worker, l.seq, w.records, w.lost)
	}
	if w.vanished > 0 {
		j.fault(order, "%s: a record after it was named as vanished", l.worker)
	}
}

func (j *judge) marker(output int, w *source, l *line) {
	m, ok := l.marked()
	if !ok || output != everything {
		j.fault(markers, "%.200q does not belong here", l.msg)
		return
	}
	switch m.Event {
	case "lost":
		if m.Lost == 0 {
			j.fault(markers, "%s: a marker of no losses", l.worker)
		}
		w.lost += m.Lost
		j.lostByPolicy += m.Lost
	case "torn":
		w.torn++
		j.tornGaps++
	case "vanished":
		w.vanished++
		j.vanished++
		if m.Records != w.records || m.Torn != w.torn {
			j.fault(markers, "%s vanished after %d records and %d torn ones, says its marker; %d and %d came out", l.worker, m.Records, m.Torn, w.records, w.torn)
		}
	default:
		j.fault(markers, "%.200q", l.msg)
	}
}

// forget judges and forgets the workers of which everything has come out.
func (j *judge) forget() {
	j.listen()
	for number, w := range j.sources {
		if w.complete() {
			w.shortfalls(j.fault)
			delete(j.sources, number)
			j.judged++
		}
	}
}

// finish judges whoever is left. Nothing more is to come.
func (j *judge) finish() {
	j.listen()
	for o := range j.again {
		j.endRepeats(o)
	}
	for number, w := range j.sources {
		w.shortfalls(j.fault)
		delete(j.sources, number)
		j.judged++
	}
}
