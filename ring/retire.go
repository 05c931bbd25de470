package ring

import (
	"errors"
	"fmt"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Retire marks the ring as being removed and makes sure that nobody has a lane of
// it or is about to have one (O6): from then on nobody can attach, until Unretire.
// ok is false if a lane has an owner or is being claimed; the ring is then as it was.
//
// The caller holds no lane's lock, as a reader does while it drains a dead owner's
// lane: the lock would be given back here.
func (c *Consumer) Retire() (ok bool, err error) {
	// Only to spare those who would find the mark while it stands in vain.
	if len(c.Attached()) > 0 {
		return false, nil
	}
	c.control(ctlRetired).store(failpoint.RetireMark, markRetired)
	deadline := time.Now().Add(settleTime)
	for i := range c.ring.LaneCount {
		if ok, err := c.vacate(i, deadline); !ok {
			c.Unretire()
			return false, err
		}
	}
	return true, nil
}

// vacate takes lane i's lock once, after the mark was stored. Whoever takes it
// later looks at the mark under it and lets go, so it need not be kept. A lock that
// is held is an owner's if the lane is owned; else it is that of a claimant, which
// may have looked before the mark was there, or of an owner between its last two
// steps (O5), and is waited for. That is why closed lanes are not passed over: a
// claimant of one may be at work.
func (c *Consumer) vacate(i int, deadline time.Time) (ok bool, err error) {
	lock := c.ring.entryOffset(i)
	for {
		switch ok, err := c.from.tryLock(lock); {
		case err != nil:
			return false, err
		case ok:
			return true, c.from.unlock(lock)
		case c.State(i) == LaneOwned || time.Now().After(deadline):
			return false, nil
		}
		pause(100 * time.Microsecond)
	}
}

// Unretire clears the mark that Retire stored: the ring stays in use.
func (c *Consumer) Unretire() { c.control(ctlRetired).store(failpoint.RetireMark, 0) }

// Unlink removes the ring's file, which Retire and then Undrained have cleared for
// it. It is harmless if somebody has removed it already; it fails, and removes
// nothing, if the path is another file's by now. The ring must still be closed.
func (c *Consumer) Unlink() error { return c.from.unlink() }

// Discard removes the ring at path, which was made in vain. It is left alone, without
// an error, if somebody has attached to it meanwhile: what he logs is for the next
// reader. Errors: those of OpenConsumer, and that the path is another file's by now.
func Discard(path string) error {
	c, err := OpenConsumer(path)
	if err != nil {
		return err
	}
	switch ok, err := c.Retire(); {
	case !ok:
		return errors.Join(err, c.Close())
	case c.Undrained() != "":
		c.Unretire()
		return c.Close()
	}
	return errors.Join(c.Unlink(), c.Close())
}

// Attached returns the owners whose lanes are locked, which is to say that they are
// alive: for messages, since it is out of date at once (O2).
func (c *Consumer) Attached() []Owner {
	var owners []Owner
	for i := range c.ring.LaneCount {
		if c.State(i) != LaneOwned {
			continue
		}
		if held, err := c.from.lockHeld(c.ring.entryOffset(i)); err == nil && held {
			o, _ := c.entry(i).owner(laneSeed(c.ring.key, i))
			owners = append(owners, o)
		}
	}
	return owners
}

// Undrained says in a few words what a retired ring still holds for a reader, or ""
// if there is nothing. Damaged bytes from which no reader could make a record do
// not count.
func (c *Consumer) Undrained() string {
	if in, err := c.Intent(); err != nil || in.State != IntentNone {
		return "a batch is not finished"
	}
	for i := range c.ring.LaneCount {
		if what := c.undrained(i); what != "" {
			return fmt.Sprintf("lane %d %s", i, what)
		}
	}
	return ""
}

func (c *Consumer) undrained(i int) string {
	e := c.entry(i)
	state := c.State(i)
	p, ok := e.progress(laneSeed(c.ring.key, i))
	end := e.producer().load() &^ closedBit
	lost := e.lost()
	switch {
	case state == LaneDamaged:
		return "" // what was whole in it was salvaged before it was called that
	case state == LaneFree && ok && (end == p.Consumer || end == c.ring.ownerEnd(p.Consumer)):
		return ""
	case state == LaneClosed && ok && end == p.Consumer && lost.Total() == p.LostSeen:
		return ""
	case state == LaneClosed && ok && end == p.Consumer:
		return fmt.Sprintf("lost %d records that are not in the log yet", lost.Total()-p.LostSeen)
	}
	l, err := c.Lane(i)
	if err != nil {
		return "" // it has no memory, so it has no records
	}
	if state == LaneOwned {
		return "is not drained to its dead owner's end"
	}
	// The words do not fit each other, or a reader could not follow them.
	from := uint64(0)
	if ok {
		from = p.Consumer
	}
	for _, pos := range l.Salvage(from) {
		if it, ok := l.At(pos); ok && it.Kind != KindOwner {
			return fmt.Sprintf("is %v and holds records that are not drained", state)
		}
	}
	return ""
}
