package record

import "encoding/binary"

// Decode checks the payload of a log record and returns it as a Record. Nothing is
// copied: the record and all that is read from it alias payload and are valid only
// as long as that stays unchanged, so a payload must be a private copy, never the
// shared ring. Decode allocates nothing but its error, which is a *MalformedError,
// and takes time linear in len(payload).
func Decode(payload []byte) (Record, error) {
	if uint64(len(payload)) > MaxPayload {
		return Record{}, &MalformedError{0, "payload longer than 32 bits can say"}
	}
	if len(payload) < headerSize {
		return Record{}, &MalformedError{0, "payload shorter than its header"}
	}
	logger := int(binary.LittleEndian.Uint16(payload))
	message := binary.LittleEndian.Uint32(payload[4:])
	if uint64(len(payload)-headerSize) < uint64(logger)+uint64(message) {
		return Record{}, &MalformedError{0, "logger and message run past the payload"}
	}
	r := Record{payload: payload, message: uint32(headerSize + logger)}
	r.fields = r.message + message
	if err := r.check(int(r.fields), len(payload), 0); err != nil {
		return Record{}, err
	}
	return r, nil
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

// cut takes the first field off b. It reports false, and the cause, when there is
// none that lies wholly in b. This is the only place that turns lengths into slices.
func cut(b []byte) (f field, rest []byte, cause string, ok bool) {
	if len(b) < fieldHeaderSize {
		return field{}, nil, "field header cut short", false
	}
	h := binary.LittleEndian.Uint64(b)
	b = b[fieldHeaderSize:]
	key, value := h>>16&0xffff, h>>32
	if uint64(len(b)) < key+value {
		return field{}, nil, "field longer than what holds it", false
	}
	end := key + value
	return field{Tag(h), b[:key:key], b[key:end:end]}, b[end:], "", true
}

// check validates the fields in payload[at:end], which lie inside depth groups, and
// notes where those of the record itself are.
func (r *Record) check(at, end, depth int) error {
	for at < end {
		f, rest, cause, ok := cut(r.payload[at:end])
		if !ok {
			return &MalformedError{at, cause}
		}
		next := end - len(rest)
		switch {
		case f.tag == TagGroup:
			if depth == MaxDepth {
				return &MalformedError{at, "groups nested too deep"}
			}
			if err := r.check(next-len(f.value), next, depth+1); err != nil {
				return err
			}
		case f.tag.isMeta():
			seen := &r.meta[f.tag-firstMeta]
			switch {
			case depth > 0:
				cause = "field of the record inside a group"
			case *seen != 0:
				cause = "field of the record repeated"
			case len(f.key) > 0:
				cause = "field of the record with a key"
			default:
				cause = f.flaw()
			}
			*seen = uint32(at)
		default:
			if !f.tag.isAttr() {
				r.unknown++
			}
			cause = f.flaw()
		}
		if cause != "" {
			return &MalformedError{at, cause}
		}
		at = next
	}
	return nil
}

// flaw returns what is wrong with f's value, or "". A group's is not looked into.
func (f *field) flaw() string {
	v := f.value
	switch f.tag {
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
