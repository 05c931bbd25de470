package native

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The layout of LTTng's trace files, of the Common Trace Format 1.8, as the metadata
// beside them declares it (https://diamon.org/ctf/v1.8.3/). babeltrace2 reads any, but
// takes three seconds for a million events, and a run may have dozens of millions.
//
// A file is packets. Each has a header (magic, UUID, two numbers of the stream), a
// context (of which the sizes are of use here) and events, with no gaps between them.
const (
	packetMagic    = 0xC1FC1FC1
	headerSize     = 4 + 16 + 4 + 8
	contentSizeAt  = headerSize + 16 // in bits, as the next
	packetSizeAt   = headerSize + 24
	eventsAt       = headerSize + 6*8 + 4
	eventHeader    = 2 + 4         // id, low half of the time
	extendedID     = 0xFFFF        // in place of the id, if the time has moved far:
	extendedHeader = 2 + 4 + 8     // id and all of the time
	largestPacket  = subBufferSize // one packet is one sub-buffer
)

// skipEvent returns how long the fields are at the start of b, or −1 where b ends
// before they do.
type skipEvent func(b []byte) int

// skipMessage: a length, and as many bytes.
func skipMessage(b []byte) int {
	if len(b) < 8 {
		return -1
	}
	n := binary.NativeEndian.Uint64(b)
	if n > uint64(len(b)-8) {
		return -1
	}
	return 8 + int(n)
}

// skipFields: a string, an int, a double and a string.
func skipFields(b []byte) int {
	text := bytes.IndexByte(b, 0)
	if text < 0 || text+1+4+8 > len(b) {
		return -1
	}
	at := text + 1 + 4 + 8
	symbol := bytes.IndexByte(b[at:], 0)
	if symbol < 0 {
		return -1
	}
	return at + symbol + 1
}

// countEvents counts the events of a stream, each of which has fields of the one kind
// that skip knows. An error says that the stream is not of this layout, or not whole.
func countEvents(r io.Reader, skip skipEvent) (n uint64, err error) {
	in := bufio.NewReaderSize(r, 1<<20)
	packet := make([]byte, largestPacket)
	for at := int64(0); ; {
		head, err := in.Peek(eventsAt)
		if errors.Is(err, io.EOF) && len(head) == 0 {
			return n, nil
		} else if err != nil {
			return 0, fmt.Errorf("the packet at %d is cut short: %w", at, err)
		}
		content, size := binary.NativeEndian.Uint64(head[contentSizeAt:])/8, binary.NativeEndian.Uint64(head[packetSizeAt:])/8
		if magic := binary.NativeEndian.Uint32(head); magic != packetMagic || content < eventsAt || content > size || size > largestPacket {
			return 0, fmt.Errorf("at %d is a packet with magic %#x, %d bytes, %d of them used: want %#x, and %d bytes at most", at, magic, size, content, uint32(packetMagic), largestPacket)
		}
		if _, err := io.ReadFull(in, packet[:size]); err != nil {
			return 0, fmt.Errorf("the packet at %d is cut short: %w", at, err)
		}
		events, err := countPacket(packet[eventsAt:content], skip)
		if err != nil {
			return 0, fmt.Errorf("the packet at %d: %w", at, err)
		}
		n += events
		at += int64(size)
	}
}

func countPacket(b []byte, skip skipEvent) (n uint64, err error) {
	for ; len(b) > 0; n++ {
		header := eventHeader
		if len(b) >= 2 && binary.NativeEndian.Uint16(b) == extendedID {
			header = extendedHeader
		}
		fields := -1
		if len(b) >= header {
			fields = skip(b[header:])
		}
		if fields < 0 {
			return 0, fmt.Errorf("event %d does not end within its packet", n)
		}
		b = b[header+fields:]
	}
	return n, nil
}
