package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

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
	fmt.Fprintf(s.out, "\nEverything lies in %s; remove that folder when you have seen enough.\n", s.dir)
	return nil
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
