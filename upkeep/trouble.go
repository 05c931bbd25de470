//go:build linux

package upkeep

import (
	"fmt"
	"time"
)

// trouble is something failing: said once when it begins, and once when it ends. Each
// output has its own of each kind, so that one that fails does not hide another.
type trouble struct {
	what, of, advice string

	err   error // nil while all is well; else what it began with
	since time.Time
	count int
}

// note counts a failed attempt. The first of a row is said.
func (k *Keeper) note(t *trouble, err error) {
	t.count++
	k.failures.Add(1)
	if t.err == nil {
		t.err, t.since = err, time.Now()
		k.log.Warn(fmt.Sprintf("%s trouble: %v; %s", t.what, err, t.advice))
	}
}

// over says that what failed has succeeded.
func (k *Keeper) over(t *trouble) {
	if t.err == nil {
		return
	}
	noun := "attempts"
	if t.count == 1 {
		noun = "attempt"
	}
	k.log.Warn(fmt.Sprintf("%s trouble is over after %v and %d %s: %s", t.what, time.Since(t.since).Round(time.Millisecond), t.count, noun, t.of))
	t.err, t.count = nil, 0
}
