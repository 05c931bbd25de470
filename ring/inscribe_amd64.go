//go:build !race && !failpoints && !sched

package ring

import (
	"hash/crc32"

	"golang.org/x/sys/cpu"
)

// canInscribe says that inscribe is there: the processor needs the instructions for CRC-32C
// and for multiplying without carry.
var canInscribe = cpu.X86.HasSSE42 && cpu.X86.HasPCLMULQDQ

// moves are what a CRC-32C is multiplied with to move it over 0, 1, 2 … bytes, modulo the
// polynomial: x to the power of 8 a byte, less 33, since the instructions that multiply and
// reduce add these. Like all of that CRC they have the highest power in the lowest bit.
//
//lint:ignore U1000 inscribe reads it
var moves = func() (table [maxInscribed + 1]uint32) {
	const polynomial = crc32.Castagnoli
	v := uint32(1 << 31) // x to the power of 0
	for range 33 {
		if v&(1<<31) != 0 {
			v = (v^polynomial)<<1 | 1
		} else {
			v <<= 1
		}
	}
	for i := range table {
		table[i] = v
		for range 8 {
			v = v>>1 ^ -(v&1)&polynomial
		}
	}
	return table
}()

// inscribe writes the record that begins at b, whose position is claimed, and makes it visible:
// word is its length, level and kind, stamp its CLAIMED stamp, time its time, or 0 for the cycle
// counter's, lost the loss total that the record carries, and seed what its checksum begins with.
// Behind b there is room for the header and payload, which has up to maxInscribed bytes.
//
// A reader that goes to sleep meanwhile is not seen by a load behind the last store, unless
// it makes a barrier of it, see expectBarriers.
//
//go:noescape
func inscribe(b *byte, payload []byte, word, stamp, time uint64, lost, seed uint32)
