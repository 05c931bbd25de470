//go:build linux

package logfile

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrLocked is what a [LockedError] unwraps to.
	ErrLocked = errors.New("logfile: output is in use")

	// ErrNotRegular is returned by [Open] for a directory, pipe, terminal,
	// socket or device: these can be neither locked, rolled back nor rotated. And by
	// [Compress], where the archive would be.
	ErrNotRegular = errors.New("logfile: not a regular file")

	// ErrRaced is returned by [Open], [File.Rotate], [Rollback] and [Compress] when
	// the path was replaced again and again between being opened and being locked.
	// Trying later is all a caller can do.
	ErrRaced = errors.New("logfile: path keeps being replaced")

	// ErrRemoved: the file has no name left, so what was written is gone. Close
	// it, Open the path again (which makes a new file), and write the whole
	// batch there under a new intent.
	ErrRemoved = errors.New("logfile: output was removed")

	// ErrTruncated: the file is shorter than the caller's own writes made it, so
	// nobody knows which of the batch's bytes are left. Take Size as the new
	// start, call EndPartialLine, and write the whole batch again under a new
	// intent: lines may then appear twice, but none is lost.
	ErrTruncated = errors.New("logfile: output was truncated by somebody else")

	// ErrGrown: the file is longer than the caller's own writes made it, because
	// somebody who ignores locks wrote to it. From Check, after writes that
	// reported no error, the batch is in the file, possibly with foreign bytes
	// among it: it may be taken as written, and said. From Write, how much of p
	// is in the file is unknown: go on as after ErrTruncated.
	ErrGrown = errors.New("logfile: output was written to by somebody else")

	// ErrChanged is returned by [Compress] if somebody wrote to the file, or put another
	// one in its place, meanwhile.
	ErrChanged = errors.New("logfile: file was changed by somebody else")

	// ErrMoved: the path now names another file or none, but ours has the size
	// that was asked for and still has a name somewhere (a foreign logrotate
	// renamed it). What was written is whole there: take it as written, then
	// Close, and Open the path again for the next batch.
	ErrMoved = errors.New("logfile: output was moved")

	// ErrNotRotated is returned by [Compress] and [PruneUpTo] for a path that has not
	// exactly the form of a rotated file's: the output itself is none.
	ErrNotRotated = errors.New("logfile: not the name of a rotated file")

	// ErrPending is returned by [Rollback] for a [Pending] that contradicts
	// itself; no file was opened.
	ErrPending = errors.New("logfile: pending write contradicts itself")
)

// LockedError says that another open file description, in this process or in
// another one, holds the lock of an output. errors.Is(err, ErrLocked) holds.
//
// A holder that is killed while it starts a child leaves the lock to that child
// until its exec, a few ms later: with no PIDs, asking once more is worth it.
type LockedError struct {
	Path string // absolute
	PIDs []int  // who holds it, as our pid namespace has it; empty: unknown, or gone by now
}

func (e *LockedError) Error() string {
	who := "an unknown process"
	if len(e.PIDs) > 0 {
		who = "pid " + strings.Trim(fmt.Sprint(e.PIDs), "[]")
	}
	return fmt.Sprintf("%v: %s is held by %s", ErrLocked, e.Path, who)
}

func (e *LockedError) Unwrap() error { return ErrLocked }
