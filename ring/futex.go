package ring

import (
	"math"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Values of the futex words. docs/format.md says who stores which, and when.
const (
	futexAwake   = 0 // reader's word: it is not asleep; lane's word: nobody waits
	futexAsleep  = 1 // reader's word: it sleeps; who sets it back to 0 wakes it
	futexWaiting = 1 // lane's word: a writer waits for room
)

// FUTEX_WAIT and FUTEX_WAKE, without FUTEX_PRIVATE_FLAG since the words are
// shared between processes.
const (
	opWait = 0
	opWake = 1
)

// futexWait sleeps while w's low half is value, until woken or until timeout.
// It may return at any time; callers look at the state again.
func futexWait(w *word, value uint32, timeout time.Duration) {
	if timeout <= 0 {
		return
	}
	ts := unix.NsecToTimespec(int64(timeout))
	w.futex(opWait, uintptr(value), &ts)
}

// futexWake wakes everybody who sleeps on w.
func futexWake(w *word) { w.futex(opWake, math.MaxInt32, nil) }

// wakeReader wakes a reader that said it sleeps. Whoever sets the word back
// makes the call, so that one sleep costs all writers together one call (D9).
func wakeReader(w *word) {
	if w.cas(failpoint.WakeReader, futexAsleep, futexAwake) {
		futexWake(w)
	}
}
