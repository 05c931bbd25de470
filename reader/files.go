//go:build linux

package reader

import (
	"errors"
	"fmt"
	"maps"
	"slices"

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
	o.used = r.tick
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
	if err := o.begin(); err != nil {
		o.stale = true // and what is wrong is said when it is opened again
	}
	return true
}

// intentCost is what a file takes of the intent at most. A batch is full before its
// last record, which takes an eighth of a lane at most, and not eight times as much as
// a line.
func (r *Reader) intentCost(o *output) uint64 {
	path := unix.PathMax // where links lead is not known yet
	if o.file != nil {
		path = len(o.file.Path())
	}
	return ring.OutputCost(path, maxBatch+int64(r.consumer.Ring().LaneSize))
}

// openFor opens the file at path for rt, whose path has fields. It is nil if all files
// that may be open are part of the batch. One that cannot be opened is stale, and is
// opened before the batch is prepared.
func (r *Reader) openFor(rt *route, path string) *output {
	if !r.makeRoom() {
		return nil
	}
	o := newOutput(rt, path)
	if err := r.openFile(o); err != nil {
		if other := r.alias(path, err); other != nil {
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
// intent. Those without fields have been opened.
func (r *Reader) checkRoom(routes []*route) error {
	cost := ring.IntentCost(len(r.streams), 0)
	for _, rt := range routes {
		switch {
		case rt.fixed == nil:
			cost += r.intentCost(&output{})
		case rt.fixed.file != nil:
			cost += r.intentCost(rt.fixed)
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
