package dump

import (
	"errors"
	"fmt"

	"github.com/ringlog/ringlog/ring"
)

// Kind says what is amiss.
type Kind string

// Kinds of issues.
const (
	Torn       Kind = "torn"        // unfinished when its owner died
	Damaged    Kind = "damaged"     // bytes that no writer leaves
	Overrun    Kind = "overrun"     // drained or overwritten while it was read
	InProgress Kind = "in progress" // being written by a living owner
	Vanished   Kind = "vanished"    // an owner that ended without closing its lane
)

// Issue is something in the ring that is no whole record.
type Issue struct {
	Kind     Kind
	Lane     int    // index, or ring.NoLane
	Position uint64 // in the lane; 0 where Size is 0
	Size     uint64 // bytes; 0: the lane as a whole
	Cause    string // anything, from untrusted bytes; may be empty
}

func (i Issue) String() string {
	s := string(i.Kind)
	if i.Lane != ring.NoLane {
		s += fmt.Sprintf(": lane %d", i.Lane)
	}
	if i.Size > 0 {
		s += fmt.Sprintf(", position %d, %d bytes", i.Position, i.Size)
	}
	if i.Cause != "" {
		s += ": " + i.Cause
	}
	return s
}

// cause is what is wrong, without the name of the file that the user gave.
func cause(err error) string {
	var damage *ring.DamageError
	if errors.As(err, &damage) {
		return damage.Cause
	}
	return err.Error()
}
