// Package result is one run of the benchmark, as it is saved: every sample, with what
// is needed to judge them.
package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ringlog/ringlog/bench/internal/host"
	"github.com/ringlog/ringlog/bench/internal/stats"
)

// Report is one run.
type Report struct {
	Version  int            `json:"version"`
	Started  time.Time      `json:"started"`
	Took     time.Duration  `json:"took_ns"`
	Host     host.Host      `json:"host"`
	Noise    host.Noise     `json:"noise"`
	Settings Settings       `json:"settings"`
	Series   []Series       `json:"series"`
	Spreads  []Distribution `json:"distributions,omitempty"`
	Skipped  []Skip         `json:"skipped,omitempty"`
	Peers    []Peer         `json:"peers,omitempty"`
	Python   string         `json:"python,omitempty"` // what the Python benchmark printed
	// Clock is the floor under a timestamp of the ring: the name of a line of costs.
	Clock string `json:"clock"`
}

// version is that of the saved form. Another one is another benchmark's, whose figures
// mean other things.
const version = 2

// Settings are what was asked for.
type Settings struct {
	Parts  []string      `json:"parts"`
	Rounds int           `json:"rounds"`
	Time   time.Duration `json:"time_ns"` // measured time of one line in one round
	Rate   float64       `json:"rate"`    // calls a second
	Sizes  []int         `json:"sizes"`   // bytes
	Corpus string        `json:"corpus,omitempty"`
	Memory string        `json:"memory"` // where files in memory lie, and on which file system
	Disk   string        `json:"disk"`
}

// Unit says what samples count, and which way is better.
type Unit string

// Units.
const (
	Nanoseconds Unit = "ns"        // for one call, of one process
	PerSecond   Unit = "records/s" // of all processes
	Megabytes   Unit = "MB/s"
	Share       Unit = "% of a core"
	Mebibytes   Unit = "MiB"
	Count       Unit = "allocs" // for one call
	Lost        Unit = "lost"   // records in a round
)

// MoreIsBetter holds for rates.
func (u Unit) MoreIsBetter() bool { return u == PerSecond || u == Megabytes }

// Series is one figure that was measured once a round.
type Series struct {
	Part    string    `json:"part"`            // "costs"
	Line    string    `json:"line"`            // "append 100 B"
	Metric  string    `json:"metric"`          // "call", "p99.9"
	X       float64   `json:"x,omitempty"`     // of a curve: workers, bytes, lanes, calls a second
	Group   string    `json:"group,omitempty"` // of lines that belong together: "peers"
	Unit    Unit      `json:"unit"`            //
	Samples []float64 `json:"samples"`         // one a round
}

// Key is what two runs have in common of one figure.
func (s *Series) Key() string {
	return fmt.Sprintf("%s\x00%s\x00%s\x00%g", s.Part, s.Line, s.Metric, s.X)
}

// Summary says how its rounds are spread.
func (s *Series) Summary() stats.Summary { return stats.Summarize(s.Samples) }

// Distribution is what the calls of one line took, those of all rounds together.
type Distribution struct {
	Line   string     `json:"line"`
	Rate   float64    `json:"rate"`   // calls a second that were due; 0: as fast as it went
	Values [][2]int64 `json:"values"` // ns, and how many calls took that long; ascending
}

// Skip is a line that could not be measured, or must not be.
type Skip struct {
	Part, Line, Why string
}

// Peer is one of those compared.
type Peer struct{ Name, Language, Setting string }

// Find returns the series of a line, nil if there is none.
func (r *Report) Find(part, line, metric string, x float64) *Series {
	want := (&Series{Part: part, Line: line, Metric: metric, X: x}).Key()
	for i := range r.Series {
		if r.Series[i].Key() == want {
			return &r.Series[i]
		}
	}
	return nil
}

// Add puts a sample to its series, which it makes if there is none.
func (r *Report) Add(s Series, sample float64) {
	if known := r.Find(s.Part, s.Line, s.Metric, s.X); known != nil {
		known.Samples = append(known.Samples, sample)
		return
	}
	s.Samples = []float64{sample}
	r.Series = append(r.Series, s)
}

// Of returns the series of a part, in the order in which they were measured.
func (r *Report) Of(part string) []*Series {
	var found []*Series
	for i := range r.Series {
		if r.Series[i].Part == part {
			found = append(found, &r.Series[i])
		}
	}
	return found
}

// Save writes r to the file at path.
func (r *Report) Save(path string) error {
	r.Version = version
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// Load reads what Save wrote. Errors name the file, and say what to do.
func Load(path string) (*Report, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file; save a run with --json %s", path, path)
	} else if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: not a saved run: %w", path, err)
	}
	if r.Version != version {
		return nil, fmt.Errorf("%s: saved by version %d of this benchmark, want %d; measure again", path, r.Version, version)
	}
	for _, s := range r.Series {
		if len(s.Samples) == 0 {
			return nil, fmt.Errorf("%s: %s, %s has no samples; the file is damaged", path, s.Part, s.Line)
		}
	}
	return &r, nil
}
