// Package status says how a ring and its lanes are: what ringlog stat and ls show.
package status

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/ring"
)

// Ring is the state of a ring. The names of its members in JSON are stable. Sizes
// are in bytes.
type Ring struct {
	Path      string    `json:"path"`
	ID        string    `json:"id"` // 32 hexadecimal digits
	Created   time.Time `json:"created_at"`
	Size      uint64    `json:"size_bytes"`
	Allocated uint64    `json:"allocated_bytes"` // what the file takes of its file system
	LaneCount int       `json:"lane_count"`
	LaneSize  uint64    `json:"lane_size_bytes"`
	Retired   bool      `json:"retired"`
	Reader    Reader    `json:"reader"`
	Intent    string    `json:"intent"` // none, prepared, applied or damaged
	Levels              // minimum levels
	Lanes     []Lane    `json:"lanes"` // those that were ever used
	Now       time.Time `json:"now"`   // when this was read
}

// Reader is the state of a ring's reader: the one that runs, or the last one.
type Reader struct {
	Running     bool       `json:"running"`
	PID         int        `json:"pid"` // 0: there never was one
	Since       *time.Time `json:"started_at"`
	Heartbeat   *time.Time `json:"heartbeat_at"`
	Errors      uint64     `json:"errors"`
	LastError   string     `json:"last_error"`
	LastErrorAt *time.Time `json:"last_error_at"`
}

// Lane is the state of a lane and its last owner. Counts but Damaged and
// HighWater are this owner's.
type Lane struct {
	Lane      int             `json:"lane"`
	State     string          `json:"state"` // live, dead, closed, free, damaged or unknown
	Worker    string          `json:"worker"`
	PID       uint64          `json:"pid"`
	Attached  *time.Time      `json:"attached_at"`
	Backlog   uint64          `json:"backlog_bytes"`
	HighWater uint64          `json:"high_water_bytes"` // since the ring was made
	Delivered uint64          `json:"delivered"`
	Lost      map[string]Lost `json:"lost"` // by reason
	Unmarked  uint64          `json:"lost_unmarked"`
	Torn      uint64          `json:"torn"`
	Damaged   uint64          `json:"damaged"` // since the ring was made
	Trouble   string          `json:"trouble"` // what cannot be believed; empty: nothing
}

// Lost is a number of lost records on either side of WARNING.
type Lost struct {
	Below uint64 `json:"below_warning"`
	Above uint64 `json:"warning_and_above"`
}

// Read reads the state of the ring at path, without changing it. Errors: those of
// ring.Inspect.
func Read(path string) (*Ring, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	head := in.Ring()
	r := &Ring{
		Path: path, ID: hex.EncodeToString(head.ID[:]), Created: head.Created.UTC(),
		Size: head.FileSize, LaneCount: head.LaneCount, LaneSize: head.LaneSize,
		Retired: in.Retired(), Reader: readReader(in.Reader()), Intent: readIntent(in), Levels: readLevels(in),
		Lanes: []Lane{}, Now: time.Now().UTC(),
	}
	if st, err := os.Stat(path); err == nil {
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			r.Allocated = uint64(sys.Blocks) * 512
		}
	}
	for i := range head.LaneCount {
		if l := in.Entry(i); l.Generation() != 0 || l.State() != ring.LaneFree {
			r.Lanes = append(r.Lanes, readLane(l, in.Held(i), head.LaneSize))
		}
	}
	return r, nil
}

func readReader(s ring.ReaderStatus) Reader {
	return Reader{
		Running: s.Running, PID: s.PID, Since: at(s.Start), Heartbeat: at(s.Heartbeat),
		Errors: s.Errors, LastError: s.LastError, LastErrorAt: at(s.ErrorTime),
	}
}

// at is a time in UTC, or nil if there is none.
func at(ns int64) *time.Time {
	if ns == 0 {
		return nil
	}
	t := time.Unix(0, ns).UTC()
	return &t
}

