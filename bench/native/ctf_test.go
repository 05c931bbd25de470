package native

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// event is one of the kind that skipMessage knows.
func event(id uint16, text string) []byte {
	b := binary.NativeEndian.AppendUint16(nil, id)
	b = append(b, make([]byte, map[bool]int{true: extendedHeader, false: eventHeader}[id == extendedID]-2)...)
	b = binary.NativeEndian.AppendUint64(b, uint64(len(text)))
	return append(b, text...)
}

// packet holds the events in size bytes.
func packet(size int, events ...[]byte) []byte {
	content := bytes.Join(events, nil)
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, packetMagic)
	binary.NativeEndian.PutUint64(b[contentSizeAt:], uint64(eventsAt+len(content))*8)
	binary.NativeEndian.PutUint64(b[packetSizeAt:], uint64(size)*8)
	copy(b[eventsAt:], content)
	return b
}

func TestEventsAreCountedInEachPacketAndNotBehindItsContent(t *testing.T) {
	t.Parallel()
	stream := bytes.Join([][]byte{
		packet(4096, event(0, "one"), event(extendedID, "two"), event(0, "")),
		packet(4096),
		packet(eventsAt+len(event(0, "four")), event(0, "four")),
	}, nil)
	if n, err := countEvents(bytes.NewReader(stream), skipMessage); n != 4 || err != nil {
		t.Errorf("%d events, %v; want 4", n, err)
	}
	if n, err := countEvents(strings.NewReader(""), skipMessage); n != 0 || err != nil {
		t.Errorf("%d events of an empty stream, %v", n, err)
	}
}

func TestFieldsAreSkippedToTheEndOfTheSymbol(t *testing.T) {
	t.Parallel()
	b := []byte("text\x00" + strings.Repeat("\x00", 12) + "SPX\x00next")
	if n := skipFields(b); n != 5+12+4 {
		t.Errorf("%d, want 21", n)
	}
	for n := range 21 {
		if got := skipFields(b[:n]); got != -1 {
			t.Errorf("%d of a part of %d bytes", got, n)
		}
	}
}

func TestAStreamThatIsNotWholeIsAnError(t *testing.T) {
	t.Parallel()
	whole := packet(4096, event(0, "one"))
	cut := event(0, "one")
	huge := event(0, "one")
	binary.NativeEndian.PutUint64(huge[eventHeader:], 1<<63)
	for name, stream := range map[string][]byte{
		"cut in the packet":         whole[:4000],
		"cut in the head":           append(bytes.Clone(whole), whole[:10]...),
		"no magic":                  make([]byte, 4096),
		"more content than packet":  packet(eventsAt, event(0, "")),
		"a packet past all sizes":   func() []byte { b := packet(4096); binary.NativeEndian.PutUint64(b[packetSizeAt:], 1<<62); return b }(),
		"content within the header": func() []byte { b := packet(4096); binary.NativeEndian.PutUint64(b[contentSizeAt:], 8); return b }(),
		"an event cut in its text":  packet(4096, cut[:len(cut)-1]),
		"an event cut in its head":  packet(4096, cut[:3]),
		"an event of one byte":      packet(4096, cut[:1]),
		"a text past all sizes":     packet(4096, huge),
	} {
		if n, err := countEvents(bytes.NewReader(stream), skipMessage); err == nil {
			t.Errorf("%s: %d events and no error", name, n)
		}
	}
}
