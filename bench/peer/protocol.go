package peer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Orders and answers are lines. A worker says "ready" when it has attached, and then
// answers:
//
//	burst START N           took NS LOST
//	paced START N EVERY_NS  took NS LOST, lines VALUE_NS COUNT, end
//	flush                   flushed NS
//
// START is CLOCK_REALTIME in nanoseconds: the worker spins until then. A burst is N
// calls as fast as they go; NS is what they took. Paced, call i is due at
// START+i*EVERY_NS, and its value is the time from then until it returned, however
// late it began: so a call that stalls counts for all that had to wait for it. Where
// EVERY_NS is 0, each call is due when the one before it has returned. The values
// ascend, each with how many calls had it, rounded up to three significant digits at
// most. LOST is how many records the logger itself says it dropped. Flush returns
// when all that was logged has been handed to whoever writes it. At the end of its
// input a worker ends well.
const (
	ready    = "ready"
	lastLine = "end"
)

// order is one line to a worker.
type order struct {
	what  string // "burst", "paced" or "flush"
	start time.Time
	n     int
	every time.Duration
}

func (o order) String() string {
	switch o.what {
	case "burst":
		return fmt.Sprintf("burst %d %d", o.start.UnixNano(), o.n)
	case "paced":
		return fmt.Sprintf("paced %d %d %d", o.start.UnixNano(), o.n, o.every.Nanoseconds())
	}
	return o.what
}

// readOrder returns io.EOF where there are no more.
func readOrder(r *bufio.Reader) (o order, err error) {
	line, err := r.ReadString('\n')
	if errors.Is(err, io.EOF) && line == "" {
		return o, io.EOF
	}
	var start, every int64
	var scanned, want int
	switch o.what, _, _ = strings.Cut(strings.TrimSpace(line), " "); o.what {
	case "burst":
		want = 2
		scanned, _ = fmt.Sscanf(line, "burst %d %d\n", &start, &o.n)
	case "paced":
		want = 3
		scanned, _ = fmt.Sscanf(line, "paced %d %d %d\n", &start, &o.n, &every)
	case "flush":
	default:
		want = -1
	}
	if scanned != want || o.n < 0 || every < 0 {
		return o, fmt.Errorf("order %q: want burst START N, paced START N EVERY or flush", line)
	}
	o.start, o.every = time.Unix(0, start), time.Duration(every)
	return o, nil
}

// Took is what a worker says of its calls.
type Took struct {
	Time time.Duration // all calls together
	Lost uint64        // records that the logger says it dropped
}

// NewHistogram counts times from 1 ns to ten seconds with three significant digits.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (10 * time.Second).Nanoseconds(), 3)
}

// record clamps what is longer than a histogram can hold: a stall must not be missing.
func record(h *hdrhistogram.Histogram, ns, n int64) error {
	return h.RecordValues(min(max(ns, 1), h.HighestTrackableValue()), n)
}

func writeHistogram(w io.Writer, h *hdrhistogram.Histogram) error {
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			if _, err := fmt.Fprintln(w, b.To, b.Count); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w, lastLine)
	return err
}

func readTook(r *bufio.Reader) (t Took, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return t, fmt.Errorf("read a worker's answer: %w", err)
	}
	var ns int64
	if n, _ := fmt.Sscanf(line, "took %d %d\n", &ns, &t.Lost); n != 2 || ns < 0 {
		return t, fmt.Errorf("a worker answers %q: want took NS LOST", line)
	}
	t.Time = time.Duration(ns)
	return t, nil
}

func readHistogram(r *bufio.Reader) (*hdrhistogram.Histogram, error) {
	h := NewHistogram()
	for last := int64(-1); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("read a worker's histogram: %w", err)
		}
		if strings.TrimSpace(line) == lastLine {
			return h, nil
		}
		var value, count int64
		if n, _ := fmt.Sscanf(line, "%d %d\n", &value, &count); n != 2 || value <= last || count < 1 {
			return nil, fmt.Errorf("a worker's histogram has %q: want VALUE_NS COUNT, ascending, or end", line)
		}
		last = value
		if err := record(h, value, count); err != nil {
			return nil, err
		}
	}
}

func readFlushed(r *bufio.Reader) (time.Duration, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("read a worker's answer: %w", err)
	}
	var ns int64
	if n, _ := fmt.Sscanf(line, "flushed %d\n", &ns); n != 1 || ns < 0 {
		return 0, fmt.Errorf("a worker answers %q: want flushed NS", line)
	}
	return time.Duration(ns), nil
}
