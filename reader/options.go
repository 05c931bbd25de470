package reader

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/schedule"
	"github.com/ringlog/ringlog/selector"
	"github.com/ringlog/ringlog/upkeep"
)

// Until says when Run ends by itself.
type Until int

const (
	// UntilStopped: when its context ends.
	UntilStopped Until = iota
	// UntilEmpty: when everything that was in the ring at its start is drained.
	UntilEmpty
	// UntilDetached: when no lane has an owner any more and everything is drained.
	// In a ring that is empty and idle it waits for the first owner.
	UntilDetached
)

// Sync says when the reader has outputs and ring written to disk (D6). The death of
// processes costs nothing under any of them; this is about the machine's. Pipes and
// terminals are never synced, and a ring in memory is gone with the power.
type Sync int

const (
	// SyncNone: never. The system does it when it likes, and a power loss costs what it
	// had not written yet.
	SyncNone Sync = iota
	// SyncInterval: between two batches, once in Options.SyncEvery, and at the end. A
	// power loss costs no line that was in its file when the last sync began.
	SyncInterval
	// SyncBatch: in each batch, before its records leave the ring. A power loss costs no
	// record that was accepted before the last sync of the ring began, and none that was
	// published; some lines may be there twice. It takes two waits for the disk a batch.
	SyncBatch
)

var syncNames = [...]string{SyncNone: "none", SyncInterval: "interval", SyncBatch: "batch"}

// String is none, interval or batch.
func (s Sync) String() string {
	if s < 0 || int(s) >= len(syncNames) {
		return fmt.Sprintf("Sync(%d)", int(s))
	}
	return syncNames[s]
}

// ParseSync is the Sync of that name.
func ParseSync(name string) (Sync, error) {
	i := slices.Index(syncNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("reader: unknown sync policy %q; want none, interval or batch", name)
	}
	return Sync(i), nil
}

// Options of a Reader. The zero value is the default, but for Outputs.
type Options struct {
	// Outputs are where lines go: each record to every output that wants it, by its
	// logger, its level and its attributes. At least one, at most 64; no two the same
	// path.
	Outputs []Output
	// MaxOpenFiles is how many files of outputs whose path has fields are open at once;
	// the one that was not written to for the longest time is closed for another, and
	// each after a second without a record. Default 256; at most MaxOpen.
	MaxOpenFiles int
	// Until says when Run ends; default: when its context does.
	Until Until
	// Location is the zone of times in text lines, and of rotation by the clock;
	// default: local time.
	Location *time.Location
	// Grace is how long a record may wait for earlier ones of other lanes;
	// default 1 ms. Where no other lane can have an earlier one it waits a tenth of that, and
	// lanes that are half full do not wait.
	Grace time.Duration
	// Sync says what survives a power loss; default SyncNone.
	Sync Sync
	// SyncEvery is the time between two syncs of SyncInterval; default 1 s.
	SyncEvery time.Duration
	// Alive, if not nil, is called by the draining goroutine about once a second as long
	// as it does not hang: what feeds a watchdog. It must return soon.
	Alive func() `json:"-"`
	// Log gets what the reader has to say about outputs and damage; default:
	// slog.Default(). It must not end in this ring.
	Log *slog.Logger
}

// Output is one place that lines go to, or as many files as its path has values.
type Output struct {
	// Path of a regular file, which is made if there is none; or of a pipe,
	// terminal or device; or "-" for standard output, "stderr" for standard error. Only
	// regular files get each record exactly once, rotate, and are excluded from use by
	// others. A path with fields, as in logs/{study}/{trial}.log, is a file for each of
	// their values; see package pathtemplate. Such an output gets the records that have
	// all of its fields.
	Path string
	// Level is the lowest level that goes here; nil: all.
	Level slog.Leveler
	// Loggers are the names of the loggers whose records, and those of the loggers
	// below them ("trades" and "trades.fx"), go here; empty: all. "root" is the root
	// logger, whose name is empty.
	Loggers []string
	// Attrs are attributes that a record must have to go here, every one of them;
	// empty: it need have none.
	Attrs []AttrMatch
	// Format is how lines look; the zero value is text as Python's logging has it.
	// Its Location is that of Options where it is nil.
	Format format.Options
	// Rotation says when the file is set aside for a new one; the zero value: never,
	// but for Reader.Rotate.
	Rotation Rotation
	// Rotated says what is done with files that were set aside: in the background,
	// and never with one that is written.
	Rotated upkeep.Settings
}

// Rotation says when a file is rotated: as soon as one of these holds. An empty file
// never is.
type Rotation struct {
	// Size in bytes; 0: any. A file may exceed it by as much as a batch's last record.
	Size int64
	// Clock says at which times; the zero value: none. Records that were logged before
	// such a time are in the file that is set aside, but for those that came late.
	Clock schedule.Schedule
}

// AttrMatch is the key of an attribute outside of all groups and the text of its
// value, as text lines show it, but for quotes and escapes: {"trial", "17"}.
type AttrMatch = selector.Attr

// Stats counts what a Reader did since it was opened.
type Stats struct {
	Records   uint64 // taken out of the ring
	Unrouted  uint64 // of these, those that no output wanted
	Lost      uint64 // by policy, as their markers say
	Torn      uint64 // gaps left by owners that died in mid-append
	Damaged   uint64 // gaps of damaged bytes
	Workers   uint64 // owners whose records were met
	Vanished  uint64 // owners that ended without closing their lane
	Batches   uint64
	Rotations uint64
	Removed   uint64 // rotated files that Output.Rotated left no place for
	Moved     uint64 // outputs that somebody else renamed
	Syncs     uint64 // times at which outputs and ring were all on disk
	Retries   uint64 // attempts at outputs, rotations and syncs that failed

	// Waiting is when the oldest record was logged that a lane has and the outputs have
	// not, in Unix nanoseconds; 0: there is none. Now less this is how far they lag.
	Waiting int64
}

// OutputStats counts what one of Options.Outputs got since it was opened, all of its
// files together.
type OutputStats struct {
	Path      string // as it was given
	Records   uint64 // with the reader's own lines
	Bytes     uint64
	Rotations uint64
	Failures  uint64 // attempts that failed
	Open      int    // files that are open now
}
