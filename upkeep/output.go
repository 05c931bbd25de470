//go:build linux

package upkeep

import "time"

// output is what is known of an output.
type output struct {
	path string

	// Under the Keeper's lock.
	settings Settings
	due      bool       // it is among those that are due
	asked    bool       // there was a rotation, or an opening, or a look, since its round began
	untidy   bool       // an earlier process may have left something
	newest   string     // the last file that is known to be rotated, or could be
	waiting  []rotation // whose hook is still to be run, oldest first
	leftOut  int        // how many had to make room since its round began

	// Of the goroutine alone.
	round     *round    // the one that it is in; nil between two
	oldAt     time.Time // when its oldest rotated file will be too old; zero: never
	packing   trouble
	pruning   trouble
	informing trouble // with the hook
	crowding  trouble // with too many that wait for it
}

// rotation is a file that waits for its hook.
type rotation struct {
	backup string
	hook   Hook
}

func newOutput(path string) *output {
	return &output{
		path:      path,
		packing:   trouble{what: "compression", of: path, advice: "rotated files stay as they are until it is over"},
		pruning:   trouble{what: "pruning", of: path, advice: "rotated files stay until it is over"},
		informing: trouble{what: "hook", of: path, advice: "it is run again after the next rotation, or in a minute"},
		crowding:  trouble{what: "hook backlog", of: path, advice: "the oldest do without"},
	}
}

// stuck says that the first file that waits for its hook may do so for long.
func (o *output) stuck() bool { return o.packing.err != nil || o.informing.err != nil }

// again says that something is to be tried again.
func (o *output) again() bool { return o.stuck() || o.pruning.err != nil }

// idle says that nothing is to be done, and nothing to come but what is asked for. It is to
// be called under the lock.
func (o *output) idle() bool {
	return !o.due && !o.again() && o.oldAt.IsZero() && len(o.waiting) == 0
}
