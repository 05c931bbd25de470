package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
)

// inputs are six files of lines: real logs if they are there, else made ones with
// all that is awkward in real ones.
func inputs(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("RINGLOG_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) >= 6 {
		return names[:6]
	}
	t.Log("no real logs there; lines are generated")
	names = nil
	for i := range 6 {
		rnd := rand.New(rand.NewPCG(uint64(i), 2))
		var b strings.Builder
		for n := range 2000 {
			size := rnd.IntN(120)
			if n%100 == 0 {
				size = rnd.IntN(3000)
			}
			fmt.Fprintf(&b, "%d %s\xff\t%s\r\n", n, strings.Repeat("é", size%7), strings.Repeat("x", size))
			if n%50 == 0 {
				b.WriteString("\n\r\n")
			}
		}
		b.WriteString("no newline")
		name := filepath.Join(t.TempDir(), fmt.Sprint(i, ".log"))
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func TestSixProcessesReplayingLogsComeOutByteForByte(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 6), filepath.Join(t.TempDir(), "out.log")
	n := rounds(100, 4)
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{
		Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: 4 << 20}}},
	}))
	r.line(t) // it drains, and so SIGTERM makes it drain to the end
	type source struct {
		lines [][]byte
		at    int
	}
	sources := map[string]*source{}
	var workers []*process
	total := 0
	for _, name := range inputs(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		label := filepath.Base(name)
		sources[label] = &source{lines: split(b)}
		total += n * len(sources[label].lines)
		workers = append(workers, spawn(t, "replay", path, label, name, fmt.Sprint(n)))
	}
	for _, w := range workers {
		w.finish(t)
	}
	r.signal(t, syscall.SIGTERM)
	r.finish(t)
	bad := 0
	got := each(t, out, func(l *line) {
		s := sources[l.Worker]
		if s == nil || l.event() != "" {
			t.Fatalf("a line of nobody: %+v", l)
		}
		if want := string(s.lines[s.at%len(s.lines)]); l.message() != want || l.Seq != uint64(s.at+1) {
			if bad++; bad < 10 {
				t.Errorf("%s, line %d: %q (seq %d), want %q", l.Worker, s.at, l.message(), l.Seq, want)
			}
		}
		s.at++
	})
	if got != total {
		t.Errorf("%d lines of %d", got, total)
	}
	t.Logf("%d lines in %d files", got, len(files(t, out)))
}
