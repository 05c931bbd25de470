package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// line is what the tests look at of a line of a JSON output.
type line struct {
	Logger string         `json:"logger"`
	Msg    string         `json:"msg"`
	Base64 []byte         `json:"msg_base64"` // the exact bytes, where Msg cannot have them
	Worker string         `json:"worker"`
	Seq    uint64         `json:"seq"`
	Attrs  map[string]any `json:"attrs"`
}

func (l *line) message() string {
	if l.Base64 != nil {
		return string(l.Base64)
	}
	return l.Msg
}

// event is the kind of marker that a line is; empty for a record.
func (l *line) event() string {
	if l.Logger != "ringlog" {
		return ""
	}
	return fmt.Sprint(l.Attrs["event"])
}

// files are an output's files: the rotated ones, oldest first, then itself.
func files(t testing.TB, out string) []string {
	t.Helper()
	old, err := filepath.Glob(out + ".*") // sorted, and the names sort by time
	if err != nil {
		t.Fatal(err)
	}
	return append(old, out)
}

// each calls f for every line of a JSON output, in order. Every file must end with
// a whole line.
func each(t testing.TB, out string, f func(l *line)) (lines int) {
	t.Helper()
	for _, name := range files(t, out) {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReaderSize(file, 1<<20)
		for {
			b, err := r.ReadBytes('\n')
			if err != nil {
				if len(b) > 0 {
					t.Errorf("%s ends in %q", name, b)
				}
				break
			}
			var l line
			if err := json.Unmarshal(b, &l); err != nil {
				t.Fatalf("%s: %v in line %q", name, err, b)
			}
			f(&l)
			lines++
		}
		file.Close()
	}
	return lines
}

// tally judges the output of counters: from each worker 1, 2, 3 … without a gap.
type tally struct {
	t        testing.TB
	step     uint64            // of the numbers that the output is to have
	last     map[string]uint64 // the last number, by worker
	vanished map[string]int    // how often named, by worker
	torn     int
	bad      int
}

func newTally(t testing.TB, step uint64) *tally {
	return &tally{t: t, step: step, last: map[string]uint64{}, vanished: map[string]int{}}
}

func (c *tally) add(l *line) {
	switch event := l.event(); event {
	case "":
	case "vanished":
		c.vanished[l.Worker]++
		return
	case "torn":
		c.torn++
		return
	default:
		c.fail("%s: %s", l.Worker, l.Msg)
		return
	}
	number, filler, _ := strings.Cut(l.Msg, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || strings.Trim(filler, "f") != "" || l.Logger != loggerOf(n) {
		c.fail("%s: a record that nobody wrote: %q of %q", l.Worker, l.Msg, l.Logger)
		return
	}
	if want := c.last[l.Worker] + c.step; n != want {
		c.fail("%s: %d where %d was to come", l.Worker, n, want)
	}
	if l.Seq != n {
		c.fail("%s: %d has seq %d", l.Worker, n, l.Seq)
	}
	c.last[l.Worker] = n
}

// fail reports the first few faults; there may be millions.
func (c *tally) fail(format string, args ...any) {
	c.t.Helper()
	if c.bad++; c.bad <= 10 {
		c.t.Errorf(format, args...)
	}
}

// optionsJSON is what the drain role takes.
func optionsJSON(t testing.TB, o any) string {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
