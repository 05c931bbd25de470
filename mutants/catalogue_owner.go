package main

// ownerMutants break how a lane changes hands and how a ring goes away.
func ownerMutants() []mutant {
	const owner, entry, consumer = "ring/owner.go", "ring/entry.go", "ring/consumer.go"
	caughtBy := suites(ringTests, schedules, readerTests)
	return []mutant{
		{
			name: "undrained lane claimed", rule: "O4.1", tests: caughtBy,
			edits: edits(in(owner, "p == progress.Consumer|closedBit && lost", "p&closedBit != 0 && lost")),
		},
		{
			name: "lane claimed before its losses are shown", rule: "O4.1", tests: caughtBy,
			edits: edits(in(owner, " && lost.Total() == progress.LostSeen", " && lost.Total() >= progress.LostSeen")),
		},
		{
			name: "lane not looked at again under the lock", rule: "O4.4", tests: caughtBy,
			edits: edits(in(owner, "	if !c.claimable(i) {\n		return nil, nil\n	}\n	e := c.entry(i)", "	e := c.entry(i)")),
		},
		{
			name: "a look at the lock instead of taking it (claimant)", rule: "O2", tests: caughtBy,
			edits: edits(in(owner,
				"	if ok, err := c.tryLock(lock); !ok {\n		return nil, err",
				"	if held, err := c.lockHeld(lock); held || err != nil {\n		return nil, err")),
		},
		{
			name: "a look at the lock instead of taking it (reader)", rule: "O2", tests: caughtBy,
			edits: edits(in("ring/lane.go",
				"{ return l.from.tryLock(l.lock) }",
				"{ held, err := l.from.lockHeld(l.lock); return !held && err == nil, err }")),
		},
		{
			name: "owner record without moving the position", rule: "O5", tests: caughtBy,
			edits: edits(in(owner, "store(failpoint.OwnPosition, start+ownerRecordSize)", "store(failpoint.OwnPosition, start)")),
		},
		{
			name: "OWNED before the owner record", rule: "O4.11", tests: caughtBy,
			edits: edits(
				in(owner, "	mem.writeOwnerRecord(&o, clock.now())\n", ""),
				in(owner, "	e.state().store(failpoint.OwnState, uint64(LaneOwned))\n", "	e.state().store(failpoint.OwnState, uint64(LaneOwned))\n	mem.writeOwnerRecord(&o, clock.now())\n")),
		},
		{
			name: "generation not stored first", rule: "O4.8", tests: caughtBy,
			edits: edits(
				in(entry, "	wordAt(e, lanGeneration).store(failpoint.OwnIdentity, o.Generation)\n", ""),
				in(owner, "	mem.writeOwnerRecord(&o, clock.now())\n", "	mem.writeOwnerRecord(&o, clock.now())\n	wordAt(e, lanGeneration).store(failpoint.OwnIdentity, o.Generation)\n	put32(failpoint.OwnIdentity, e, lanIdentitySum, e.identitySum(seed))\n")),
		},
		{
			name: "Close does not wait for appends", rule: "O5", tests: caughtBy,
			edits: edits(in(owner, "	pos := p.consumer.load()\n	for pos < end {", "	pos := end\n	for pos < end {")),
		},
		{
			name: "Close does not close the position", rule: "O5", tests: caughtBy,
			edits: edits(in(owner, "p.producer.cas(failpoint.ClosePosition, end, end|closedBit)", "p.producer.cas(failpoint.ClosePosition, end, end)")),
		},
		{
			name: "CLOSED after unlocking", rule: "O5", tests: caughtBy,
			edits: edits(
				in(owner, "	entry(p.entry).state().store(failpoint.CloseState, uint64(LaneClosed))\n", ""),
				in(owner, "	err := p.from.unlock(p.ring.entryOffset(p.lane))\n", "	err := p.from.unlock(p.ring.entryOffset(p.lane))\n	entry(p.entry).state().store(failpoint.CloseState, uint64(LaneClosed))\n")),
		},
		{
			name: "state stored without the lock", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer, "switch ok, err := c.from.tryLock(lock); {", "switch ok, err := true, error(nil); {")),
		},
		{
			name: "state stored though the lane changed hands", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer, "		if unsettled() {\n", "		if lock != 0 {\n")),
		},
		{
			name: "closed lanes' locks not taken before removal", rule: "O6.2", tests: caughtBy,
			edits: edits(in("ring/retire.go",
				"	lock := c.ring.entryOffset(i)\n	for {",
				"	lock := c.ring.entryOffset(i)\n	for c.State(i) != LaneClosed {"),
				in("ring/retire.go", "		pause(100 * time.Microsecond)\n	}\n}", "		pause(100 * time.Microsecond)\n	}\n	return true, nil\n}")),
		},
		{
			name: "mark of removal not looked at under the lock", rule: "O4.3", tests: caughtBy,
			edits: edits(in(owner,
				"!linked || wordAt(c.meta(), c.head.ControlOffset+ctlRetired).load() == markRetired",
				"!linked")),
		},
		{
			name: "level version even while rules change", rule: "level table", tests: caughtBy,
			edits: edits(in("ring/levels.go", "	t.version.store(failpoint.LevelVersion, changing)\n", "")),
		},
		{
			name: "lane followed without a second look at its generation", rule: "C2", tests: caughtBy,
			edits: edits(in("reader/lanes.go",
				"	if l.Generation() != generation {\n		return nil // claimed anew meanwhile: end",
				"	if generation == 0 {\n		return nil // claimed anew meanwhile: end")),
		},
		{
			name: "drained closed lane still followed", rule: "C2", tests: caughtBy,
			edits: edits(in("reader/lanes.go", "s.published == s.now && s.published.Consumer == end &&", "s.published != s.now && s.published.Consumer == end &&")),
		},
	}
}
