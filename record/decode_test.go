package record

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// payloadOf returns a payload of these fields, without logger and message.
func payloadOf(fields ...string) []byte {
	return []byte("\x00\x00\x00\x00\x00\x00\x00\x00" + strings.Join(fields, ""))
}

// wire returns a field as bytes.
func wire(tag Tag, key, value string) string {
	n := len(value)
	return string([]byte{
		byte(tag), 0, byte(len(key)), byte(len(key) >> 8),
		byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24),
	}) + key + value
}

// groups returns depth groups around an int.
func groups(depth int) string {
	f := wire(TagInt, "n", "\x01\x00\x00\x00\x00\x00\x00\x00")
	for range depth {
		f = wire(TagGroup, "g", f)
	}
	return f
}

func TestDecodeRefusesMalformedPayloads(t *testing.T) {
	t.Parallel()
	eight := "12345678"
	wall := wire(TagWallTime, "", eight)
	cases := map[string]struct {
		payload []byte
		offset  int
	}{
		"empty":                      {nil, 0},
		"seven bytes":                {make([]byte, 7), 0},
		"logger past the end":        {[]byte("\x02\x00\x00\x00\x00\x00\x00\x00a"), 0},
		"message past the end":       {[]byte("\x01\x00\x00\x00\x01\x00\x00\x00a"), 0},
		"longest message":            {[]byte("\xff\xff\x00\x00\xff\xff\xff\xffa"), 0},
		"field header cut":           {payloadOf("\x01\x00\x00\x00\x01\x00\x00"), 8},
		"second field cut":           {payloadOf(wall, "\x01"), 24},
		"key past the end":           {payloadOf("\x05\x00\x02\x00\x00\x00\x00\x00k"), 8},
		"value past the end":         {payloadOf("\x05\x00\x00\x00\x02\x00\x00\x00k"), 8},
		"longest value":              {payloadOf("\x05\x00\xff\xff\xff\xff\xff\xffk"), 8},
		"tag 0":                      {payloadOf(wire(0, "k", "v")), 8},
		"empty bool":                 {payloadOf(wire(TagBool, "k", "")), 8},
		"long bool":                  {payloadOf(wire(TagBool, "k", "\x01\x00")), 8},
		"bool of 2":                  {payloadOf(wire(TagBool, "k", "\x02")), 8},
		"short int":                  {payloadOf(wire(TagInt, "k", "1234567")), 8},
		"long uint":                  {payloadOf(wire(TagUint, "k", eight+"9")), 8},
		"empty float":                {payloadOf(wire(TagFloat, "k", "")), 8},
		"short duration":             {payloadOf(wire(TagDuration, "k", "1234")), 8},
		"short time":                 {payloadOf(wire(TagTime, "k", eight+"\x00\x00\x00\x00")), 8},
		"time of 1e9 nanoseconds":    {payloadOf(wire(TagTime, "k", eight+"\x00\xca\x9a\x3b\x00\x00\x00\x00")), 8},
		"time a day east":            {payloadOf(wire(TagTime, "k", eight+"\x00\x00\x00\x00\x80\x51\x01\x00")), 8},
		"time a day west":            {payloadOf(wire(TagTime, "k", eight+"\x00\x00\x00\x00\x80\xae\xfe\xff")), 8},
		"field past its group":       {payloadOf("\x09\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00\x01\x00\x00\x00", wall), 16},
		"bad field in a group":       {payloadOf(wire(TagGroup, "g", wire(TagBool, "k", "\x02"))), 17},
		"groups one too deep":        {payloadOf(groups(MaxDepth + 1)), 8 + 9*MaxDepth},
		"wall time short":            {payloadOf(wire(TagWallTime, "", "1234567")), 8},
		"wall time twice":            {payloadOf(wall, wall), 24},
		"wall time with a key":       {payloadOf(wire(TagWallTime, "k", eight)), 8},
		"wall time in a group":       {payloadOf(wire(TagGroup, "g", wall)), 17},
		"level short":                {payloadOf(wire(TagLevel, "", "\x01\x00\x00\x00")), 8},
		"level of scale 0":           {payloadOf(wire(TagLevel, "", "\x00\x00\x00\x00\x00")), 8},
		"level of scale 3":           {payloadOf(wire(TagLevel, "", "\x03\x00\x00\x00\x00")), 8},
		"source short":               {payloadOf(wire(TagSource, "", "12345")), 8},
		"source file past the end":   {payloadOf(wire(TagSource, "", "\x01\x00\x00\x00\x02\x00f")), 8},
		"traceback twice":            {payloadOf(wire(TagTraceback, "", ""), wire(TagTraceback, "", "x")), 16},
		"thread name with a key":     {payloadOf(wire(TagThread, "k", "t")), 8},
		"process name inside groups": {payloadOf(wire(TagGroup, "a", wire(TagGroup, "b", wire(TagProcess, "", "p")))), 26},
	}
	for name, c := range cases {
		_, err := Decode(c.payload)
		var malformed *MalformedError
		if !errors.Is(err, ErrMalformed) || !errors.As(err, &malformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
			continue
		}
		if malformed.Offset != c.offset {
			t.Errorf("%s: %v, want it at %d", name, err, c.offset)
		}
	}
}

