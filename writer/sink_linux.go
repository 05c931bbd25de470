package writer

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// sink is a lane of a ring.
type sink struct {
	number   uint64 // of this sink among those of the process
	producer *ring.Producer
	policy   Policy
	timeout  time.Duration
	level    slog.Leveler
	counters counters

	// What blocking needs of the world; fields, so that tests need no real time.
	now           func() time.Time
	wait          func(seen uint64, timeout time.Duration)
	readerRunning func() bool

	// blocked is held, for each band, by the one goroutine that waits for room. A
	// goroutine in a futex call occupies a thread, and a Go process dies of its
	// 10,000th: so the others queue here, where they occupy nothing. The bands queue
	// apart, since what has no room below WARNING may have room above (W10).
	blocked [2]sync.Mutex
	stalled sync.Mutex
	stall   stall // guarded by stalled; one for both bands

	rules atomic.Pointer[rules] // the last ones that were read whole
}

// rules are the ring's rules for levels.
type rules struct {
	version uint64
	list    []ring.LevelRule
}

// sinks counts the sinks of this process.
var sinks atomic.Uint64

func openSink(path string, o Options) (*sink, error) {
	if path == "" {
		path = os.Getenv(RingVariable)
	}
	if path == "" {
		return nil, fmt.Errorf("%w: pass its path, or set %s to it", ErrNoRing, RingVariable)
	}
	p, err := ring.Attach(path, ring.AttachOptions{Label: o.Label, SingleProducer: o.SingleProducer})
	if err != nil {
		return nil, asOpenError(err)
	}
	return &sink{
		number: sinks.Add(1), producer: p, policy: o.Policy, timeout: o.Timeout, level: levelOf(o),
		now: time.Now, wait: p.Wait, readerRunning: p.ReaderRunning,
	}, nil
}

func (s *sink) append(level record.Level, p []byte) error {
	if err := s.appendNow(level, p); err != nil {
		return s.appendLate(err, level, p)
	}
	return nil
}

// appendNow appends a raw record if nothing is in its way; else appendLate goes on. It is
// inlined: one call takes a twentieth of an append.
func (s *sink) appendNow(level record.Level, p []byte) error {
	return s.producer.Append(p, int16(level), ring.KindRaw)
}

// appendLate goes on where appendNow failed with cause.
func (s *sink) appendLate(cause error, level record.Level, p []byte) error {
	return s.late(cause, level, p, ring.KindRaw)
}

// appendLog appends an encoded log record.
func (s *sink) appendLog(level record.Level, payload []byte) error {
	if err := s.producer.Append(payload, int16(level), ring.KindLog); err != nil {
		return s.late(err, level, payload, ring.KindLog)
	}
	return nil
}

func (s *sink) late(cause error, level record.Level, p []byte, kind ring.Kind) error {
	c, err := s.claimLate(cause, len(p), level, kind)
	if err != nil {
		return err
	}
	c.Fill(p)
	s.producer.Commit(c)
	return nil
}

func (s *sink) log(level record.Level, e *record.Entry) error {
	var room scratch
	n, ok := e.EncodeShort(room.payload[:])
	if !ok {
		return s.logLong(level, e)
	}
	return s.appendLog(level, room.payload[:n])
}

// logLong logs what is too long for the stack, or not plain.
func (s *sink) logLong(level record.Level, given *record.Entry) error {
	e := *given
	e.Attrs = e.Prepared()
	n, err := e.Size()
	if err != nil {
		return s.refuse(err, level)
	}
	c, err := s.producer.Claim(n, int16(level), ring.KindLog)
	if err != nil {
		if c, err = s.claimLate(err, n, level, ring.KindLog); err != nil {
			return err
		}
	}
	return s.encode(c, level, &e)
}

// encode writes e into the claim and commits it, or gives the claim up if e does
// not fit it exactly.
//
// An entry that another goroutine changes meanwhile, against the rules, can even
// make Encode panic. The claim is given up then too: left alone, it would stop the
// lane for as long as this process lives (W6).
func (s *sink) encode(c ring.Claim, level record.Level, e *record.Entry) error {
	whole := false
	failpoint.Hit(failpoint.AppendPayload)
	defer func() {
		if !whole {
			s.abort(c, level)
		}
	}()
	if e.Encode(c.Payload) != nil {
		return ErrAborted
	}
	whole = true
	s.producer.Commit(c)
	return nil
}

// abort gives up a claim. It counts first: the claim keeps Close from ending the
// lane, so that the count is this owner's.
func (s *sink) abort(c ring.Claim, level record.Level) {
	s.count(reasonAborted, level)
	s.producer.Abort(c)
}