func readIntent(in *ring.Inspector) string {
	switch i, err := in.Intent(); {
	case err != nil:
		return "damaged"
	case i.State == ring.IntentPrepared:
		return "prepared"
	case i.State == ring.IntentApplied:
		return "applied"
	}
	return "none"
}

func readLane(l *ring.Lane, held bool, size uint64) Lane {
	owner, known := l.Owner()
	p, believed := l.Progress()
	produced, _ := l.Produced()
	lost := l.Lost()
	s := Lane{
		Lane: l.Index, State: stateName(l.State(), held), Worker: owner.Label, PID: owner.PID, Attached: at(owner.Attached),
		HighWater: l.HighWater(), Delivered: since(p.Delivered, owner.BeginDelivered), Torn: since(p.Torn, owner.BeginTorn),
		Damaged: p.Damaged, Lost: map[string]Lost{}, Unmarked: since(lost.Total(), p.LostSeen),
	}
	mine := lost.Since(owner.BeginLost)
	for reason := range mine.Reasons {
		below, above := mine.Of(reason)
		s.Lost[strings.ReplaceAll(reason.String(), " ", "_")] = Lost{below, above}
	}
	var trouble []error
	if !known {
		trouble = append(trouble, errors.New("its owner's description is damaged"))
	}
	switch {
	case !believed:
		trouble = append(trouble, errors.New("the reader's words fail their checksum"))
	case produced < p.Consumer || produced-p.Consumer > size:
		trouble = append(trouble, fmt.Errorf("consumer position %d, producer position %d in a lane of %d bytes", p.Consumer, produced, size))
	case l.State() == ring.LaneOwned || l.State() == ring.LaneClosed:
		s.Backlog = produced - p.Consumer
	}
	if err := errors.Join(trouble...); err != nil {
		s.Trouble = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return s
}

// since is a difference of counters that a damaged ring may have the wrong way
// round.
func since(now, then uint64) uint64 { return now - min(now, then) }

func stateName(s ring.LaneState, held bool) string {
	switch s {
	case ring.LaneOwned:
		if held {
			return "live"
		}
		return "dead"
	case ring.LaneFree, ring.LaneClosed, ring.LaneDamaged:
		return s.String()
	}
	return "unknown"
}

// Undrained is what a drain would find in the ring, in bytes.
func (r *Ring) Undrained() (bytes uint64) {
	for _, l := range r.Lanes {
		bytes += l.Backlog
	}
	return bytes
}

// Unmarked is how many records were lost of which no log says so yet.
func (r *Ring) Unmarked() (records uint64) {
	for _, l := range r.Lanes {
		if l.open() && l.Trouble == "" {
			records += l.Unmarked
		}
	}
	return records
}

// Work is what a drain would have to do besides what is undrained, in a few words:
// "1 dead worker to report"; empty: nothing.
func (r *Ring) Work() string {
	var dead, doubtful uint64
	for _, l := range r.Lanes {
		switch {
		case !l.open():
		case l.Trouble != "" || l.State == "unknown":
			doubtful++
		case l.State == "dead":
			dead++
		}
	}
	var work []string
	if r.Intent != "none" {
		work = append(work, "a batch to settle")
	}
	if dead > 0 {
		work = append(work, cli.Count(dead, "dead worker")+" to report")
	}
	if lost := r.Unmarked(); lost > 0 {
		work = append(work, cli.Count(lost, "lost record")+" to report")
	}
	if doubtful > 0 {
		work = append(work, cli.Count(doubtful, "damaged lane")+" to salvage")
	}
	return strings.Join(work, ", ")
}

// open says whether a reader would look into the lane.
func (l *Lane) open() bool { return l.State != "free" && l.State != "damaged" }

// Live says whether a reader or a worker has the ring.
func (r *Ring) Live() bool {
	for _, l := range r.Lanes {
		if l.State == "live" {
			return true
		}
	}
	return r.Reader.Running
}
