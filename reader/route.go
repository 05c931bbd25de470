//go:build linux

package reader

import (
	"slices"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
)

// route is one of Options.Outputs at work.
type route struct {
	Output
	rule
	fixed *output // where all of it goes; nil if the path has fields

	records, bytes uint64 // of the batch at hand
	stats          OutputStats
}

func newRoutes(outputs []Output, rules []rule) []*route {
	routes := make([]*route, len(outputs))
	for i := range outputs {
		routes[i] = &route{Output: outputs[i], rule: rules[i]}
	}
	return routes
}

// target is where a record goes, and in which form.
type target struct {
	*route
	out *output
}

// add appends l's line to t's buffer.
func (r *Reader) add(t target, l *format.Line) {
	o := t.out
	before := len(o.buf)
	o.buf = t.format.Append(o.buf, l)
	t.records++
	t.bytes += uint64(len(o.buf) - before)
	if len(o.buf) >= maxBatch || o.full() {
		r.full = true
	}
}

// route finds the targets of r.line and has them take part in the batch. It is false if
// the batch has no room for all of them: the record is then the next one's.
func (r *Reader) route() bool {
	r.targets = r.targets[:0]
	for _, rt := range r.routes {
		if !rt.wants(&r.line) {
			continue
		}
		if rt.fixed != nil {
			r.targets = append(r.targets, target{rt, rt.fixed})
			continue
		}
		var ok bool
		if r.path, ok = rt.template.Append(r.path[:0], &r.line); !ok {
			continue // it lacks one of the fields
		}
		o := r.files[string(r.path)]
		if o == nil {
			if o = r.openFor(rt, string(r.path)); o == nil {
				return false
			}
		}
		if !r.join(o) {
			return false
		}
		// Where several outputs lead to one file, that is to have a record once.
		if !slices.ContainsFunc(r.targets, func(t target) bool { return t.out == o }) {
			r.targets = append(r.targets, target{rt, o})
		}
	}
	return true
}

// emitMarker puts the reader's own line where it is looked for: into every output
// for all records; or, if there is none, to the reader's log.
func (r *Reader) emitMarker(m marker.Marker) {
	taken := false
	for _, rt := range r.routes {
		if rt.markers {
			r.add(target{rt, rt.fixed}, &m.Line)
			taken = true
		}
	}
	if !taken {
		r.say("%s", m.Message)
	}
}
