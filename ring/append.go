package ring

// maxInscribed is the largest payload in bytes that is inscribed: for larger ones the checksum
// of package crc32, which works on three parts at once, is faster.
const maxInscribed = 512

// Append claims, copies payload and commits. Errors are those of Claim.
func (p *Producer) Append(payload []byte, level int16, kind Kind) error {
	if !canInscribe || len(payload) > maxInscribed {
		return p.appendInSteps(payload, level, kind)
	}
	// A single producer with nothing in its way claims here. claim does all of this too, but a
	// call takes as long as what it does.
	var start uint64
	claimed := false
	if p.single && p.busy == 0 {
		p.busy = 1
		start = p.producer.load()
		size := recordSize(uint64(len(payload)))
		if claimed = p.takes(start, size); claimed {
			release(p.producer, start+size)
		} else {
			p.busy = 0
		}
	}
	if !claimed {
		var err error
		if start, err = p.claim(len(payload), level); err != nil {
			return err
		}
	}
	off := start & p.mem.mask
	_ = p.mem.bytes[off+recordHeader+uint64(len(payload))-1] // a record never reaches beyond the lane
	var now uint64
	if !p.clock.counter {
		now = p.clock.now()
	}
	inscribe(&p.mem.bytes[off], payload, lengthWord(len(payload), level, kind),
		p.mem.stamp(start, stateClaimed), now, uint32(p.lostTotal.Load()), p.mem.checksumSeed(start))
	p.idle()
	p.committed()
	return nil
}

// takes says that a record of size bytes may be claimed at pos, the producer position, whatever
// its level: for all that is known without a look at the consumer, and without padding. Whether
// Close has begun is asked after pos was loaded, as in claim; with the closed bit a position lies
// behind all room.
func (p *Producer) takes(pos, size uint64) bool {
	return !p.draining.Load() && size <= p.mem.room(pos) && pos+size-p.consumerSeen.Load() <= p.ordinary
}

// appendInSteps is Append where a record is not inscribed.
func (p *Producer) appendInSteps(payload []byte, level int16, kind Kind) error {
	c, err := p.Claim(len(payload), level, kind)
	if err != nil {
		return err
	}
	c.Fill(payload)
	p.Commit(c)
	return nil
}
