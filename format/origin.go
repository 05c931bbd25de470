package format

import (
	"encoding/hex"
)

// Origin says who logged a record: an owner of a lane. Lines share one Origin per
// owner, whatever formats they are written in. Its fields must not change once a line
// of it has been formatted, and one goroutine at a time may format its lines: what they
// have in common is kept here.
type Origin struct {
	Worker string // label of the worker
	PID    uint64 // for display only
	Ring   [16]byte
	Lane   int // index of the lane in its ring

	id     []byte        // what appendID appends
	pieces []ownerPieces // for each of the ownerKeys that were used
}

// ownerKeys are the beginnings of the members of a JSON object that say who logged a
// record, up to their values, and that of the id up to the text in its quotes. A member
// whose beginning is empty is left out.
type ownerKeys struct {
	worker, pid, seq, id string
	all                  string // all of them, to tell these from others
}

func newOwnerKeys(worker, pid, seq, id string) ownerKeys {
	return ownerKeys{worker, pid, seq, id, worker + "\x00" + pid + "\x00" + seq + "\x00" + id}
}

// ownerPieces are pieces of JSON that are the same in all of an owner's lines.
type ownerPieces struct {
	keys                      string // ownerKeys.all
	beforeSeq, beforePosition []byte
}

// appendOwner appends the members that say who logged l, with the keys k.
func (l *Line) appendOwner(dst []byte, k *ownerKeys) []byte {
	p := l.Origin.piecesOf(k)
	dst = append(dst, p.beforeSeq...)
	if k.seq != "" {
		dst = appendUint(dst, l.Seq)
	}
	if k.id != "" {
		dst = append(dst, p.beforePosition...)
		dst = append(appendUint(dst, l.Position), '"')
	}
	return dst
}

func (o *Origin) piecesOf(k *ownerKeys) *ownerPieces {
	for i := range o.pieces {
		if p := &o.pieces[i]; p.keys == k.all {
			return p
		}
	}
	o.pieces = append(o.pieces, o.prebuild(k))
	return &o.pieces[len(o.pieces)-1]
}

func (o *Origin) prebuild(k *ownerKeys) ownerPieces {
	p := ownerPieces{keys: k.all}
	if k.worker != "" {
		p.beforeSeq, _ = appendJSONString([]byte(k.worker), []byte(o.Worker))
	}
	if k.pid != "" {
		p.beforeSeq = appendUint(append(p.beforeSeq, k.pid...), o.PID)
	}
	p.beforeSeq = append(p.beforeSeq, k.seq...)
	p.beforePosition = o.appendID([]byte(k.id))
	return p
}

// appendID appends the id of o's records, up to their position.
func (o *Origin) appendID(dst []byte) []byte {
	if len(o.id) == 0 {
		o.id = append(hex.AppendEncode(o.id, o.Ring[:]), '-')
		o.id = append(appendInt(o.id, int64(o.Lane)), '-')
	}
	return append(dst, o.id...)
}
