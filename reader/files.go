//go:build linux

package reader

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

// A batch is one transaction over all files that it touches, and its intent has room for
// so many of them (D2). Outputs whose path is fixed always have their place in it; those
// whose path has fields join a batch with their first line, and a batch that has no
// room for another one ends. Files that are in no batch can be closed at any time, so as
// many as Options allow are open, and of them the one that was used least recently is
// closed for the next.

const _ = uint(ring.MaxOutputs - maxOutputs) // does not compile if an intent has less room

// join has o take part in the batch at hand. It is false if there is no room for it.
func (r *Reader) join(o *output) bool {
	o.used, o.usedAt = r.tick, r.began
	if o.joined {
		return true
	}
	cost := r.intentCost(o)
	if r.joined == maxOutputs || r.cost+cost > r.consumer.IntentRoom() {
		return false
	}
	o.joined = true
	r.joined++
	r.cost += cost
	if err := r.beginOutput(o); err != nil {
		o.stale = true // and what is wrong is said when it is opened again
	}
	return true
}

// intentCost is what a file takes of the intent at most. A batch is full before its
// last record, which takes an eighth of a lane at most, and not eight times as much as
// a line.
func (r *Reader) intentCost(o *output) uint64 {
	path := min(len(o.path)+pathSlack, unix.PathMax) // where links lead is not known yet
	if o.file != nil {
		path = len(o.file.Path())
	}
	return ring.OutputCost(path, maxBatch+int64(r.consumer.Ring().LaneSize))
}

// pathSlack is for what a path that is not known, or not opened, may have in bytes
// beyond what is known of it.
const pathSlack = 1024

// openFor opens the file at path for rt, whose path has fields. It is nil if all files
// that may be open are part of the batch. One that cannot be opened is stale, and is
// opened before the batch is prepared.
func (r *Reader) openFor(rt *route, path string) *output {
	if !r.makeRoom() {
		return nil
	}
	name := path
	var err error
	if around := sidestep(path); around != path {
		r.say("%s cannot be a file, since something else is there: its records go to %s", path, around)
		name = around
	}
	o := newOutput(rt, name)
	if err = r.openFile(o); err != nil {
		if other := r.alias(name, err); other != nil {
			r.files[path] = other
			return other
		}
		o.stale = true
		r.note(&o.writing, err)
	}
	r.files[path] = o
	r.outputs = append(r.outputs, o)
	if !o.stale {
		r.planRotation(o)
	}
	return o
}

// sidestep is path, or where a folder's name on it is a file, or its own a folder, a ring or
// another thing that is no log file, path with "%" behind that name, which no value of a
// field has at its end. What somebody logs may lead there, and must not keep all others
// from being drained.
func sidestep(path string) string {
	const tries = 10 // for what is in the way of that as well
	at := ""
	names := strings.Split(path, "/")
	for i, name := range names {
		last := i == len(names)-1
		for range tries {
			if !obstructed(at+name, last) {
				break
			}
			name += "%"
		}
		if at += name; !last {
			at += "/"
		}
	}
	return at
}

// obstructed says whether at path is what can be no folder; or, if it is a file's, no log.
func obstructed(path string, file bool) bool {
	if path == "" {
		return false // the root
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return false // and if that is a trouble, it may end
	case !file:
		return !info.IsDir()
	case !info.Mode().IsRegular():
		return true
	}
	return ring.Is(path)
}

// makeRoom closes files of paths with fields until another one may be opened.
func (r *Reader) makeRoom() bool {
	for {
		open, oldest := 0, (*output)(nil)
		for _, o := range r.outputs {
			if o.route.template == nil {
				continue
			}
			if open++; !o.joined && (oldest == nil || o.used < oldest.used) {
				oldest = o
			}
		}
		if open < r.opts.maxOpenFiles() {
			return true
		}
		if oldest == nil {
			return false
		}
		r.drop(oldest)
	}
}

// idleAfter is how long a file of a path with fields may be open without a line: its
// trial may be over, and another drain may want it.
const idleAfter = time.Second

// dropIdle closes files that have had no line for a while. There is no batch.
func (r *Reader) dropIdle() {
	for i := 0; i < len(r.outputs); {
		o := r.outputs[i]
		if o.route.template != nil && r.began.Sub(o.usedAt) >= idleAfter {
			r.drop(o) // and the next one is at i
			continue
		}
		i++
	}
}

// drop closes o, which is in no batch, and forgets it.
func (r *Reader) drop(o *output) {
	err := r.letGo(o)
	if err != nil {
		r.note(&r.syncing, err) // as with every sync that fails: nothing waits for it
	}
	if err := o.close(); err != nil {
		r.say("closing %s: %v", o.path, err)
	}
	r.forgetOutput(o)
}

// use adds o, of a path without fields, to the open outputs.
func (r *Reader) use(o *output) {
	o.route.fixed = o
	r.outputs = append(r.outputs, o)
	if o.file != nil {
		r.files[o.file.Path()] = o
	}
}

// forgetOutput removes o from the open outputs.
func (r *Reader) forgetOutput(o *output) {
	r.outputs = slices.DeleteFunc(r.outputs, func(other *output) bool { return other == o })
	maps.DeleteFunc(r.files, func(_ string, other *output) bool { return other == o })
}

// checkRoom says whether a batch of which each record goes to all of routes fits the
// intent. fixed are the open outputs of those without fields.
func (r *Reader) checkRoom(routes []*route, fixed []*output) error {
	cost := ring.IntentCost(len(r.streams), 0)
	for _, rt := range routes {
		if rt.template != nil {
			cost += r.intentCost(&output{})
		}
	}
	for _, o := range fixed {
		if o.file != nil {
			cost += r.intentCost(o)
		}
	}
	if room := r.consumer.IntentRoom(); cost > room {
		return fmt.Errorf("reader: %d outputs are too many for this ring: an intent of %d bytes, with room for %d; use fewer of them, shorter paths, or a ring with smaller lanes",
			len(routes), cost, room)
	}
	return nil
}

// alias is the output that has the file at path open under another name: a link leads to
// it, or another Output names it. Its lock keeps out this reader as well.
func (r *Reader) alias(path string, err error) *output {
	if !errors.Is(err, logfile.ErrLocked) {
		return nil
	}
	return r.standing(path)
}
