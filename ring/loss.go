package ring

// LossReason says why a record was not accepted.
type LossReason uint8

// Reasons, in the order of their counters in the lane.
const (
	LostFull        LossReason = iota // no room, and the policy is to drop at once
	LostTimeout                       // no room until the writer's deadline
	LostTooLarge                      // larger than an eighth of the lane
	LostNoReader                      // no room until the deadline, and no reader was running
	LostOverwritten                   // a flight recorder overwrote it
	LostAborted                       // its encoder failed after the claim
	lostReserved

	lossReasons = int(lostReserved) + 1
	lossSlots   = lossReasons * 2
)

// String is the reason's name in markers, in stat and in JSON.
func (r LossReason) String() string {
	switch r {
	case LostFull:
		return "full"
	case LostTimeout:
		return "timeout"
	case LostTooLarge:
		return "too large"
	case LostNoReader:
		return "no reader"
	case LostOverwritten:
		return "overwritten"
	case LostAborted:
		return "aborted"
	}
	return "unknown"
}

// slot is the index of the counter for r in the band of level.
func (r LossReason) slot(level int16) int {
	if level >= WarningLevel {
		return 2*int(r) + 1
	}
	return 2 * int(r)
}

// LossCounts holds one counter for each reason and band, in the lane's order:
// reason r below WARNING at 2r, at WARNING and above at 2r+1.
type LossCounts [lossSlots]uint64

// Total is the sum over all reasons and bands.
func (c *LossCounts) Total() uint64 {
	var n uint64
	for _, v := range c {
		n += v
	}
	return n
}

// Of returns the counts for one reason: below WARNING, and WARNING and above.
func (c *LossCounts) Of(r LossReason) (below, above uint64) {
	return c[2*int(r)], c[2*int(r)+1]
}

// Since returns the counts that came after base.
func (c LossCounts) Since(base LossCounts) LossCounts {
	for i := range c {
		c[i] -= base[i]
	}
	return c
}

// Reasons yields every reason with a count, in the order of the counters.
func (c *LossCounts) Reasons(yield func(LossReason, uint64) bool) {
	for r := range LossReason(lossReasons) {
		if below, above := c.Of(r); below+above > 0 && !yield(r, below+above) {
			return
		}
	}
}

// extend turns the 32-bit total that a record carries into the 64-bit one. lane
// is the sum of the lane's counters, read after the record: what the record
// carries is at most that, and not more than 2³² behind it (W5).
func extend(carried uint32, lane uint64) uint64 {
	return lane - uint64(uint32(lane)-carried)
}
