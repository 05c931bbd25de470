package record

import "encoding/binary"

// Decode checks the payload of a log record and returns it as a Record. Nothing is
// copied: the record and all that is read from it alias payload and are valid only
// as long as that stays unchanged, so a payload must be a private copy, never the
// shared ring. Decode allocates nothing but its error, which is a *MalformedError,
// and takes time linear in len(payload).
func Decode(payload []byte) (r Record, err error) {
	err = DecodeInto(&r, payload)
	return r, err
}

// DecodeInto is Decode into an r that is used again and again, which saves half of its
// time. After an error r is empty.
func DecodeInto(r *Record, payload []byte) error {
	*r = Record{}
	if uint64(len(payload)) > MaxPayload {
		return &MalformedError{0, "payload longer than 32 bits can say"}
	}
	if len(payload) < headerSize {
		return &MalformedError{0, "payload shorter than its header"}
	}
	logger := int(binary.LittleEndian.Uint16(payload))
	message := binary.LittleEndian.Uint32(payload[4:])
	if uint64(len(payload)-headerSize) < uint64(logger)+uint64(message) {
		return &MalformedError{0, "logger and message run past the payload"}
	}
	r.payload, r.message = payload, uint32(headerSize+logger)
	r.fields = r.message + message
	if err := r.check(int(r.fields), len(payload), 0); err != nil {
		*r = Record{}
		return err
	}
	return nil
}

// Raw returns the record of a payload that is nothing but a message: no logger, no
// fields. It aliases payload as Decode's does. A payload over MaxPayload bytes,
// which no ring holds, is cut there.
func Raw(payload []byte) Record {
	payload = payload[:min(uint64(len(payload)), MaxPayload)]
	return Record{payload: payload, fields: uint32(len(payload)), raw: true}
}

// field is one field of a payload; key and value alias it.
type field struct {
	tag        Tag
	key, value []byte
}

// bounds reads the header of the first field in b: where in b its key ends, behind the
// header, and where its value does. It reports false when there is none that lies wholly
// in b. This is the only place that believes lengths.
//
// All of it stays in registers; a field, which does not, took as long to be passed on as
// to be found.
func bounds(b []byte) (tag Tag, key, end int, ok bool) {
	if len(b) < fieldHeaderSize {
		return 0, 0, 0, false
	}
	h := binary.LittleEndian.Uint64(b)
	k := fieldHeaderSize + h>>16&0xffff
	e := k + h>>32
	return Tag(h), int(k), int(e), e <= uint64(len(b))
}

// cut takes the first field off b. It reports false, and the cause, when there is
// none that lies wholly in b.
func cut(b []byte) (f field, rest []byte, cause string, ok bool) {
	tag, key, end, ok := bounds(b)
	if !ok {
		return field{}, nil, shortage(b), false
	}
	return field{tag, b[fieldHeaderSize:key:key], b[key:end:end]}, b[end:], "", true
}

// shortage is why no field lies wholly in b.
func shortage(b []byte) string {
	if len(b) < fieldHeaderSize {
		return "field header cut short"
	}
	return "field longer than what holds it"
}

// Next takes the first attribute off s and puts it in a. It is false if there is none. It
// is All for who formats millions: a function that is called back costs more than an
// attribute.
func (s *Attrs) Next(a *Attr) bool {
	for b := s.fields; len(b) > 0; {
		tag, key, end, ok := bounds(b)
		if !ok {
			break
		}
		field := b
		b = b[end:]
		if tag.isAttr() {
			a.Key, a.Value.tag, a.Value.b = field[fieldHeaderSize:key:key], tag, field[key:end:end]
			s.fields = b
			return true
		}
	}
	s.fields = nil
	return false
}

// check validates the fields in payload[at:end], which lie inside depth groups, and
// notes where those of the record itself are.
func (r *Record) check(at, end, depth int) error {
	for at < end {
		b := r.payload[at:end]
		tag, key, size, ok := bounds(b)
		if !ok {
			return &MalformedError{at, shortage(b)}
		}
		value, next := b[key:size], at+size
		cause := ""
		switch {
		case tag == TagString, tag <= TagFloat && tag >= TagInt && len(value) == 8: // as most are, and right
		case tag == TagGroup:
			if depth == MaxDepth {
				return &MalformedError{at, "groups nested too deep"}
			}
			if err := r.check(next-len(value), next, depth+1); err != nil {
				return err
			}
		case tag.isMeta():
			seen := &r.meta[tag-firstMeta]
			switch {
			case depth > 0:
				cause = "field of the record inside a group"
			case *seen != 0:
				cause = "field of the record repeated"
			case key > fieldHeaderSize:
				cause = "field of the record with a key"
			default:
				cause = flaw(tag, value)
			}
			*seen = uint32(at)
		default:
			if !tag.isAttr() {
				r.unknown++
			}
			cause = flaw(tag, value)
		}
		if cause != "" {
			return &MalformedError{at, cause}
		}
		at = next
	}
	return nil
}

// flaw returns what is wrong with the value v of a field, or "". A group's is not looked
// into.
func flaw(tag Tag, v []byte) string {
	switch tag {
	case 0:
		return "tag 0"
	case TagBool:
		if len(v) != 1 || v[0] > 1 {
			return "bool that is not one byte of 0 or 1"
		}
	case TagInt, TagUint, TagFloat, TagDuration, TagWallTime:
		if len(v) != 8 {
			return "number that is not 8 bytes"
		}
	case TagTime:
		if len(v) != timeSize {
			return "time that is not 16 bytes"
		}
		if binary.LittleEndian.Uint32(v[8:]) >= 1e9 {
			return "time with a second or more of nanoseconds"
		}
		if offset := int32(binary.LittleEndian.Uint32(v[12:])); offset < -maxOffset || offset > maxOffset {
			return "time with a zone offset of a day or more"
		}
	case TagLevel:
		if len(v) < levelSize {
			return "level cut short"
		}
		if s := Scale(v[0]); s != ScaleSlog && s != ScalePython {
			return "level of an unknown scale"
		}
	case TagSource:
		if len(v) < sourceSize || len(v)-sourceSize < int(binary.LittleEndian.Uint16(v[4:])) {
			return "source cut short"
		}
	}
	return ""
}
