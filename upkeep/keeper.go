//go:build linux

package upkeep

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

const (
	// lookEvery is how often files that have grown too old are looked for, and what failed
	// is tried again.
	lookEvery = time.Minute
	// maxWaiting is how many rotated files of an output may wait for their hook.
	maxWaiting = 1000
)

// Keeper looks after the rotated files of any number of outputs, in one goroutine, which
// ends with Close. Its methods may be called at any time, by any number of goroutines.
type Keeper struct {
	log   *slog.Logger
	grace time.Duration // killAfter, but in tests

	removed, compressed, hooks, failures atomic.Uint64

	// ctx ends when what is not finished is to be given up.
	ctx    context.Context
	giveUp context.CancelFunc

	wake    chan struct{} // there is something new for the goroutine
	stopped chan struct{} // it has ended

	mu      sync.Mutex
	outputs map[string]*output // by path: those that have, or may come to have, something to do
	due     []*output          // those that have something to do now; each once
	running bool               // the goroutine was started
	closing bool
}

// New returns a Keeper that says to log what goes wrong. It has no goroutine before
// something is asked of it.
func New(log *slog.Logger) *Keeper {
	k := &Keeper{
		log: log, grace: killAfter, outputs: map[string]*output{},
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	k.ctx, k.giveUp = context.WithCancel(context.Background())
	return k
}

// Opened says that the output at path was opened, which is absolute, as from File.Path.
// What an earlier process left is tidied up: its rotated files are compressed and pruned.
// There are no hooks for these. It does not wait for anything.
func (k *Keeper) Opened(path string, s Settings) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing {
		return
	}
	o := k.known(path)
	o.settings, o.untidy = s, true
	o.newest = max(o.newest, logfile.BackupName(path, time.Now()))
	k.ask(o)
}

// Rotated says that File.Rotate set a file of the output at path aside, and returned
// backup. It does not wait for anything.
func (k *Keeper) Rotated(path, backup string, s Settings) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing || s.nothing() && k.outputs[path] == nil {
		return
	}
	o := k.known(path)
	o.settings, o.newest = s, max(o.newest, backup)
	if len(s.Hook.Command) > 0 {
		if len(o.waiting) == maxWaiting {
			o.waiting = slices.Delete(o.waiting, 0, 1)
			o.leftOut++
		}
		o.waiting = append(o.waiting, rotation{backup, s.Hook})
	}
	k.ask(o)
}

func (s *Settings) nothing() bool {
	return s.Keep == logfile.Retention{} && s.Compression == logfile.None && len(s.Hook.Command) == 0
}

// Stats returns what was counted so far.
func (k *Keeper) Stats() Stats {
	return Stats{
		Removed: k.removed.Load(), Compressed: k.compressed.Load(),
		Hooks: k.hooks.Load(), Failures: k.failures.Load(),
	}
}

// Close finishes what was asked for, hooks too, and ends the goroutine. What fails is not
// tried again. Nothing is taken on after it was called.
func (k *Keeper) Close() { _ = k.Shutdown(context.Background()) }

// Shutdown is a Close that gives up when ctx ends: the file that is being compressed stays
// as it is, and a hook is told to end. The error is that of ctx then. It returns when the
// goroutine has ended, a few seconds later at most.
func (k *Keeper) Shutdown(ctx context.Context) error {
	k.mu.Lock()
	k.closing = true
	running := k.running
	k.mu.Unlock()
	if !running {
		return nil
	}
	k.signal()
	select {
	case <-k.stopped:
		return nil
	case <-ctx.Done():
		k.giveUp()
		<-k.stopped
		return ctx.Err()
	}
}

// known is the output of that path. It is to be called under the lock.
func (k *Keeper) known(path string) *output {
	o := k.outputs[path]
	if o == nil {
		o = newOutput(path)
		k.outputs[path] = o
	}
	return o
}

// ask says that the output is to be looked at anew. It is to be called under the lock.
func (k *Keeper) ask(o *output) {
	o.asked = true
	if !o.due {
		o.due = true
		k.due = append(k.due, o)
	}
	if !k.running {
		k.running = true
		go k.run()
	}
	k.signal()
}

func (k *Keeper) signal() {
	select {
	case k.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// run is the goroutine. The outputs take turns, so that one that has much to do does not
// hold up the others.
func (k *Keeper) run() {
	defer close(k.stopped)
	defer k.giveUp()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for k.ctx.Err() == nil {
		o, last := k.next()
		if last {
			break
		}
		if o != nil {
			k.turn(o)
			k.signal() // there may be more
		}
		select {
		case <-tick.C:
			k.look(time.Now())
		case <-k.wake:
		case <-k.ctx.Done():
		}
	}
	k.farewell()
}

// next takes the output whose turn it is. Last says that there is none, and that none will
// come.
func (k *Keeper) next() (o *output, last bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.due) == 0 {
		return nil, k.closing
	}
	o = k.due[0]
	k.due[0] = nil
	k.due = k.due[1:]
	o.due = false
	return o, false
}

// look asks for the outputs of which something failed, or has grown too old by now.
func (k *Keeper) look(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range k.outputs {
		if o.again() || !o.oldAt.IsZero() && now.After(o.oldAt) {
			k.ask(o)
		}
	}
}

// farewell says which rotated files did not get their hook.
func (k *Keeper) farewell() {
	k.mu.Lock()
	outputs := k.outputs // which nobody changes any more
	k.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(outputs)) {
		if left := outputs[path].waiting; len(left) > 0 {
			k.log.Warn(fmt.Sprintf("the hook was not run for the last %d rotated files of %s, from %s on", len(left), path, left[0].backup))
		}
	}
}
