package main

// appendMutants break what a writer does from claim to commit.
func appendMutants() []mutant {
	const producer, record = "ring/producer.go", "ring/record.go"
	const appending, inscribe = "ring/append.go", "ring/inscribe_amd64.s"
	caughtBy := suites(ringTests, schedules, readerTests)
	return []mutant{
		{
			name: "COMMITTED before the payload", rule: "W2.8", tests: caughtBy,
			edits: edits(in(producer,
				"p.mem.setStamp(failpoint.ClaimStamp, start, stateClaimed)",
				"p.mem.setStamp(failpoint.ClaimStamp, start, stateCommitted)")),
		},
		{
			name: "COMMITTED before the checksum", rule: "W2.10", tests: caughtBy,
			edits: edits(
				in(producer, "	put32(failpoint.CommitLost,", "	p.mem.setStamp(failpoint.CommitStamp, c.pos, state)\n	put32(failpoint.CommitLost,"),
				in(producer, "b[recChecked:]))\n	p.mem.setStamp(failpoint.CommitStamp, c.pos, state)\n", "b[recChecked:]))\n")),
		},
		{
			name: "CLAIMED before the length", rule: "W2.7", tests: caughtBy,
			edits: edits(
				in(producer, "	put64(failpoint.ClaimLength,", "	p.mem.setStamp(failpoint.ClaimStamp, start, stateClaimed)\n	put64(failpoint.ClaimLength,"),
				in(producer, "kind))\n	p.mem.setStamp(failpoint.ClaimStamp, start, stateClaimed)\n", "kind))\n")),
		},
		{
			name: "stamp without release order", rule: "W2.10", tests: suites(ringRace),
			edits: edits(in(record,
				"	wordAt(m.bytes, pos&m.mask).store(at, m.stamp(pos, state))",
				"	put64(at, m.bytes, pos&m.mask, m.stamp(pos, state))")),
		},
		{
			name: "position after the bytes", rule: "W1", tests: caughtBy,
			edits: edits(
				in(producer, "p.producer.cas(failpoint.ClaimPosition, pos, end)", "p.producer.load() == pos"),
				in(producer, "	return Claim{Payload:", "	p.producer.cas(failpoint.ClaimPosition, p.producer.load(), start+size)\n	return Claim{Payload:")),
		},
		{
			name: "position by load and store", rule: "W2.5", tests: caughtBy,
			edits: edits(in(producer,
				"		if p.producer.cas(failpoint.ClaimPosition, pos, end) {\n			break",
				"		if p.producer.load() == pos {\n			p.producer.store(failpoint.ClaimPosition, end)\n			break")),
		},
		{
			name: "padding without a stamp", rule: "W2.6", tests: caughtBy,
			edits: edits(in(producer, "	if start != pos {\n		p.mem.setStamp(failpoint.ClaimPadding, pos, statePadding)\n	}\n", "")),
		},
		{
			name: "padding claimed by itself", rule: "W3", tests: caughtBy,
			edits: edits(in(producer,
				"		start = p.mem.place(pos, size)\n		end := start + size\n",
				"		start = p.mem.place(pos, size)\n		if start != pos && p.producer.cas(failpoint.ClaimPosition, pos, start) {\n			p.mem.setStamp(failpoint.ClaimPadding, pos, statePadding)\n			pos = start\n		}\n		end := start + size\n")),
		},
		{
			name: "record that straddles the end", rule: "W3", tests: caughtBy,
			edits: edits(in(record, "size > r {", "size > r+8 {")),
		},
		{
			name: "padding where the record fits", rule: "W2.3", tests: caughtBy,
			edits: edits(in(record, "size > r {", "size >= r {")),
		},
		{
			name: "WARNING's share not kept", rule: "W10", tests: caughtBy,
			edits: edits(in(producer, "		share = p.ordinary\n", "		share = p.mem.size\n")),
		},
		{
			name: "full lane overwritten for padding", rule: "W2.4", tests: caughtBy,
			edits: edits(in(producer, "			if end-c > share {", "			if pos+size-c > share {")),
		},
		{
			name: "losses carried as a delta", rule: "W5", tests: caughtBy,
			edits: edits(in(producer, "recLost, uint32(p.lostTotal.Load())", "recLost, uint32(p.lostTotal.Swap(0))")),
		},
		{
			name: "losses counted from 0 by each owner", rule: "W5", tests: caughtBy,
			edits: edits(in("ring/owner.go", "p.lostTotal.Store(o.BeginLost.Total())", "p.lostTotal.Store(0)")),
		},
		{
			name: "closed lane not refused by a claim", rule: "O5", tests: caughtBy,
			edits: edits(in(producer, "		if pos&closedBit != 0 || p.draining.Load() {", "		if pos == closedBit {")),
		},
		{
			name: "closed bit alone looked at by a claim", rule: "O5", tests: suites(schedules),
			edits: edits(in(producer, "pos&closedBit != 0 || p.draining.Load()", "pos&closedBit != 0")),
		},
		{
			name: "inscribed without CLAIMED", rule: "W2.7", tests: suites(ringTests),
			edits: edits(in(inscribe, "	MOVQ R9, (DI)   // CLAIMED\n", "")),
		},
		{
			name: "inscribed: the payload not in the checksum", rule: "W4", tests: suites(ringTests),
			edits: edits(in(inscribe, "	XORL R13, R11\n", "")),
		},
		{
			name: "inscribed: CLAIMED before the length", rule: "W2.7", tests: suites(ringTests),
			edits: edits(
				in(inscribe, "	MOVQ R8, 16(DI) // the length", "	MOVQ R9, (DI) // the length"),
				in(inscribe, "	MOVQ R9, (DI)   // CLAIMED\n", "	MOVQ R8, 16(DI)\n")),
		},
		{
			name: "inscribed: CLAIMED after the time", rule: "W2.8", tests: suites(ringTests),
			edits: edits(
				in(inscribe, "	MOVQ R9, (DI)   // CLAIMED\n", ""),
				in(inscribe, "	MOVQ      AX, 24(DI)\n", "	MOVQ      AX, 24(DI)\n	MOVQ      R9, (DI)\n")),
		},
		{
			name: "inscribed: COMMITTED before the checksum", rule: "W2.10", tests: suites(ringTests),
			edits: edits(
				in(inscribe, "	MOVL R11, 8(DI)\n	INCQ R9\n	MOVQ R9, (DI) // COMMITTED\n",
					"	INCQ R9\n	MOVQ R9, (DI)\n	MOVL R11, 8(DI)\n")),
		},
		{
			name: "inscribed: COMMITTED before the payload's last byte", rule: "W2.10", tests: suites(ringTests),
			edits: edits(
				in(inscribe, "	MOVB   BX, (R12)\n", ""),
				in(inscribe, "// COMMITTED\n", "\n	TESTQ $1, CX\n	JEQ out\n	MOVB BX, (R12)\nout:\n")),
		},
		{
			name: "inscribed: COMMITTED before the payload's last word", rule: "W2.10", tests: suites(ringTests),
			edits: edits(
				in(inscribe, "words:\n	MOVQ   (SI), BX\n	MOVQ   BX, (R12)\n",
					"words:\n	MOVQ   (SI), BX\n	CMPQ   CX, $8\n	JLT    unstored\n	MOVQ   BX, (R12)\nunstored:\n"),
				in(inscribe, "// COMMITTED\n",
					"\n	MOVQ payload_base+24(FP), SI\n	MOVQ payload_len+32(FP), CX\n	ANDQ $-8, CX\n	JEQ out\n"+
						"	MOVQ -8(SI)(CX*1), BX\n	MOVQ BX, 24(DI)(CX*1)\nout:\n")),
		},
		{
			name: "inscribed before the position moves", rule: "W1", tests: suites(ringTests),
			edits: edits(
				in(appending, "		if start, err = p.claim(len(payload), level); err != nil {\n			return err\n		}\n",
					"		if start = p.mem.place(p.producer.load(), recordSize(uint64(len(payload)))); err != nil {\n			return err\n		}\n"),
				in(appending, "p.mem.checksumSeed(start))\n	p.idle()\n",
					"p.mem.checksumSeed(start))\n	if !claimed {\n		if _, err := p.claim(len(payload), level); err != nil {\n			return err\n		}\n	}\n	p.idle()\n")),
		},
		{
			name: "position of a single producer after the bytes", rule: "W1", tests: suites(ringTests),
			edits: edits(
				in(appending, "			release(p.producer, start+size)\n", ""),
				in(appending, "p.mem.checksumSeed(start))\n	p.idle()\n",
					"p.mem.checksumSeed(start))\n	if claimed {\n		release(p.producer, start+recordSize(uint64(len(payload))))\n	}\n	p.idle()\n")),
		},
		{
			name: "a single producer does not look whether Close has begun", rule: "O5", tests: suites(ringTests),
			edits: edits(in(appending, "!p.draining.Load() && ", "")),
		},
		{
			name: "a single producer's INFO takes what is kept for warnings", rule: "W10", tests: suites(ringTests),
			edits: edits(in(appending, "<= p.ordinary", "<= p.mem.size")),
		},
		{
			name: "a single producer's record straddles the lane's end", rule: "W3", tests: suites(ringTests),
			edits: edits(in(appending, "size <= p.mem.room(pos) && ", "")),
		},
	}
}
