// Package parts has what is measured: for each part of a run its lines.
package parts

import (
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/golog"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
)

// The parts of a run.
const (
	Costs   = "costs"
	Intent  = "intent"
	Latency = "latency"
	Workers = "workers"
	Drain   = "drain"
	Sizes   = "sizes"
	Lanes   = "lanes"
	Reader  = "reader"
)

// Metrics.
const (
	Call      = "call"      // ns that one call takes
	Allocs    = "allocs"    // allocations of one call
	Rate      = "rate"      // records a second until they are in the files
	Bytes     = "bytes"     // MB a second of the files
	LostCount = "lost"      // records that are not in the files
	Processor = "processor" // ns of the reader's processor time for one record
	Memory    = "memory"    // the reader's own, in MiB
)

// Options are what lines depend on.
type Options struct {
	Rate   float64     // calls a second of one process
	Sizes  []int       // bytes of records
	Corpus string      // payloads are lines of this file; empty: none
	Native []peer.Peer // those that are not in Go
	Smoke  bool        // everything for a moment
}

// All returns all parts.
func All(o Options) []rounds.Part {
	return []rounds.Part{
		{Name: Costs, Share: 1, Warm: true, Lines: costs(o)},
		{Name: Intent, Share: 1, Lines: intents(o)},
		{Name: Latency, Share: 0.5, Lines: latencies(o)},
		{Name: Workers, Share: 0.5, Lines: workers(o)},
		{Name: Drain, Share: 0.5, Lines: drains(o)},
		{Name: Sizes, Share: 0.3, Lines: sizes(o)},
		{Name: Lanes, Share: 0.5, Lines: lanes(o)},
		{Name: Reader, Share: 0.1, Lines: readers(o)},
	}
}

// Peers are all that ringlog is compared with.
func Peers(o Options) []peer.Peer {
	var all []peer.Peer
	for _, k := range golog.All {
		all = append(all, golog.Peer{Kind: k, Corpus: o.Corpus})
	}
	return append(all, o.Native...)
}

// every is the time between two calls at a rate; 0 for 0.
func every(rate float64) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / rate)
}

// Roles are what this program can be, besides what it is.
func Roles() []role.Role { return slices.Concat(rig.Roles, golog.Roles) }

// Clock is the name of the line that measures the clock of timestamps in a ring. Dir is
// for a moment's ring.
func Clock(dir string) (string, error) {
	lane, err := rig.OpenLane(dir, ring.MinLaneSize, false)
	if err != nil {
		return "", err
	}
	clock := FloorSince
	if lane.ByCounter() {
		clock = FloorCounter
	}
	return clock, lane.Close()
}
