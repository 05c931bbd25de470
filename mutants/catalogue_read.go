package main

// readMutants break what is taken for a record.
func readMutants() []mutant {
	const read, record = "ring/read.go", "ring/record.go"
	caughtBy := suites(ringTests, schedules, readerTests)
	return []mutant{
		{
			name: "no checksum checked", rule: "C2", tests: caughtBy,
			edits: edits(in(read,
				" &&\n		c.mem.checksum(t, pos, state, b[recChecked-recChecksum:]) == le.Uint32(b)", "")),
		},
		{
			name: "checksum without the position", rule: "W4", tests: caughtBy,
			edits: edits(in(record, "m.seed ^ uint32(pos>>3) ^ uint32(pos>>35)", "m.seed")),
		},
		{
			name: "checksum without key and lane", rule: "W4", tests: caughtBy,
			edits: edits(in(record, "m.seed ^ uint32(pos>>3)", "uint32(pos>>3)")),
		},
		{
			name: "checksum of an aborted record like any other", rule: "W4", tests: caughtBy,
			edits: edits(in(record, "seed = ^seed", "seed ^= 0")),
		},
		{
			name: "stamp without the key", rule: "W2", tests: caughtBy,
			edits: edits(
				in(record, "(pos^m.key)&^stateMask | state", "pos&^stateMask | state"),
				in(record, "(s^pos^m.key)&^stateMask", "(s^pos)&^stateMask")),
		},
		{
			name: "stamp of an earlier lap believed", rule: "W2", tests: caughtBy,
			edits: edits(in(record, "(s^pos^m.key)&^stateMask != 0", "(s^pos^m.key)&m.mask&^stateMask != 0")),
		},
		{
			name: "claims passed over in a live lane", rule: "C2", tests: caughtBy,
			edits: edits(in(read,
				"		default:\n			return c.found(Item{Outcome: OutcomeNotYet",
				"		default:\n			if next, ok := c.follow(pos, end); ok {\n				pos = next\n				continue\n			}\n			return c.found(Item{Outcome: OutcomeNotYet")),
		},
		{
			name: "length followed to what no stamp vouches for", rule: "C3", tests: caughtBy,
			edits: edits(in(read, "!ok || pos+size != end && c.mem.stateAt(pos+size) == 0", "!ok")),
		},
	}
}
