//go:build linux && sched

package reader

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/internal/sched"
	"github.com/ringlog/ringlog/ring"
)

// rig is a ring on the heap, its workers and its readers, in one schedule after
// another. The Reader and the Producers are the real ones.
type rig struct {
	heap    *ring.Heap
	world   *sched.World
	out     sheet
	workers []*simWorker
	last    *Reader // the one that drained what the schedule left
	format  simFormat
	log     *slog.Logger
	said    []string // by readers: of these scenarios nobody should have anything to say
	now     time.Time

	state  uint64 // of the intent
	number uint64 // of the intent's batch
}

// sheet is what was written, as a file that outlives its readers.
type sheet struct {
	bytes  []byte
	before int    // how long it was before the last batch that was begun
	batch  uint64 // number of that batch
}

// sheetSink is the sheet as an output of one reader.
type sheetSink struct {
	rig      *rig
	consumer *ring.Consumer
}

// write appends b in two pieces: a reader can die between them, and around them.
func (s *sheetSink) write(_ context.Context, b []byte) error {
	o := &s.rig.out
	number := s.consumer.LastBatch()
	for n := 0; n < len(b); {
		end := len(b)
		if n == 0 {
			end = (len(b) + 1) / 2
		}
		if !s.rig.world.Step(sched.Output, 0, 0, uint64(end)) {
			return nil
		}
		if n == 0 {
			o.before, o.batch = len(o.bytes), number
		}
		o.bytes = append(o.bytes, b[n:end]...)
		n = end
	}
	return nil
}

func (s *sheetSink) close() error { return nil }

func newRig(lanes int, laneSize uint64) *rig {
	g := &rig{heap: ring.NewHeap(lanes, laneSize)}
	g.log = slog.New(ears{g})
	g.heap.Stored = g.stored
	return g
}

// ears is a handler that keeps what a reader says.
type ears struct{ g *rig }

func (e ears) Enabled(context.Context, slog.Level) bool { return true }
func (e ears) WithAttrs([]slog.Attr) slog.Handler       { return e }
func (e ears) WithGroup(string) slog.Handler            { return e }
func (e ears) Handle(_ context.Context, r slog.Record) error {
	e.g.said = append(e.g.said, r.Message)
	return nil
}

func (g *rig) reset(w *sched.World) {
	g.heap.Reset(w)
	g.world, g.workers, g.last, g.said = w, g.workers[:0], nil, nil
	g.out = sheet{bytes: g.out.bytes[:0]}
	g.state, g.number = 0, 0
	g.now = time.Unix(1_700_000_100, 0)
}

// stored watches the stores that say who owns a lane and what the intent is.
func (g *rig) stored(at failpoint.Point, value uint64) {
	switch at {
	case failpoint.IntentState:
		g.state = value
	case failpoint.IntentSwitch:
		g.number = value >> 1
	case failpoint.ClaimPosition:
		g.claiming(value)
	case failpoint.OwnState:
		if w := g.acting(); w != nil {
			w.owned = true
		}
	case failpoint.CloseState:
		if w := g.acting(); w != nil {
			w.closed = true
		}
	}
}

// claiming watches that claims below WARNING leave its share of the lane (W10).
func (g *rig) claiming(end uint64) {
	w := g.acting()
	if w == nil {
		return
	}
	a := w.authors[g.world.Thread()[0]-'1']
	// What comes from an old position is below the consumer position, and fails.
	if used := int64(end - g.heap.Consumed(w.p.Lane())); a.level < ring.WarningLevel && used > laneSize-laneSize/8 {
		g.world.Failf("author %#x claims up to position %d, with %d bytes in use, at level %d", a.id, end, used, a.level)
	}
}

// acting is the worker whose thread is running, or nil.
func (g *rig) acting() *simWorker {
	p := g.world.Current()
	for _, w := range g.workers {
		if w.process == p {
			return w
		}
	}
	return nil
}

// open makes a Reader for process p, as Open does, which also settles what an earlier
// one left. Files would be rolled back by the Reader; the sheet is here.
func (g *rig) open(p *sched.Process) (*Reader, error) {
	c, err := g.heap.OpenConsumer(p)
	if err != nil {
		return nil, err
	}
	if g.state == uint64(ring.IntentPrepared) && g.out.batch == g.number && len(g.out.bytes) > g.out.before {
		if g.world.Step(sched.Output, 0, 0, uint64(g.out.before)) {
			g.out.bytes = g.out.bytes[:g.out.before]
		}
	}
	n := c.Ring().LaneCount
	r := &Reader{
		consumer: c, opts: Options{Grace: time.Millisecond}, log: g.log, now: time.Now, leaving: func() bool { return false },
		streams: make([]*stream, n), met: make([]uint64, n), reported: make([]uint64, n),
	}
	if err := r.settle(); err != nil {
		return nil, err
	}
	rt := &route{rule: rule{lowest: math.MinInt16, format: &g.format, markers: true}}
	o := newOutput(rt, stdoutPath)
	o.pipe = &sheetSink{g, c}
	r.routes = []*route{rt}
	r.use(o)
	return r, nil
}

// reader starts a process that reads until all workers are done. If it is killed,
// another one starts; so many of them are mortal.
func (g *rig) reader(mortal int) {
	p := g.world.Process("reader", mortal > 0)
	p.OnDeath(func() { g.reader(mortal - 1) })
	p.Go("main", func() {
		r, err := g.open(p)
		if err != nil {
			g.world.Failf("opening the ring: %w", err)
			return
		}
		g.follow(r)
		g.heap.End(r.consumer)
	})
}

// follow drains until all workers are done. Where there is nothing to do it looks once
// more, since only an owner that was quiet between two looks is tried for dead; then it
// waits for a change.
func (g *rig) follow(r *Reader) {
	for again := true; ; {
		done := g.done()
		progressed, err := g.cycle(r)
		switch {
		case err != nil:
			g.world.Failf("draining: %w", err)
			return
		case progressed:
			again = true
		case done:
			return
		case again:
			again = false
		default:
			g.world.Pause()
			again = true
		}
	}
}

// cycle is a look at the ring at a time at which each lock is worth a try.
func (g *rig) cycle(r *Reader) (bool, error) {
	g.now = g.now.Add(lockEvery)
	return r.cycle(context.Background(), g.now, horizonNone)
}

func (g *rig) done() bool {
	for _, w := range g.workers {
		if w.running > 0 && !w.process.Dead() {
			return false
		}
	}
	return true
}

// simFormat writes lines for lines to be read by the judge: what it was, who it was
// about, its number, its count of lost records, and its payload.
type simFormat struct{}

const lineHead = 16

func (*simFormat) Append(dst []byte, l *format.Line) []byte {
	var head [lineHead]byte
	head[0], head[1] = 'R', byte(l.Origin.Lane)
	copy(head[2:4], l.Origin.Worker)
	message := l.Record.Message()
	if l.Event != "" {
		head[0] = l.Event[0]
		if l.Event == "lost" {
			var n uint32
			fmt.Sscanf(string(message), "lost %d", &n)
			binary.LittleEndian.PutUint32(head[8:], n)
		}
		message = nil
	}
	binary.LittleEndian.PutUint32(head[4:], uint32(l.Seq))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(message)))
	return append(append(dst, head[:]...), message...)
}
