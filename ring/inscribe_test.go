//go:build amd64 && !race && !failpoints && !sched

package ring

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

func TestInscribedRecordsAreThoseThatClaimFillAndCommitWrite(t *testing.T) {
	t.Parallel()
	if !canInscribe {
		t.Skip("this processor has no instruction for CRC-32C")
	}
	r := rand.New(rand.NewPCG(1, 2))
	mem := newLaneMemory(make([]byte, MinLaneSize), r.Uint64(), 7)
	payload := make([]byte, maxInscribed)
	for n := range maxInscribed + 1 {
		for i := range payload {
			payload[i] = byte(r.Uint32())
		}
		pos, now, lost := r.Uint64N(maxPosition)&^7&^mem.mask, r.Uint64()|1, r.Uint32()
		word := lengthWord(n, int16(r.Uint32()), Kind(r.Uint32()))
		b := mem.bytes[:recordSize(uint64(n))+8]
		clear(b)
		inscribe(&b[0], payload[:n], word, mem.stamp(pos, stateClaimed), now, lost, mem.checksumSeed(pos))

		want := make([]byte, len(b))
		put64(0, want, recLength, word)
		put64(0, want, recTime, now)
		put32(0, want, recLost, lost)
		copy(want[recordHeader:], payload[:n])
		put32(0, want, recChecksum, mem.checksum(castagnoli, pos, stateCommitted, want[recChecked:recordHeader+n]))
		put64(0, want, recStamp, mem.stamp(pos, stateCommitted))
		if !bytes.Equal(b, want) {
			t.Fatalf("%d bytes: %x, want %x", n, b, want)
		}
	}
}

func TestInscribeReadsTheCounterIfThereIsNoTime(t *testing.T) {
	t.Parallel()
	if !canInscribe {
		t.Skip("this processor has no instruction for CRC-32C")
	}
	b := make([]byte, recordHeader)
	before := readCounter()
	inscribe(&b[0], nil, 0, stateClaimed, 0, 0, 0)
	if now := le.Uint64(b[recTime:]); now < before || now > readCounter() {
		t.Errorf("%d, after %d", now, before)
	}
}

// Whoever dies in the middle leaves what others see in the middle.
func TestOthersSeeAnInscribedRecordClaimedThenWhole(t *testing.T) {
	if !canInscribe || min(runtime.GOMAXPROCS(0), runtime.NumCPU()) < 2 {
		t.Skip("it takes two processors, and an instruction for CRC-32C")
	}
	mem := newLaneMemory(make([]byte, 1<<20), 0x1234_5678_9abc_def0, 0)
	payload := bytes.Repeat([]byte("payload!"), maxInscribed/8)
	word, size := lengthWord(len(payload), 0, KindRaw), recordSize(uint64(len(payload)))
	var at atomic.Uint64
	claimed, stop := 0, uint64(5000)
	go func() {
		for n := uint64(1); n <= stop; n++ {
			for at.Load() != n {
			}
			pos := mem.place(n*size, size)
			inscribe(&mem.bytes[pos&mem.mask], payload, word, mem.stamp(pos, stateClaimed), 0, 7, mem.checksumSeed(pos))
		}
	}()
	for n := uint64(1); n <= stop; n++ {
		pos := mem.place(n*size, size)
		b := mem.bytes[pos&mem.mask:][:recordHeader+len(payload)]
		clear(b)
		at.Store(n)
		state := mem.stateAt(pos)
		for ; state != stateCommitted; state = mem.stateAt(pos) {
			if state == stateClaimed {
				claimed++
				if got := wordAt(b, recLength).load(); got != word {
					t.Fatalf("record %d is claimed, its length is %#x", n, got)
				}
			} else if state != 0 {
				t.Fatalf("record %d has state %d", n, state)
			}
		}
		if sum := mem.checksum(castagnoli, pos, stateCommitted, b[recChecked:]); sum != get32(b, recChecksum) {
			t.Fatalf("record %d is committed, and its checksum is not %#x", n, sum)
		}
	}
	if claimed == 0 {
		t.Errorf("of %d records none was seen claimed", stop)
	}
}

// W9: a writer stores and then looks whether the reader sleeps; the reader says that it
// sleeps and then looks for what is stored. A plain store and the load behind it change
// places often enough that both look too early, unless the reader makes a barrier between.
func TestOfAWriterThatReleasesAndAReaderThatMakesABarrierOneSeesTheOther(t *testing.T) {
	if !canInscribe || !expectBarriers() || runtime.NumCPU() < 2 {
		t.Skip("it takes two processors and membarrier(2)")
	}
	const rounds, line = 200_000, 16 // words
	positions, flags := make([]word, rounds*line), make([]word, rounds*line)
	sawAll := make(chan []bool)
	go func() {
		saw := make([]bool, rounds)
		for n := range rounds {
			// About when the reader comes to it, which never waits.
			for n > 0 && flags[(n-1)*line].load() == 0 {
			}
			for range n * 7 % 400 {
			}
			release(&positions[n*line], 1)
			saw[n] = flags[n*line].load() != 0
		}
		sawAll <- saw
	}()
	found := make([]bool, rounds)
	for n := range rounds {
		for range 200 + n*13%200 {
		}
		flags[n*line].store(failpoint.ReaderFutex, 1)
		barrier()
		found[n] = positions[n*line].load() != 0
	}
	for n, saw := range <-sawAll {
		if !saw && !found[n] {
			t.Fatalf("round %d: neither has seen the other", n)
		}
	}
}