// refuse counts an entry that cannot be encoded, and returns why.
func (s *sink) refuse(err error, level record.Level) error {
	why := reasonAborted
	if errors.Is(err, record.ErrTooLong) {
		why = reasonTooLarge
	}
	if !s.count(why, level) {
		return ErrClosed
	}
	return err
}

// claimLate goes on where Claim failed with cause: it waits for room, if that is
// the policy, or counts the record as lost and returns why.
func (s *sink) claimLate(cause error, n int, level record.Level, kind ring.Kind) (ring.Claim, error) {
	switch {
	case errors.Is(cause, ring.ErrClosed):
		return ring.Claim{}, ErrClosed
	case errors.Is(cause, ring.ErrTooLarge):
		return ring.Claim{}, s.lose(reasonTooLarge, level)
	case errors.Is(cause, ring.ErrConcurrent):
		return ring.Claim{}, s.concurrent(level)
	case s.policy == PolicyDrop:
		return ring.Claim{}, s.lose(reasonFull, level)
	}
	blocked := &s.blocked[0]
	if level >= record.LevelWarning {
		blocked = &s.blocked[1]
	}
	blocked.Lock()
	defer blocked.Unlock()
	for {
		// Looked up before the claim is tried: room given back between the two
		// then ends the wait. The other way round it would go unseen, and the
		// reader, with nothing left to drain, would give back no more.
		seen := s.producer.Consumed()
		c, err := s.producer.Claim(n, int16(level), kind)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, ring.ErrClosed):
			return ring.Claim{}, ErrClosed
		case errors.Is(err, ring.ErrConcurrent):
			return ring.Claim{}, s.concurrent(level)
		}
		left := s.left(seen)
		// A process that was stopped for long finds the deadline past, and room.
		if left <= 0 && s.producer.Consumed() == seen {
			return ring.Claim{}, s.lose(s.why(), level)
		}
		s.wait(seen, left)
	}
}

// left is how long to wait for room in a lane found full with its consumer at seen.
func (s *sink) left(seen uint64) time.Duration {
	now := s.now()
	s.stalled.Lock()
	defer s.stalled.Unlock()
	return s.stall.left(seen, now, s.timeout)
}

// why is the reason for which records are lost in the present stall.
func (s *sink) why() reason {
	s.stalled.Lock()
	defer s.stalled.Unlock()
	return s.stall.reason(s.readerRunning)
}

// concurrent counts a record that came in the middle of another goroutine's.
func (s *sink) concurrent(level record.Level) error {
	if !s.count(reasonAborted, level) {
		return ErrClosed
	}
	return ErrConcurrent
}

// lose counts a record as lost and returns the error that says so.
func (s *sink) lose(why reason, level record.Level) error {
	if !s.count(why, level) {
		return ErrClosed
	}
	return losses[why].err
}

// count counts a lost record, unless the writer is closed.
func (s *sink) count(why reason, level record.Level) bool {
	if !s.producer.CountLost(losses[why].counter, int16(level)) {
		return false
	}
	s.counters.add(why, level)
	return true
}

// losses says what a reason is to the caller, and to the ring.
var losses = [reasonCount]struct {
	err     error
	counter ring.LossReason
}{
	reasonFull:     {ErrFull, ring.LostFull},
	reasonTimeout:  {ErrTimeout, ring.LostTimeout},
	reasonNoReader: {ErrNoReader, ring.LostNoReader},
	reasonTooLarge: {ErrTooLarge, ring.LostTooLarge},
	reasonAborted:  {ErrAborted, ring.LostAborted},
}

// levelVersion is what changes when the ring's rules for levels do.
func (s *sink) levelVersion() uint64 { return s.producer.LevelVersion() }

// keep keeps r, unless another goroutine has read later rules by now.
func (s *sink) keep(r *rules) {
	for {
		before := s.rules.Load()
		if before != nil && before.version >= r.version || s.rules.CompareAndSwap(before, r) {
			return
		}
	}
}

// minLevel is the ring's rule for a logger, and the version for which that holds:
// while the rules are being changed, which somebody who died may have left them in,
// all loggers go by the last ones that were whole.
func (s *sink) minLevel(logger string) (level record.Level, found bool, version uint64) {
	list, version, ok := s.producer.Levels()
	if ok {
		s.keep(&rules{version, list})
	} else if before := s.rules.Load(); before != nil {
		list = before.list
	}
	l, found := ring.MinLevel(list, logger)
	return record.Level(l), found, version
}

func (s *sink) stats() Stats {
	return Stats{Lane: s.producer.Lane(), Lost: s.counters.lost(), Backlog: s.producer.Backlog()}
}

func (s *sink) close() error {
	if err := s.producer.Close(); err != nil {
		return fmt.Errorf("writer: closing: %w", err)
	}
	return nil
}
