package writer

import "errors"

// What Open may fail with, for callers that branch. The error that Open returns
// wraps one of these, fs.ErrNotExist or fs.ErrPermission, or is of a kind that no
// program can answer (damage, truncation); its text names the file and says what
// to do.
var (
	// ErrNoRing: no path was given, and RINGLOG_RING is not set.
	ErrNoRing = errors.New("writer: no ring named")
	// ErrNotRing: the file is something else.
	ErrNotRing = errors.New("writer: not a ring file")
	// ErrVersion: the ring was made by a release with another format.
	ErrVersion = errors.New("writer: other format version")
	// ErrNoFreeLane: as many processes are attached as the ring has lanes, or
	// what the former ones wrote is not drained yet.
	ErrNoFreeLane = errors.New("writer: no free lane")
	// ErrNoSpace: the file system has no room for this process's lane.
	ErrNoSpace = errors.New("writer: no space")
	// ErrNetworkFS: the ring lies on a network file system.
	ErrNetworkFS = errors.New("writer: network file system")
	// ErrRetired: the ring is being removed.
	ErrRetired = errors.New("writer: ring retired")
)

// What an append may fail with. These are returned as they are, without an
// allocation. All but ErrClosed were counted as lost when they are returned.
var (
	// ErrFull: the lane is full, and the policy is to drop.
	ErrFull = errors.New("writer: record lost: lane full")
	// ErrTimeout: the lane is full, and the reader gave no room back for as long
	// as Options.Timeout says.
	ErrTimeout = errors.New("writer: record lost: lane full until the timeout")
	// ErrNoReader: as ErrTimeout, and no reader was running at the deadline.
	ErrNoReader = errors.New("writer: record lost: lane full and no reader running")
	// ErrTooLarge: the record is larger than an eighth of the lane, its header
	// of 32 bytes included.
	ErrTooLarge = errors.New("writer: record lost: larger than an eighth of the lane")
	// ErrAborted: the record.Entry changed while it was being encoded.
	ErrAborted = errors.New("writer: record lost: it changed while it was written")
	// ErrConcurrent: another goroutine was in the middle of an append, although
	// Options.SingleProducer promised that there is one at a time.
	ErrConcurrent = errors.New("writer: record lost: two goroutines at once use a writer that was opened for one")
	// ErrClosed: the writer is closed. The record is not counted, since the lane
	// may be another process's by now.
	ErrClosed = errors.New("writer: closed")
)
