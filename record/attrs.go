package record

import (
	"encoding/binary"
	"iter"
	"math"
	"time"
)

// Attrs is a run of fields that Decode has checked: those of a record or of a group.
// It aliases the payload.
type Attrs struct{ fields []byte }

// Attr is an attribute that was read. Key aliases the payload.
type Attr struct {
	Key   []byte
	Value Value
}

// All returns the attributes in the order in which they were logged. Keys may
// repeat. A group without a key is to be read as if its attributes stood in its
// place.
func (s Attrs) All() iter.Seq[Attr] {
	return func(yield func(Attr) bool) {
		for rest := s.fields; len(rest) > 0; {
			var f field
			var ok bool
			if f, rest, _, ok = cut(rest); !ok {
				return
			}
			if f.tag.isAttr() && !yield(Attr{f.key, Value{f.tag, f.value}}) {
				return
			}
		}
	}
}

// Empty reports whether there is no attribute.
func (s Attrs) Empty() bool {
	for range s.All() {
		return false
	}
	return true
}

// Value is the value of an attribute that was read. Its methods return the zero
// value of their type when the value has another tag.
type Value struct {
	tag Tag
	b   []byte
}

// Tag returns the value's type, TagBool to TagError.
func (v Value) Tag() Tag { return v.tag }

// Bool returns the value of a TagBool.
func (v Value) Bool() bool { return v.tag == TagBool && v.b[0] == 1 }

// Int64 returns the value of a TagInt.
func (v Value) Int64() int64 { return int64(v.number(TagInt)) }

// Uint64 returns the value of a TagUint.
func (v Value) Uint64() uint64 { return v.number(TagUint) }

// Float64 returns the value of a TagFloat, with the bits it was logged with.
func (v Value) Float64() float64 { return math.Float64frombits(v.number(TagFloat)) }

// Duration returns the value of a TagDuration.
func (v Value) Duration() time.Duration { return time.Duration(v.number(TagDuration)) }

// Bytes returns the value of a TagString, TagBytes or TagError. It aliases the
// payload.
func (v Value) Bytes() []byte {
	switch v.tag {
	case TagString, TagBytes, TagError:
		return v.b
	}
	return nil
}

// Time returns the value of a TagTime: the instant, in UTC, and the offset of the
// zone it was logged in, in seconds east of UTC.
func (v Value) Time() (t time.Time, offset int) {
	if v.tag != TagTime {
		return time.Time{}, 0
	}
	sec := int64(binary.LittleEndian.Uint64(v.b))
	nsec := binary.LittleEndian.Uint32(v.b[8:])
	return time.Unix(sec, int64(nsec)).UTC(), int(int32(binary.LittleEndian.Uint32(v.b[12:])))
}

// Group returns the attributes of a TagGroup.
func (v Value) Group() Attrs {
	if v.tag != TagGroup {
		return Attrs{}
	}
	return Attrs{v.b}
}

func (v Value) number(want Tag) uint64 {
	if v.tag != want {
		return 0
	}
	return binary.LittleEndian.Uint64(v.b)
}
