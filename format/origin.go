package format

import (
	"encoding/hex"
	"strconv"
)

// Origin says who logged a record: an owner of a lane. Lines share one Origin per
// owner. Its fields must not change once a line of it has been formatted, and one
// goroutine at a time may format its lines: what they have in common is kept here.
type Origin struct {
	Worker string // label of the worker
	PID    uint64 // for display only
	Ring   [16]byte
	Lane   int // index of the lane in its ring

	beforeSeq, beforePosition []byte // pieces of a JSON line, empty at first
}

// prebuild makes the pieces of a JSON line that are the same for all of o's lines.
func (o *Origin) prebuild() {
	b := append([]byte(nil), `,"worker":`...)
	b, _ = appendJSONString(b, []byte(o.Worker))
	b = append(b, `,"pid":`...)
	b = strconv.AppendUint(b, o.PID, 10)
	o.beforeSeq = append(b, `,"seq":`...)

	b = append([]byte(nil), `,"id":"`...)
	b = hex.AppendEncode(b, o.Ring[:])
	b = strconv.AppendInt(append(b, '-'), int64(o.Lane), 10)
	o.beforePosition = append(b, '-')
}
