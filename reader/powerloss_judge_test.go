//go:build linux && failpoints

package reader

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/ring"
)

// promised is what must survive a loss of power from the end of a sync on that begins
// now: with a sync in each batch, what was accepted; else what the outputs have.
func (l *powerLoss) promised() map[mark]bool {
	set := map[mark]bool{}
	if l.policy == SyncBatch {
		for _, m := range l.accepted {
			set[m] = true
		}
		return set
	}
	set, _ = l.outputs(l.live())
	return set
}

// outputs is the set of records in dir's outputs, and how many half lines are there.
func (l *powerLoss) outputs(dir string) (set map[mark]bool, half int) {
	set = map[mark]bool{}
	lines, half := l.lines(dir)
	for m := range lines {
		set[m] = true
	}
	return set, half
}

// lines reads the outputs in dir, and counts half lines. Whatever no worker has said
// fails the test.
func (l *powerLoss) lines(dir string) (lines map[mark]int, half int) {
	lines = map[mark]int{}
	paths, err := filepath.Glob(filepath.Join(dir, "out", "*.log*"))
	l.must(err)
	for _, path := range paths {
		text := readFile(l.t, path)
		file, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "."), ".")
		for line := range strings.Lines(text) {
			var e entry
			if json.Unmarshal([]byte(line), &e) != nil {
				half++
				continue
			}
			if e.Logger == "ringlog" && e.Attrs["event"] != nil {
				continue
			}
			var n int
			worker, rest, _ := strings.Cut(e.Msg, "/")
			if _, err := fmt.Sscan(rest, &n); err != nil || n > l.number[worker] || e.Msg != message(worker, n) || e.Worker != worker && e.Worker != "unknown" {
				l.t.Fatalf("%s: nobody has said this: worker %q, %.200q", path, e.Worker, e.Msg)
			}
			lines[mark{file, e.Msg}]++
		}
	}
	return lines, half
}

// recover drains what a loss of power at p left, and judges what comes out.
func (l *powerLoss) recover(p failpoint.Point) {
	l.recovers = true
	defer func() { l.recovers = false }()
	l.losses++
	path := filepath.Join(l.copy(), "ring")
	survived, _ := l.outputs(l.copy())
	said := l.drainOnce(p, path)
	lines, half := l.lines(l.copy())
	// Each file may have been cut in two lines at most, one in each boot.
	if files, _ := os.ReadDir(filepath.Join(l.copy(), "out")); half > l.boot*len(files) {
		l.t.Fatalf("at %v: %d half lines", p, half)
	}
	for m := range survived {
		if lines[m] == 0 {
			l.t.Fatalf("at %v, loss of power %d: %v was in its file, and is no more; the reader said %s", p, l.losses, m, said)
		}
	}
	for want := range l.required {
		if lines[want] == 0 {
			if l.missing++; !l.strict {
				l.t.Fatalf("at %v, loss of power %d: %v is missing; the reader said %s", p, l.losses, want, said)
			}
		}
	}
	l.reuse(p, path, lines)
}

func (l *powerLoss) drainOnce(p failpoint.Point, path string) string {
	var said bytes.Buffer
	o := l.options(l.copy())
	o.Log = slog.New(slog.NewTextHandler(&said, nil))
	r, err := Open(path, o)
	if err != nil {
		l.t.Fatalf("at %v: %v", p, err)
	}
	err = r.Run(context.Background())
	l.must(r.Close())
	if err != nil {
		l.t.Fatalf("at %v: %v; %s", p, err, said.String())
	}
	return said.String()
}

// reuse has workers of the next boot use what lanes are free: what comes out is what
// they said, and nothing that an earlier boot left in memory.
func (l *powerLoss) reuse(p failpoint.Point, path string, before map[mark]int) {
	for i := range 9 {
		w, err := ring.Attach(path, ring.AttachOptions{Label: fmt.Sprint("next", i)})
		if err != nil {
			break
		}
		for n := range 3 {
			l.must(w.Append([]byte(message(fmt.Sprint("next", i), n)), 0, ring.KindRaw))
			before[mark{"all", message(fmt.Sprint("next", i), n)}]++
		}
		l.number[fmt.Sprint("next", i)] = 3
		l.must(w.Close())
	}
	l.drainOnce(p, path)
	after, _ := l.lines(l.copy())
	for m, n := range after {
		if before[m] != n {
			l.t.Fatalf("at %v: %v came %d times, then %d", p, m, before[m], n)
		}
	}
	if len(after) != len(before) {
		l.t.Fatalf("at %v: %d records, then %d", p, len(before), len(after))
	}
}
