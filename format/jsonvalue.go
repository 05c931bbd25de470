package format

import (
	"strconv"

	"github.com/ringlog/ringlog/record"
)

func appendObject(dst []byte, attrs record.Attrs) []byte {
	start := len(dst)
	dst = appendMembers(dst, attrs)
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // in the place of the first member's comma
	return append(dst, '}')
}

// appendMembers appends attrs, each with a comma before it.
func appendMembers(dst []byte, attrs record.Attrs) []byte {
	var a record.Attr
	for attrs.Next(&a) {
		if a.Value.Tag() == record.TagGroup && len(a.Key) == 0 {
			dst = appendMembers(dst, a.Value.Group()) // inlined
			continue
		}
		dst, _ = appendJSONString(append(dst, ','), a.Key)
		dst = appendJSONValue(append(dst, ':'), a.Value)
	}
	return dst
}

func appendJSONValue(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagGroup:
		return appendObject(dst, v.Group())
	case record.TagString, record.TagError:
		start := len(dst)
		dst, valid := appendJSONString(dst, v.Bytes())
		if !valid {
			dst = append(appendBase64(append(dst[:start], `{"base64":`...), v.Bytes()), '}')
		}
		return dst
	default:
		return appendJSONScalar(dst, v)
	}
}

// appendJSONScalar appends a value that is no group. Text that is not UTF-8 is not
// kept exactly, since that takes an object.
func appendJSONScalar(dst []byte, v record.Value) []byte {
	switch v.Tag() {
	case record.TagBool:
		return strconv.AppendBool(dst, v.Bool())
	case record.TagInt:
		return appendInt(dst, v.Int64())
	case record.TagUint:
		return appendUint(dst, v.Uint64())
	case record.TagDuration:
		return appendInt(dst, int64(v.Duration()))
	case record.TagFloat:
		return appendJSONFloat(dst, v.Float64())
	case record.TagTime:
		t, offset := v.Time()
		return append(appendTime(append(dst, '"'), t, offset), '"')
	case record.TagBytes:
		return appendBase64(dst, v.Bytes())
	default:
		dst, _ = appendJSONString(dst, v.Bytes())
		return dst
	}
}
