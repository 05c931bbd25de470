package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// source is a log to be replayed: by one worker, through the logger of its name.
type source struct {
	logger string
	lines  []string
}

// line is the nth line of an endless replay, from 1. The worker that logs it and
// the judge that looks for it in the files agree on its bytes by this alone.
func (s *source) line(n int) string { return s.lines[(n-1)%len(s.lines)] }

// longest is what fits the small lanes of this demonstration, in bytes; a ring
// takes records of up to an eighth of a lane.
const longest = 4 << 10

// loadSources reads the *.log files in dir, or makes up some where dir is empty.
func loadSources(dir string) ([]source, error) {
	if dir == "" {
		return []source{invent("app"), invent("orders"), invent("trades"), invent("optimiser")}, nil
	}
	if st, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("no folder of logs: %w", err)
	} else if !st.IsDir() {
		return nil, fmt.Errorf("%s is no folder", dir)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		s := source{logger: strings.TrimSuffix(filepath.Base(path), ".log")}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSuffix(line, "\n"); len(line) <= longest {
				s.lines = append(s.lines, line)
			}
		}
		if len(s.lines) > 0 {
			sources = append(sources, s)
		}
	}
	if len(sources) < 2 {
		return nil, fmt.Errorf("%s has %d files *.log with lines of at most %d bytes: want at least 2", dir, len(sources), longest)
	}
	return sources, nil
}

// invent makes 2,000 lines, the same for the same name each time.
func invent(logger string) source {
	seed := uint64(len(logger))
	for _, c := range logger {
		seed = seed*31 + uint64(c)
	}
	r := rand.New(rand.NewPCG(seed, 1871))
	s := source{logger: logger}
	for i := range 2000 {
		text := fmt.Sprintf("trial %d: sharpe %.4f, drawdown %.2f %%, %d fills in %d ms", i, r.NormFloat64(), 40*r.Float64(), r.IntN(500), r.IntN(90_000))
		switch r.IntN(20) {
		case 0:
			text += "\r" // as a file with CRLF has it
		case 1:
			text += strings.Repeat(" ·", r.IntN(longest/8))
		case 2:
			text += "\tΔ\xff" // not UTF-8
		case 3:
			text = ""
		}
		s.lines = append(s.lines, text)
	}
	return s
}
