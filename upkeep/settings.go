// Package upkeep does in the background what is to be done with files that were rotated:
// they are compressed, those that are not to be kept are removed, and a hook is told of
// each, in this order. Whoever writes logs never waits for any of it.
//
// A file whose hook is still to come is spared by the retention, and so the hook finds
// each file, even those of a burst of rotations: as long as no more than 1,000 of an output
// wait, and its hook does not fail.
//
// What fails is said once when it begins and once when it is over, for each output, and
// tried again at that output's next rotation, or within a minute. Outputs take turns: one
// with much to do, or with trouble, holds up others by no more than one file or one hook.
package upkeep

import (
	"time"

	"github.com/ringlog/ringlog/logfile"
)

// Settings are what is to be done with the rotated files of an output. The zero value is
// nothing.
type Settings struct {
	Keep        logfile.Retention
	Compression logfile.Compression
	Hook        Hook
}

// Hook is a program that is run for each file that was rotated, when it is compressed: one
// after the other, in the order of the rotations. It finds the file's path in
// RINGLOG_ROTATED, and that of the output in RINGLOG_OUTPUT; it has no standard input, and
// the last lines of its output are logged if it fails. If it fails or takes too long, it is
// run again for the same file later, before those that follow. A hook that is still to be
// run when the process dies is not made up for.
type Hook struct {
	Command []string // the program and its arguments, without a shell; empty: no hook
	// Timeout is how long it may take; default 30 s. Then its process group gets
	// SIGTERM, and SIGKILL two seconds later.
	Timeout time.Duration
}

// Stats counts what a Keeper did.
type Stats struct {
	Removed    uint64 // rotated files, because of Settings.Keep
	Compressed uint64
	Hooks      uint64 // that succeeded
	Failures   uint64 // attempts at any of this that failed
}
