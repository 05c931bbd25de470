package ring

import "slices"

// salvage finds every whole record in the lane's memory without trusting any
// position: each 8-byte word is tried as a stamp, whose position must belong at
// its offset and whose checksum must hold. It returns the positions in order.
// from is the lowest position wanted.
//
// It serves lanes whose positions are impossible, and ringdump --all. It takes
// time linear in the lane's size (scanCost).
func (c *cursor) salvage(from uint64) []uint64 {
	c.budget = scanCost * c.mem.size
	var found []uint64
	for off := uint64(0); off < c.mem.size; {
		pos := (wordAt(c.mem.bytes, off).load() ^ c.mem.key) &^ stateMask
		size, ok := c.salvageAt(pos, off)
		if !ok {
			off += 8
			continue
		}
		if pos >= from && c.mem.stateAt(pos) == stateCommitted {
			found = append(found, pos)
		}
		off += size
	}
	slices.Sort(found)
	return found
}

// salvageAt says whether a whole record for pos lies at off, and its size.
func (c *cursor) salvageAt(pos, off uint64) (size uint64, ok bool) {
	if pos&c.mem.mask != off || pos > maxPosition {
		return 0, false
	}
	s := c.mem.stateAt(pos)
	if s != stateCommitted && s != stateAborted {
		return 0, false
	}
	_, size, ok = c.length(pos, pos+c.mem.room(pos))
	if !ok || !c.spend(size) {
		return 0, false
	}
	return size, c.check(pos, pos+size, s)
}

// at reads the record that salvage found at pos.
func (c *cursor) at(pos uint64) (Item, bool) {
	if c.mem.stateAt(pos) != stateCommitted || !c.check(pos, pos+c.mem.room(pos), stateCommitted) {
		return Item{}, false
	}
	return c.it, true
}
