package writer

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// RingVariable is the environment variable that names the ring for a process
// that was not told otherwise.
const RingVariable = "RINGLOG_RING"

// DefaultTimeout is the default of Options.Timeout.
const DefaultTimeout = time.Second

// Policy is what an append does when the lane is full.
type Policy uint8

// Policies.
const (
	PolicyBlock Policy = iota // wait up to Options.Timeout, then drop and count
	PolicyDrop                // drop and count at once
)

// Options shape a Writer. The zero value is the default.
type Options struct {
	// Label names the worker in the log; at most 112 bytes of UTF-8, the rest is
	// cut. Default: the base name of the program.
	Label string
	// Policy is what an append does when the lane is full. Default: PolicyBlock.
	Policy Policy
	// Timeout is how long appends wait for the reader to give room back, under
	// PolicyBlock. It is one for all goroutines and runs anew only when room was
	// given back: a dead reader costs a process one timeout in all, and later
	// records are lost at once. Default: 1 s.
	Timeout time.Duration
	// Level is the minimum level of what a NamedLogger or a Handler logs, where the
	// ring has no rule for the logger's name. A *slog.LevelVar can be changed at any
	// time. Append, Log and Write of the Writer itself look at no level. Default:
	// INFO.
	Level slog.Leveler
	// SingleProducer promises that no two goroutines log at the same time through the
	// Writer and its loggers; Close may come from any. On amd64 an append then costs a
	// quarter less. The price of a broken word is high: records are damaged, and the
	// process's lane may stand still until the process ends. The race detector finds
	// appends that are not ordered. Default: any number of goroutines.
	SingleProducer bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Label == "" && len(os.Args) > 0 {
		o.Label = filepath.Base(os.Args[0])
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Timeout < 0 {
		return o, fmt.Errorf("writer: timeout of %v: want a positive one, or 0 for %v", o.Timeout, DefaultTimeout)
	}
	if o.Policy > PolicyDrop {
		return o, fmt.Errorf("writer: unknown policy %d", o.Policy)
	}
	return o, nil
}
