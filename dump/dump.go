package dump

import (
	"cmp"
	"slices"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/marker"
	"github.com/ringlog/ringlog/ring"
)

// Options of a Scan; the zero value is the default.
type Options struct {
	// All also shows what is still whole of records that were drained already, of
	// this owner of a lane and of earlier ones. Their Seq is 0: it is not known.
	All bool
}

// Dump is what a Scan found. It belongs to one goroutine.
type Dump struct {
	in     *ring.Inspector
	opts   Options
	intent ring.Intent

	index   []entry
	origins []*format.Origin
	markers []marker.Marker
	issues  []Issue

	copies map[int]*ring.Lane // lanes that are kept for Lines
	kept   uint64             // their bytes
}

// entry stands for one line. There are as many as records in the ring, so it is
// small.
type entry struct {
	time   int64  // Unix nanoseconds; for a marker, of the record that follows
	pos    uint64 // in the lane; odd: a marker
	seq    uint64 // for a marker: its index in markers
	origin uint32 // index in origins, which says the lane
	size   uint32 // bytes of payload
}

const markerBit = 1

// Scan looks at every lane of the ring. What is wrong with the ring is among
// Issues.
func Scan(in *ring.Inspector, o Options) *Dump {
	d := &Dump{in: in, opts: o, copies: map[int]*ring.Lane{}}
	var err error
	if d.intent, err = in.Intent(); err != nil {
		d.issues = append(d.issues, Issue{Kind: Damaged, Lane: ring.NoLane, Cause: "the intent of the last batch: " + cause(err) + "; some records may be in the outputs already"})
	}
	for i := range in.Ring().LaneCount {
		if err := d.scanLane(i); err != nil {
			d.issues = append(d.issues, Issue{Kind: Damaged, Lane: i, Cause: err.Error()})
		}
	}
	slices.SortFunc(d.index, d.compare)
	return d
}

// compare orders by time, then lane, then position; a marker comes before the
// record at its position.
func (d *Dump) compare(a, b entry) int {
	return cmp.Or(
		cmp.Compare(a.time, b.time),
		cmp.Compare(d.origins[a.origin].Lane, d.origins[b.origin].Lane),
		cmp.Compare(a.pos&^markerBit, b.pos&^markerBit),
		cmp.Compare(b.pos&markerBit, a.pos&markerBit),
	)
}

// Len is the number of lines, markers among them.
func (d *Dump) Len() int { return len(d.index) }

// Issues are what Scan, and Lines as far as it went, found to be no whole record.
func (d *Dump) Issues() []Issue { return d.issues }

// Unfinished are the outputs of a batch that a reader left half written: each is
// valid up to its size Before. The records are still in the ring, and among Lines.
func (d *Dump) Unfinished() []ring.OutputChange {
	if d.intent.State != ring.IntentPrepared {
		return nil
	}
	return d.intent.Batch.Outputs
}
