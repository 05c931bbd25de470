//go:build linux

package reader

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"syscall"
)

// reloading hands new options from who calls Reload to the goroutine that drains.
type reloading struct {
	turn sync.Mutex // held by the one call of Reload that is under way

	sync.Mutex
	running bool
	asked   *reload
}

type reload struct {
	opts  Options
	rules []rule
	done  chan error
}

// Reload gives r other outputs, and other settings but for Until, Alive and Log, without
// missing or repeating a record: between two batches. An output that was there before
// stays open, if its path still leads to its file; what somebody renamed is opened anew,
// so that Reload with the options of before is what logrotate and its like need. It may
// be called by any number of goroutines while Run runs, and waits until it has been
// carried out; a batch that cannot be written, as on a full disk, has to be written first.
//
// Errors: those of Open that concern outputs, and that the drain has ended. Everything is
// then as it was.
func (r *Reader) Reload(o Options) error {
	rules, err := o.rules()
	if err != nil {
		return err
	}
	r.reloading.turn.Lock()
	defer r.reloading.turn.Unlock()
	q := &reload{o, rules, make(chan error, 1)}
	r.reloading.Lock()
	if !r.reloading.running {
		r.reloading.Unlock()
		return errNotRunning
	}
	r.reloading.asked = q
	// Under the lock, so that the ring is still mapped. A fault is Run's to report.
	_ = r.consumer.Guard(func() error { r.consumer.Wake(); return nil })
	r.reloading.Unlock()
	return <-q.done
}

var errNotRunning = errors.New("reader: the drain has ended, or has not begun; its outputs stay as they are")

// start says that Reload will be answered from now on, until the function that it returns
// is called.
func (l *reloading) start() (stop func()) {
	l.Lock()
	defer l.Unlock()
	l.running = true
	return func() {
		q := l.take()
		l.Lock()
		l.running = false
		if q == nil {
			q, l.asked = l.asked, nil
		}
		l.Unlock()
		if q != nil {
			q.done <- errNotRunning
		}
	}
}

func (l *reloading) take() *reload {
	l.Lock()
	defer l.Unlock()
	q := l.asked
	l.asked = nil
	return q
}

// reload carries out what Reload asked for. There is no batch at hand.
func (r *Reader) reload() {
	if q := r.reloading.take(); q != nil {
		q.done <- r.exchange(q.opts, q.rules)
		r.showStats()
	}
}

// exchange replaces options and routes. On an error they are as before.
func (r *Reader) exchange(o Options, rules []rule) error {
	// They are opened again when records come, and their names may be other outputs' now.
	for _, old := range slices.Clone(r.outputs) {
		if old.route.template != nil {
			r.drop(old)
		}
	}
	before := r.opts
	o.Until, o.Alive, o.Log = before.Until, before.Alive, before.Log
	o.setDefaults()
	r.opts = o
	routes := newRoutes(o.Outputs, rules)
	opened, kept, err := r.openOrKeep(routes)
	if err == nil {
		err = r.checkRoom(routes, slices.AppendSeq(slices.Clone(opened), maps.Keys(kept)))
	}
	if err != nil {
		for _, out := range opened {
			err = errors.Join(err, out.close())
		}
		r.opts = before
		return err
	}
	for _, old := range slices.Clone(r.outputs) {
		if kept[old] == nil {
			r.drop(old)
		}
	}
	for _, rt := range routes {
		if i := slices.IndexFunc(r.routes, func(old *route) bool { return old.Path == rt.Path }); i >= 0 {
			rt.stats = r.routes[i].stats
		}
	}
	r.routes = routes
	for out, rt := range kept {
		r.hand(out, rt)
	}
	for _, out := range opened {
		r.use(out)
	}
	for _, out := range r.outputs {
		r.planRotation(out)
	}
	if o.Sync != before.Sync && o.Sync != SyncNone {
		_ = r.syncAll() // which says what is wrong, and it is tried again
	}
	return nil
}

// openOrKeep finds the outputs of routes without fields among those that are open, and
// opens the others.
func (r *Reader) openOrKeep(routes []*route) (opened []*output, kept map[*output]*route, err error) {
	kept = map[*output]*route{}
	for _, rt := range routes {
		if rt.template != nil {
			continue
		}
		old := r.standing(rt.path)
		if old == nil {
			old = r.stale(rt.path)
		}
		if other := kept[old]; other != nil {
			return opened, nil, fmt.Errorf("reader: outputs %s and %s are one file; name it once", other.Path, rt.Path)
		}
		if old != nil {
			kept[old] = rt
			continue
		}
		out, err := r.openFixed(rt)
		if err != nil {
			return opened, nil, err
		}
		opened = append(opened, out)
	}
	return opened, kept, nil
}

// stale is the output of that path that is to be opened again, and may have the lock of its
// file until then.
func (r *Reader) stale(path string) *output {
	for _, o := range r.outputs {
		if o.stale && o.path == path {
			return o
		}
	}
	return nil
}

// standing is the open output to which path leads.
func (r *Reader) standing(path string) *output {
	for _, o := range r.outputs {
		if o.pipe != nil && o.path == path {
			return o
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, o := range r.outputs {
		if o.file == nil || o.stale {
			continue
		}
		if dev, ino, err := o.file.Identity(); err == nil && dev == st.Dev && ino == st.Ino {
			return o
		}
	}
	return nil
}

// hand gives o, which stays open, to rt.
func (r *Reader) hand(o *output, rt *route) {
	again := newOutput(rt, rt.path)
	again.buf, again.file, again.pipe, again.shared, again.stale = o.buf, o.file, o.pipe, o.shared, o.stale
	again.before, again.written = o.before, o.written
	for now, then := range map[*trouble]*trouble{&again.writing: &o.writing, &again.rotating: &o.rotating, &again.syncing: &o.syncing} {
		now.of, now.err, now.since, now.tried, now.count = then.of, then.err, then.since, then.tried, then.count
	}
	r.forgetOutput(o)
	r.use(again)
}
