package main

// desk hands out trials and takes results. It belongs to one goroutine.
type desk struct {
	all     []trial
	waiting []trial        // not handed out
	results map[int]result // by number of the trial
	endless bool           // when all were handed out they are handed out again
	back    int            // trials that were taken back
}

func newDesk(all []trial) *desk {
	return &desk{all: all, waiting: all, results: make(map[int]result, len(all))}
}

// next returns a trial to be done, if there is one.
func (d *desk) next() (t trial, ok bool) {
	if len(d.waiting) == 0 && d.endless {
		d.waiting = d.all
	}
	if len(d.waiting) == 0 {
		return t, false
	}
	t, d.waiting = d.waiting[0], d.waiting[1:]
	return t, true
}

// takeBack takes trials whose worker ended before it did them; others will.
func (d *desk) takeBack(trials []trial) {
	d.waiting = append(append([]trial(nil), trials...), d.waiting...)
	d.back += len(trials)
}

// take takes a result.
func (d *desk) take(r result) { d.results[r.Trial] = r }

// finished says that there is a result of every trial, and no end is to be awaited.
func (d *desk) finished() bool { return !d.endless && len(d.results) == len(d.all) }
