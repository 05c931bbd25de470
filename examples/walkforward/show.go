package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/writer"
)

// show is what was asked for.
type show struct {
	*series
	market  *market // of series
	plan    *plan
	study   string // name
	workers int
	dir     string // everything is made here
	out     io.Writer
	redraws bool // out can draw over what it shows
}

// run does both runs.
func (s *show) run(ctx context.Context) error {
	// They have rings of their own, also where a ring is given to us.
	if err := os.Unsetenv(writer.RingVariable); err != nil {
		return err
	}
	s.introduce()
	if err := s.firstRun(ctx); err != nil {
		return fmt.Errorf("first run: %w", err)
	}
	if err := s.secondRun(ctx); err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	return s.farewell(ctx)
}

// farewell says what is left to look at, and how to be rid of it.
func (s *show) farewell(ctx context.Context) error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var size uint64
	for _, f := range files {
		st, err := f.Info()
		if err != nil {
			return err
		}
		size += uint64(st.Size())
	}
	// Here a run has go, and the repository, but no ringdump on its PATH.
	fmt.Fprintf(s.out, `
To look for yourself, from the folder of the repository:
  go run ./cmd/ringdump --all %[1]s
  go run ./cmd/ringlog stat %[1]s
  tail -n 3 %[2]s %[3]s

Everything lies in %[4]s (%[5]s). To remove it: rm -r %[6]s
`, quote(s.path("second.ring")), quote(s.path("forward.log")), quote(s.path("trades.jsonl")),
		s.dir, humanize.IBytes(size), quote(s.dir))
	return context.Cause(ctx) // a signal, or an output that failed, since the last worker ended
}

// quote makes a path one word of a shell.
func quote(path string) string {
	if !strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+,:=@%", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// path is where a file of this run lies.
func (s *show) path(name string) string { return filepath.Join(s.dir, name) }

// makeDir returns an absolute path: the other processes get it too. The folder must
// be empty, or the lines of an earlier run would be counted with those of this one.
func makeDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "ringlog-walkforward-")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	there, err := os.ReadDir(dir)
	if err == nil && len(there) > 0 {
		err = fmt.Errorf("folder %s has %s in it: want a new or an empty one", dir, there[0].Name())
	}
	return dir, err
}