func TestDecodeRefusesEveryProperPrefixThatCutsAField(t *testing.T) {
	t.Parallel()
	e := typical()
	payload := encode(t, &e)
	whole := map[int]bool{len(payload): true}
	r := decode(t, payload)
	for end, rest := int(r.fields), payload[r.fields:]; ; {
		whole[end] = true
		_, next, _, ok := cut(rest)
		if !ok {
			break
		}
		end += len(rest) - len(next)
		rest = next
	}
	for n := range len(payload) + 1 {
		if _, err := Decode(payload[:n:n]); (err == nil) != whole[n] {
			t.Errorf("first %d of %d bytes: %v", n, len(payload), err)
		}
	}
}

func TestDecodeSkipsAndCountsUnknownTags(t *testing.T) {
	t.Parallel()
	n := "\x05\x00\x00\x00\x00\x00\x00\x00"
	r := decode(t, payloadOf(
		wire(11, "k", "anything"), wire(TagInt, "n", n), wire(31, "", ""), wire(39, "", ""), wire(39, "again", ""),
		wire(255, "k", "\x00"), wire(TagGroup, "g", wire(20, "k", "v")+wire(TagInt, "m", n))))
	if r.Unknown() != 6 {
		t.Errorf("Unknown %d, want 6", r.Unknown())
	}
	if got := slogAttrs(r.Attrs()); len(got) != 2 || got[0].Key != "n" || len(got[1].Value.Group()) != 1 {
		t.Errorf("attributes %v", got)
	}
}

func TestDecodeIgnoresReservedBytes(t *testing.T) {
	t.Parallel()
	r := decode(t, []byte("\x01\x00\xff\xff\x01\x00\x00\x00lm\x01\xff\x01\x00\x01\x00\x00\x00k\x01"))
	if string(r.Logger()) != "l" || string(r.Message()) != "m" || len(slogAttrs(r.Attrs())) != 1 {
		t.Errorf("logger %q, message %q", r.Logger(), r.Message())
	}
}

func TestDecodeTakesFieldsOfTheRecordBetweenAttributes(t *testing.T) {
	t.Parallel()
	r := decode(t, payloadOf(wire(TagString, "a", "1"), wire(TagThread, "", "t"), wire(TagString, "b", "2"), wire(TagStack, "", "")))
	if string(r.Thread()) != "t" || r.Stack() == nil || len(slogAttrs(r.Attrs())) != 2 {
		t.Errorf("thread %q, stack %q, attributes %v", r.Thread(), r.Stack(), slogAttrs(r.Attrs()))
	}
}

func TestWhatARecordReturnsCannotGrowIntoItsPayload(t *testing.T) {
	t.Parallel()
	payload := []byte("\x01\x00\x00\x00\x01\x00\x00\x00lm" + wire(TagString, "k", "v") + wire(TagThread, "", "t"))
	before := bytes.Clone(payload)
	r := decode(t, payload)
	slices := [][]byte{r.Logger(), r.Message(), r.Thread()}
	for a := range r.Attrs().All() {
		slices = append(slices, a.Key, a.Value.Bytes())
	}
	for _, s := range slices {
		_ = append(s, "overwritten"...)
	}
	if !bytes.Equal(payload, before) {
		t.Error("an append wrote into the payload")
	}
}

func TestRawIsNothingButItsMessage(t *testing.T) {
	t.Parallel()
	for _, payload := range [][]byte{nil, []byte("x"), payloadOf(wire(TagThread, "", "t"))} {
		r := Raw(payload)
		if !r.IsRaw() || !bytes.Equal(r.Message(), payload) || len(r.Logger()) != 0 || !r.Attrs().Empty() || r.Thread() != nil {
			t.Errorf("%q: message %q, logger %q", payload, r.Message(), r.Logger())
		}
	}
}

func TestTheZeroRecordAndTheZeroAttrsAreEmpty(t *testing.T) {
	t.Parallel()
	var r Record
	var a Attrs
	if len(r.Message()) != 0 || len(r.Logger()) != 0 || !r.Attrs().Empty() || r.Stack() != nil || !a.Empty() {
		t.Error("something is there")
	}
}

func TestAValueReadAsAnotherTypeIsZero(t *testing.T) {
	t.Parallel()
	r := decode(t, payloadOf(wire(TagBool, "", "\x01"), wire(TagString, "", ""), wire(TagInt, "", "12345678")))
	for a := range r.Attrs().All() {
		v := a.Value
		if tm, offset := v.Time(); !tm.IsZero() || offset != 0 {
			t.Errorf("tag %d: Time %v", v.Tag(), tm)
		}
		if v.Uint64() != 0 || v.Float64() != 0 || v.Duration() != 0 || !v.Group().Empty() ||
			v.Tag() != TagInt && v.Int64() != 0 || v.Tag() != TagBool && v.Bool() || v.Tag() != TagString && v.Bytes() != nil {
			t.Errorf("tag %d: read as something else", v.Tag())
		}
	}
}
