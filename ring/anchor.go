package ring

import (
	"hash/crc32"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// anchors is the part of the control area that holds the reader's timeline: the pieces of
// the last while, for the readers that follow and for ringdump. Only who holds the
// reader's lock writes it.
type anchors struct {
	published *word
	entries   []byte
}

func newAnchors(meta []byte, head Header) anchors {
	off := head.ControlOffset
	return anchors{wordAt(meta, off+ctlAnchorsPublished), meta[off+ctlAnchors : off+ctlAnchors+anchorCount*anchorSize]}
}

// publish adds what a look in the given boot has made, one piece or two, in place of the
// oldest anchor. Both are one anchor: without the second, the first would be wrong for ever. Who
// reads it meanwhile, or after this process died in the middle, sees that its checksum fails.
func (a anchors) publish(pieces []piece, boot [16]byte) {
	p, then := pieces[0], piece{}
	if len(pieces) > 1 {
		then = pieces[1]
	}
	n := a.published.load()
	e := a.entries[n%anchorCount*anchorSize:][:anchorSize]
	putBytes(failpoint.AnchorEntry, e[anchorBootID:], boot[:])
	put64(failpoint.AnchorEntry, e, anchorCounter, p.counter)
	put64(failpoint.AnchorEntry, e, anchorUntil, then.counter)
	put64(failpoint.AnchorEntry, e, anchorUnix, uint64(p.unix))
	put64(failpoint.AnchorEntry, e, anchorMult, p.mult)
	put64(failpoint.AnchorEntry, e, anchorThen, then.mult)
	put32(failpoint.AnchorEntry, e, anchorChecksum, crc32.ChecksumIEEE(e[:anchorChecksum]))
	// Release: who sees the count sees the anchor.
	a.published.store(failpoint.AnchorCount, n+1)
}

// load returns the anchors of the given boot, oldest first.
func (a anchors) load(boot [16]byte) []piece {
	var found []piece
	n, e := a.published.load(), make([]byte, 0, anchorSize)
	for i := range uint64(anchorCount) {
		e = appendShared(e[:0], a.entries[(n+i)%anchorCount*anchorSize:][:anchorSize])
		if [16]byte(e) == boot && le.Uint32(e[anchorChecksum:]) == crc32.ChecksumIEEE(e[:anchorChecksum]) {
			p := piece{le.Uint64(e[anchorCounter:]), int64(le.Uint64(e[anchorUnix:])), le.Uint64(e[anchorMult:])}
			found = append(found, p)
			if until := le.Uint64(e[anchorUntil:]); until != 0 {
				found = append(found, piece{until, p.at(until), le.Uint64(e[anchorThen:])})
			}
		}
	}
	return found
}

// pace is the one that the last anchor of the given boot says the counter has; 0: there
// is none.
func (a anchors) pace(boot [16]byte) uint64 {
	found := a.load(boot)
	if len(found) == 0 {
		return 0
	}
	return found[len(found)-1].mult
}

// now is a look at both clocks.
func now() reading {
	counter, t := bothClocks()
	return reading{counter, t.UnixNano()}
}

// lookEvery is how often, in nanoseconds, KeepTime looks at the clocks. NTP may make the
// wall clock half a thousandth faster or slower than before: the timeline is off by half a
// millisecond at most until it follows.
const lookEvery = 1_000_000_000

// KeepTime keeps the timeline in step with the wall clock. It is to be called before
// records are read; it looks at the clocks once a second, and costs a few nanoseconds
// else.
func (c *Consumer) KeepTime() {
	t := c.timelines[c.boot]
	if !useCounter || t.pace == 0 {
		return
	}
	if d := readCounter() - c.looked; d < units(lookEvery, t.pace) {
		return // and not if the counter has been reset
	}
	at := now()
	c.looked = at.counter
	if pieces := t.look(at); len(pieces) > 0 {
		c.anchors().publish(pieces, c.boot)
	}
}

// Timeline is what converts the timestamps of records of the given boot. That of the
// present one is kept by KeepTime, and stays valid.
func (c *Consumer) Timeline(boot [16]byte) *Timeline {
	t := c.timelines[boot]
	if t == nil {
		t = restore(c.anchors().load(boot), 0)
		c.timelines[boot] = t
	}
	return t
}

func (c *Consumer) anchors() anchors { return newAnchors(c.from.meta(), c.ring) }

// Timeline is what converts the timestamps of records of the given boot, as of the last
// copy.
func (in *Inspector) Timeline(boot [16]byte) *Timeline {
	t := in.timelines[boot]
	if t == nil {
		t = in.timeline(boot)
		in.timelines[boot] = t
	}
	return t
}

func (in *Inspector) timeline(boot [16]byte) *Timeline {
	found := newAnchors(in.front, in.ring).load(boot)
	if present, err := bootID(); err != nil || boot != present || !useCounter {
		return restore(found, 0)
	}
	t := restore(found, counterPace())
	t.look(now()) // whoever was the last to look: the line then leads to a time that is known
	return t
}
