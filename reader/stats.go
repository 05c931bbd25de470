//go:build linux

package reader

import "slices"

// Stats returns what was counted up to the last batch. It may be called at any time, by
// any number of goroutines.
func (r *Reader) Stats() Stats {
	r.counted.Lock()
	defer r.counted.Unlock()
	s, kept := r.counted.Stats, r.keeper.Stats()
	s.Removed += kept.Removed
	s.Retries += kept.Failures
	return s
}

// OutputStats returns the same for each of Options.Outputs, in a slice of its own. It may
// be called at any time, by any number of goroutines.
func (r *Reader) OutputStats() []OutputStats {
	r.counted.Lock()
	defer r.counted.Unlock()
	return slices.Clone(r.counted.outputs)
}

// showStats brings Stats and OutputStats up to date.
func (r *Reader) showStats() {
	r.stats.Waiting = r.waiting()
	r.counted.Lock()
	defer r.counted.Unlock()
	r.counted.Stats = r.stats
	r.counted.outputs = r.counted.outputs[:0]
	for _, rt := range r.routes {
		s := rt.stats
		s.Path = rt.Path
		for _, o := range r.outputs {
			if o.route == rt && (o.pipe != nil || o.file != nil) {
				s.Open++
			}
		}
		r.counted.outputs = append(r.counted.outputs, s)
	}
}

// waiting is when the oldest record was logged that was read and is not published, in
// Unix nanoseconds; 0: there is none.
func (r *Reader) waiting() int64 {
	oldest := r.oldest
	for _, s := range r.streams {
		if s != nil && s.have && (oldest == 0 || s.headTime < oldest) {
			oldest = s.headTime
		}
	}
	return oldest
}
