package record

import (
	"bytes"
	"testing"
)

// FuzzDecode proves that no payload makes Decode or what it returns panic or read
// beyond the payload (its capacity ends there), and that what was read can be
// written and read again without a change.
func FuzzDecode(f *testing.F) {
	for _, e := range []Entry{{}, typical(), rich()} {
		f.Add(encode(f, &e))
	}
	f.Add(payloadOf(groups(MaxDepth)))
	f.Add(payloadOf(groups(MaxDepth + 1)))
	f.Add(payloadOf(wire(11, "k", "v"), wire(TagGroup, "", wire(TagGroup, "g", "")), wire(TagStack, "", "")))
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		r, err := Decode(payload[:len(payload):len(payload)])
		if !bytes.Equal(payload, before) {
			t.Fatal("Decode changed the payload")
		}
		if err != nil {
			return
		}
		first := entryOf(&r)
		once := encode(t, &first)
		again := decode(t, once)
		if !bytes.Equal(again.Logger(), r.Logger()) || !bytes.Equal(again.Message(), r.Message()) || again.Unknown() != 0 {
			t.Fatalf("%q became %q", payload, once)
		}
		second := entryOf(&again)
		if twice := encode(t, &second); !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, then %q", payload, once, twice)
		}
	})
}
