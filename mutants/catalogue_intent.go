package main

// intentMutants break the intent and the publishing of lanes.
func intentMutants() []mutant {
	const intent, consumer, entry = "ring/intent.go", "ring/consumer.go", "ring/entry.go"
	caughtBy := suites(ringTests, schedules, readerTests)
	return []mutant{
		{
			name: "one slot for two batches", rule: "D1", tests: caughtBy,
			edits: edits(in(intent, "load()&1 ^ 1\n", "load() & 1\n")),
		},
		{
			name: "PREPARED before the batch", rule: "D1", tests: caughtBy,
			edits: edits(
				in(intent, "	s := a.slot(i)\n	n, err", "	s := a.slot(i)\n	a.state().store(failpoint.IntentState, uint64(IntentPrepared))\n	n, err"),
				in(intent, "	a.state().store(failpoint.IntentState, uint64(IntentPrepared))\n	return nil\n", "	return nil\n")),
		},
		{
			name: "window believed without its checksum", rule: "D4", tests: caughtBy,
			edits: edits(in(intent, "; crc32.ChecksumIEEE(bytes) == o.Pieces[piece] {", "; len(o.Pieces) > 0 {")),
		},
		{
			name: "intent believed without its checksum", rule: "D1", tests: caughtBy,
			edits: edits(in(intent, "want := s.sum(n), le.Uint32(s[sltChecksum:]); got != want", "want := s.sum(n), le.Uint32(s[sltChecksum:]); got == ^want")),
		},
		{
			name: "consumer position first", rule: "D4", tests: caughtBy,
			edits: edits(
				in(entry, "	wordAt(e, lanCheck).store(", "	wordAt(e, lanConsumer).store(failpoint.PublishConsumer, p.Consumer)\n	wordAt(e, lanCheck).store("),
				in(entry, "p.LostSeen)\n	// Release: every read of the memory given back came before this store.\n	wordAt(e, lanConsumer).store(failpoint.PublishConsumer, p.Consumer)\n", "p.LostSeen)\n")),
		},
		{
			name: "state before the position", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer,
				"	// A lane can be claimed anew only when all",
				"	if change.State == LaneFree || change.State == LaneDamaged {\n		if err := c.settle(e, change, deadline); err != nil {\n			return err\n		}\n	}\n	// A lane can be claimed anew only when all")),
		},
		{
			name: "roll-forward of another owner's lane", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer,
				"	if wordAt(e, lanGeneration).load() != change.Generation {\n		return nil\n	}\n", "")),
		},
		{
			name: "position moved back", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer, "p.Consumer <= change.To.Consumer && p != change.To", "p != change.To")),
		},
		{
			name: "losses alone not published", rule: "D4", tests: caughtBy,
			edits: edits(in(consumer, "p.Consumer <= change.To.Consumer && p != change.To", "p.Consumer < change.To.Consumer")),
		},
		{
			name: "waiting writer not woken", rule: "futex word", tests: suites(schedules),
			edits: edits(in(consumer, "		f.store(failpoint.PublishWake, futexAwake)\n		futexWake(f)\n", "		f.store(failpoint.PublishWake, futexAwake)\n")),
		},
	}
}
