package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringlog/ringlog/internal/overlay"
	"github.com/ringlog/ringlog/ring"
)

// intents measure what the drain pays for exactly-once: the same drain by a reader
// that is built without the intent stands behind each.
var intents = slices.Concat(comparison("raw"), comparison("text"), comparison("json"))

func comparison(format string) []candidate {
	name, way := "drain "+format+", with the intent", &way{format: format}
	return []candidate{
		{name, 2, openIntent(way, "with", nil)},
		{without(name), 2, openIntent(way, "without", noIntent)},
	}
}

// without is the name of the line that the one called name is to be compared with.
func without(name string) string { return strings.Replace(name, "with the", "without the", 1) }

// noIntent takes the intent out of the drain: the checksums of what it is about to
// write, the record of it in the ring, the copy of each piece, the look at the files
// afterwards. A killed reader would then lose or repeat what it was at.
var noIntent = []overlay.Edit{
	{
		File: "reader/batch.go",
		Old:  "	if err := r.consumer.Prepare(b); err != nil {\n		return err\n	}\n",
	},
	{File: "reader/batch.go", Old: "	r.consumer.MarkApplied()\n"},
	{File: "reader/batch.go", Old: "	r.consumer.ClearIntent()\n"},
	{File: "reader/batch.go", Old: "r.consumer.SetWindow(i, piece, p)"},
	{File: "reader/batch.go", Old: "err = o.file.Check(o.before + int64(len(o.buf)))"},
	{
		File: "reader/batch.go",
		Old:  "	c := ring.OutputChange{",
		New:  "	if o.file != nil {\n		return ring.OutputChange{}\n	}\n	c := ring.OutputChange{",
	},
}

// way is what both sides of a comparison share, so that it cannot tell them apart: a
// ring, its workers, and where the lines go.
type way struct {
	format, ring, out string
	workers           crew
	n                 int // records of each worker in the next run
	users             int
}

func (w *way) open(dir string) (err error) {
	if w.users++; w.users > 1 {
		return nil
	}
	w.ring, w.out, w.n = filepath.Join(dir, "intent-"+w.format+".ring"), filepath.Join(dir, "intent-"+w.format+".log"), 10_000
	if err = ring.Create(w.ring, ring.CreateOptions{Lanes: 2}); err == nil {
		w.workers, err = startWorkers(w.ring)
	}
	if err != nil {
		w.users = 0
	}
	return err
}

func (w *way) close() error {
	if w.users--; w.users > 0 {
		return nil
	}
	return w.workers.stop()
}

// separate is the whole way, as in endToEnd, with the reader in a process of its own.
type separate struct {
	*way
	reader *readerProcess
	used   time.Duration // processor time of the reader in the last run
}

// openIntent builds this program with edits, for its part as a reader. Both sides of
// the comparison are built, so that nothing but the edits tells them apart; each is
// built once, for all formats.
func openIntent(w *way, side string, edits []overlay.Edit) func(string) (measurement, error) {
	return func(dir string) (measurement, error) {
		program := filepath.Join(dir, "reader-"+side)
		if _, err := os.Stat(program); err != nil {
			if err := buildSelf(program, edits); err != nil {
				return nil, err
			}
		}
		if err := w.open(dir); err != nil {
			return nil, err
		}
		reader, err := startReader(program)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		return &separate{way: w, reader: reader}, nil
	}
}

// buildSelf builds this program from its source with edits. Where there is no source, or no go command, the error is an errSkipped.
func buildSelf(program string, edits []overlay.Edit) (err error) {
	const module = "github.com/ringlog/ringlog"
	where, err := exec.Command("go", "list", "-f", "{{.Dir}}", module+"/bench", module+"/ring").Output()
	found := strings.Split(strings.TrimSpace(string(where)), "\n")
	if err != nil || len(found) != 2 {
		return fmt.Errorf("%w: it needs the go command and the source; run it in the folder bench", errSkipped)
	}
	dir, err := os.MkdirTemp("", "ringlog-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	replaced, err := overlay.Write(filepath.Dir(found[1]), dir, edits)
	if err != nil {
		return err
	}
	build := exec.Command("go", "build", "-overlay", replaced, "-o", program, ".")
	build.Dir = found[0]
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building a reader: %w: %s", err, said)
	}
	return nil
}

func (s *separate) run(d time.Duration) (int, time.Duration, error) {
	if err := s.reader.begin(s.format, s.ring, s.out); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if _, err := s.workers.burst(s.n); err != nil {
		return 0, 0, err
	}
	records, used, err := s.reader.end()
	took := time.Since(begin)
	if err != nil {
		return 0, 0, err
	}
	n := s.n
	if want := uint64(n * len(s.workers)); records != want {
		return 0, 0, fmt.Errorf("%d records arrived, of %d", records, want)
	}
	s.used = used
	s.n = max(1000, int(float64(n)*float64(d)/float64(took)))
	return n, took, nil
}

func (s *separate) processorTime() time.Duration { return s.used }

func (s *separate) Close() error { return errors.Join(s.reader.stop(), s.way.close()) }

// printIntent says for each pair of lines what the intent costs.
func (r *report) printIntent(out io.Writer) error {
	for i := range r.Results {
		a := &r.Results[i]
		j := slices.IndexFunc(r.Results, func(b result) bool { return b.Name != a.Name && b.Name == without(a.Name) })
		if j < 0 || len(a.Samples) == 0 || len(r.Results[j].Samples) == 0 {
			continue
		}
		b := &r.Results[j]
		if _, err := fmt.Fprintf(out, "%s: %+.1f %% time, %+.1f %% of the reader's processor time (%.0f ns for a record, %.0f without)\n",
			a.Name, 100*(ratio(a.Samples, b.Samples)-1), 100*(ratio(a.Processor, b.Processor)-1),
			summarize(a.Processor).Median, summarize(b.Processor).Median); err != nil {
			return err
		}
	}
	return nil
}
