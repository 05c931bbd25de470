package logfile

import "time"

// Retention says which rotated files of an output are kept: those for which all of it
// holds. Zero fields, and lesser ones, set no bound; the zero value keeps all.
type Retention struct {
	Count int           // so many
	Age   time.Duration // those that were rotated no longer ago than this
	Size  int64         // bytes of all that are kept, together; not even the newest is, if it alone has more
}
