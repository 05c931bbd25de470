package writer

import "time"

// stall is the deadline of a lane that stays full (W7). It belongs to a consumer
// position: while the reader stays there, all appends have the one deadline, so
// that a dead reader costs a process one timeout and not one a record; when the
// position moves, the next append that finds the lane full begins a new stall.
//
//	position   100 ───────────────────────────────── 900 ────────
//	append A   full, waits … deadline: lost
//	append B          full, waits … lost with A
//	append C                           full, lost
//	append D                                         full, waits …
//
// The zero value is no stall. The caller serialises the calls.
type stall struct {
	position uint64    // of the consumer when the lane was found full
	deadline time.Time // zero: no stall yet
	cause    reason    // why records are lost after the deadline
	known    bool      // cause was found out
}

// left is how long to wait for room in a lane found full with its consumer at
// position. Nothing or less means that the record is lost.
func (s *stall) left(position uint64, now time.Time, timeout time.Duration) time.Duration {
	if s.deadline.IsZero() || position != s.position {
		*s = stall{position: position, deadline: now.Add(timeout)}
	}
	return s.deadline.Sub(now)
}

// reason is why the record is lost. Whether a reader runs takes a system call to
// know, and is asked once a stall.
func (s *stall) reason(readerRunning func() bool) reason {
	if !s.known {
		s.known, s.cause = true, reasonNoReader
		if readerRunning() {
			s.cause = reasonTimeout
		}
	}
	return s.cause
}
