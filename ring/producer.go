package ring

import (
	"hash/crc32"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Producer appends to one lane on behalf of one process. All methods may be
// called concurrently, by any number of goroutines; but see
// [AttachOptions.SingleProducer].
type Producer struct {
	mem      laneMemory
	table    *crc32.Table
	clock    laneClock
	producer *word // this process's goroutines compete for it by compare-and-swap
	consumer *word // stored by the reader alone
	reader   *word // the reader's futex word
	levels   *word // version of the level rules
	// single: one goroutine at a time uses the producer. busy: it is in an append, 1, or is
	// not. Both its stores are plain ones; Close sees them behind a barrier.
	single bool
	busy   uint32
	// ordinary is how many bytes of the lane records below WARNING may take (W10).
	ordinary uint64

	// consumerSeen is the last consumer position this process looked up. The
	// reader only moves it on, so an old value is a safe bound, and the reader's
	// cache line is touched once a lap instead of once an append.
	consumerSeen atomic.Uint64
	// lostTotal is the sum of the lane's loss counters, kept here so that an
	// append reads one word instead of fourteen.
	lostTotal atomic.Uint64
	// draining: Close has begun. Claims look at it too, since the closed bit goes when
	// the lane gets its next owner (O5).
	draining atomic.Bool

	_ [64]byte // what follows is for slow paths

	lane  int
	entry []byte // the lane's table entry
	from  backing
	ring  Header
	slow  atomic.Int64 // goroutines inside Wait or CountLost; negative once Close has shut it (O5)
}

// Claim is room for one record, claimed and not yet visible to the reader. It
// must be committed or aborted: an abandoned one stops the lane until its owner
// dies. So only packages of this module handle claims; users never see one.
type Claim struct {
	// Payload is the claimed room for the payload, in the shared memory itself:
	// exactly as long as was asked for, valid until Commit or Abort.
	Payload []byte

	pos uint64
}

// Claim takes room for a record with a payload of n bytes at level and of kind.
// It allocates nothing, takes no lock and makes no system call.
//
// Below WARNING the lane is full an eighth earlier, so that the records that say
// what is wrong still find room when there are too many of the others (W10).
//
// Errors: ErrFull (try again after Wait, or CountLost), ErrTooLarge, ErrClosed,
// ErrConcurrent.
func (p *Producer) Claim(n int, level int16, kind Kind) (Claim, error) {
	start, err := p.claim(n, level)
	if err != nil {
		return Claim{}, err
	}
	off, size := start&p.mem.mask, recordSize(uint64(n))
	b := p.mem.bytes[off : off+size : off+size]
	// The length goes first, then the stamp that vouches for it (W2): the other
	// way round, a length of an earlier lap could lead past a committed record.
	put64(failpoint.ClaimLength, b, recLength, lengthWord(n, level, kind))
	p.mem.setStamp(failpoint.ClaimStamp, start, stateClaimed)
	put64(failpoint.ClaimTime, b, recTime, p.clock.now())
	return Claim{Payload: b[recordHeader : recordHeader+n : recordHeader+n], pos: start}, nil
}

// lengthWord is the word of a record's header that has its length, level and kind.
func lengthWord(n int, level int16, kind Kind) uint64 {
	return uint64(n) | uint64(uint16(level))<<32 | uint64(kind)<<48
}

// claim moves the producer position over a record with a payload of n bytes, and returns
// the record's.
func (p *Producer) claim(n int, level int16) (start uint64, err error) {
	size := recordSize(uint64(n))
	if size > p.mem.maxRecord() {
		return 0, ErrTooLarge
	}
	if p.single {
		if p.busy != 0 {
			return 0, ErrConcurrent
		}
		p.busy = 1
	}
	// The producer position moves on before any byte behind it is written (W1):
	// else the whole record of an owner that dies here would lie where the next
	// owner claims.
	pos := p.producer.load()
	share := p.mem.size
	if level < WarningLevel {
		share = p.ordinary
	}
	for {
		// In this order: a position of the lane's next owner, with the bit cleared, is
		// loaded after Close began in this process; and a position loaded before that
		// is gone when the next owner comes, so that the compare-and-swap fails.
		if pos&closedBit != 0 || p.draining.Load() {
			p.idle()
			runtime.KeepAlive(p) // a closed lane is unmapped when p is garbage
			return 0, ErrClosed
		}
		start = p.mem.place(pos, size)
		end := start + size
		if end-p.consumerSeen.Load() > share {
			// Acquire: the reader stored the position after its last read of
			// the memory that it gives back.
			c := p.consumer.load()
			p.consumerSeen.Store(c)
			if end-c > share {
				// While this goroutine did not run, others may have moved the
				// producer position and the reader have drained beyond pos;
				// then end lies behind c, and the lane is anything but full.
				if now := p.producer.load(); now != pos {
					pos = now
					continue
				}
				p.idle()
				runtime.KeepAlive(p)
				return 0, ErrFull
			}
		}
		if p.single && canInscribe {
			// Close has not begun, or waits until this is done: the position is still pos.
			release(p.producer, end)
			break
		}
		// One compare-and-swap for padding and record together (W3).
		if p.producer.cas(failpoint.ClaimPosition, pos, end) {
			break
		}
		pos = p.producer.load()
	}
	if start != pos {
		p.mem.setStamp(failpoint.ClaimPadding, pos, statePadding)
	}
	return start, nil
}

// idle ends an append of a single producer.
func (p *Producer) idle() {
	if p.single {
		p.busy = 0
	}
}

// Fill copies p, which is as long as Payload, into the claim.
func (c Claim) Fill(p []byte) { putBytes(failpoint.AppendPayload, c.Payload, p) }

// Commit makes the record whole and visible.
func (p *Producer) Commit(c Claim) { p.finish(c, stateCommitted) }

// Abort gives the record up: readers skip it. It leaves a valid length and
// checksum, so that a reader can tell it from damage.
func (p *Producer) Abort(c Claim) { p.finish(c, stateAborted) }

func (p *Producer) finish(c Claim, state uint64) {
	off := c.pos & p.mem.mask
	n := recordHeader + uint64(len(c.Payload))
	b := p.mem.bytes[off : off+n : off+n]
	put32(failpoint.CommitLost, b, recLost, uint32(p.lostTotal.Load()))
	put32(failpoint.CommitChecksum, b, recChecksum, p.mem.checksum(p.table, c.pos, state, b[recChecked:]))
	p.mem.setStamp(failpoint.CommitStamp, c.pos, state)
	p.idle()
	p.committed()
}

// committed wakes the reader if it sleeps. The stamp's store and this load must not change
// places (W9), else a reader that goes to sleep between them would not be woken. Go's
// atomics are sequentially consistent, so they do not; and for inscribe's plain stores the
// reader sees to it, see expectBarriers.
func (p *Producer) committed() {
	if p.reader.load() != futexAwake {
		wakeReader(p.reader)
	}
	runtime.KeepAlive(p) // Close unmaps the memory when p is garbage
}

// CountLost counts one record of the given level as lost for reason. The next
// record that is committed carries the new total, which is its place in the log.
// The lane's counter is raised before this process's own total: a reader that
// meets the total finds at least as much in the lane (W5). Once Close has
// succeeded it counts nothing and says so: the lane may be another process's.
func (p *Producer) CountLost(reason LossReason, level int16) (counted bool) {
	if !p.enter() {
		return false
	}
	defer p.leave()
	wordAt(p.entry, lanLost+8*uint64(reason.slot(level))).add(failpoint.CountLost, 1)
	p.lostTotal.Add(1)
	return true
}

// enter and leave enclose what a slow path does to the lane. Close waits until
// nobody is inside and then shuts it for good, in one compare-and-swap: a
// goroutine that was preempted on a slow path would otherwise count its loss, or
// raise its flag, in the lane of a later owner (O5).
func (p *Producer) enter() bool {
	for {
		n := p.slow.Load()
		if n < 0 {
			return false
		}
		if p.slow.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (p *Producer) leave() { p.slow.Add(-1) }

// shut shuts the slow paths if nobody is inside.
func (p *Producer) shut() bool { return p.slow.CompareAndSwap(0, math.MinInt64) }

// MaxPayload is the size in bytes of the largest payload that fits a record.
func (p *Producer) MaxPayload() int { return int(p.mem.maxRecord()) - recordHeader }

// Lane is the index of the lane, Ring what the ring's header says.
func (p *Producer) Lane() int    { return p.lane }
func (p *Producer) Ring() Header { return p.ring }

// Backlog is the number of bytes claimed and not yet drained; 0 once Close has
// succeeded.
func (p *Producer) Backlog() uint64 {
	if !p.enter() {
		return 0
	}
	defer p.leave()
	c := p.consumer.load() // first: later it could be ahead of a producer position loaded before
	return p.producer.load()&^closedBit - c
}

// Consumed is the lane's consumer position; it moves whenever the reader
// gives memory back.
func (p *Producer) Consumed() uint64 {
	defer runtime.KeepAlive(p)
	return p.consumer.load()
}

// ReaderRunning says whether a reader holds the ring now. It makes a system
// call and is out of date at once: for choosing words, not for decisions.
func (p *Producer) ReaderRunning() bool {
	defer runtime.KeepAlive(p)
	held, err := p.from.lockHeld(p.ring.ControlOffset + ctlReader)
	return err == nil && held
}

// Wait sleeps until the consumer position differs from seen, until timeout has
// passed, or until Close has begun, whichever is first. It may return early.
func (p *Producer) Wait(seen uint64, timeout time.Duration) {
	if !p.enter() {
		return
	}
	defer p.leave()
	if p.draining.Load() {
		return
	}
	f := wordAt(p.entry, lanFutex)
	// Store the flag, then look again; the reader publishes, then looks at the
	// flag. Both orders are sequentially consistent, so one of the two sees the
	// other and no wake-up is lost.
	f.store(failpoint.WaitFlag, futexWaiting)
	if p.consumer.load() == seen {
		futexWait(f, futexWaiting, timeout)
	}
}
