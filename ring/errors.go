package ring

import (
	"errors"
	"fmt"
)

// Sentinels for what callers branch on. Every error that wraps one of them also
// names the file and says what to do.
var (
	// ErrNotRing: the file is not a ring (another magic, a directory, too short).
	ErrNotRing = errors.New("ring: not a ring file")
	// ErrVersion: the ring was made by a release with another format version.
	ErrVersion = errors.New("ring: other format version")
	// ErrUnsupported: the ring needs a feature this release does not have.
	ErrUnsupported = errors.New("ring: unsupported feature")
	// ErrTruncated: the file is shorter than its header says.
	ErrTruncated = errors.New("ring: truncated file")
	// ErrExists: Create found a file of that name.
	ErrExists = errors.New("ring: file exists")
	// ErrNoSpace: the file system has no room for what was to be allocated.
	ErrNoSpace = errors.New("ring: no space")
	// ErrNetworkFS: the ring would lie on a network file system, where mapped
	// memory is not shared between hosts and locks may not be seen.
	ErrNetworkFS = errors.New("ring: network file system")
	// ErrNoFreeLane: every lane has an owner or something undrained.
	ErrNoFreeLane = errors.New("ring: no free lane")
	// ErrRetired: the ring is being removed; nobody may attach.
	ErrRetired = errors.New("ring: retired")
	// ErrReaderRunning: another reader holds the ring.
	ErrReaderRunning = errors.New("ring: reader running")
	// ErrNoReader: nobody drains the ring.
	ErrNoReader = errors.New("ring: no reader")
	// ErrInvalid: an option or argument is out of its range.
	ErrInvalid = errors.New("ring: invalid argument")

	// ErrFull: the lane has no room for the record now.
	ErrFull = errors.New("ring: lane full")
	// ErrTooLarge: the record is larger than an eighth of the lane.
	ErrTooLarge = errors.New("ring: record too large")
	// ErrClosed: the producer was closed.
	ErrClosed = errors.New("ring: closed")
	// ErrConcurrent: two goroutines use a Producer at once that is for one.
	ErrConcurrent = errors.New("ring: two goroutines append at once to a lane for a single producer")
	// ErrBusy: somebody does not get done. Close gave up waiting for appends still
	// under way; the lane stays safely owned until the process ends. Or SetLevels
	// gave up waiting for another process that changes the level rules.
	ErrBusy = errors.New("ring: busy")
)

// NoLane in a DamageError means that the damage is not in a lane.
const NoLane = -1

// DamageError says that bytes of a ring file are not what a writer of that file
// can have left there.
type DamageError struct {
	Path     string
	Lane     int    // index, or NoLane
	Position uint64 // in the lane, bytes since it was made; 0 where it has no meaning
	Cause    string
}

func (e *DamageError) Error() string {
	if e.Lane == NoLane {
		return fmt.Sprintf("ring: damaged: %s: %s", e.Path, e.Cause)
	}
	return fmt.Sprintf("ring: damaged: %s: lane %d, position %d: %s", e.Path, e.Lane, e.Position, e.Cause)
}

// ReaderRunningError says who holds the ring; errors.Is(err, ErrReaderRunning).
type ReaderRunningError struct {
	Path string
	PID  int // as the running reader stored it; for display only
}

func (e *ReaderRunningError) Error() string {
	return fmt.Sprintf("%v: %s is drained by process %d; stop that one first, or use its output", ErrReaderRunning, e.Path, e.PID)
}

func (e *ReaderRunningError) Unwrap() error { return ErrReaderRunning }
