package main

// drainMutants break the steps of the drain's transaction and what a successor makes
// of them.
func drainMutants() []mutant {
	const batch, recovery = "reader/batch.go", "reader/recover.go"
	const publish = "	if err := r.consumer.Publish(b); err != nil {\n		return err\n	}\n"
	caughtBy := suites(readerTests, schedules)
	return []mutant{
		{
			name: "publish before write", rule: "D1", tests: caughtBy,
			edits: edits(
				in(batch, publish, ""),
				in(batch, "	failpoint.Hit(failpoint.DrainWrite)\n", publish+"	failpoint.Hit(failpoint.DrainWrite)\n")),
		},
		{
			name: "APPLIED before write", rule: "D1", tests: caughtBy,
			edits: edits(
				in(batch, "	r.consumer.MarkApplied()\n", ""),
				in(batch, "	failpoint.Hit(failpoint.DrainWrite)\n", "	r.consumer.MarkApplied()\n	failpoint.Hit(failpoint.DrainWrite)\n")),
		},
		{
			name: "publish without APPLIED", rule: "D1", tests: caughtBy,
			edits: edits(in(batch, "	r.consumer.MarkApplied()\n", "")),
		},
		{
			name: "write before the intent", rule: "D1", tests: caughtBy,
			edits: edits(
				in(batch, "	if err := r.consumer.Prepare(b); err != nil {\n		return err\n	}\n", ""),
				in(batch, "	failpoint.Hit(failpoint.DrainApply)\n", "	if err := r.consumer.Prepare(b); err != nil {\n		return err\n	}\n	failpoint.Hit(failpoint.DrainApply)\n")),
		},
		{
			name: "intent not cleared", rule: "D1", tests: suites(schedules),
			edits: edits(in(batch, "	r.consumer.ClearIntent()\n", "")),
		},
		{
			name: "removed output rewritten under the old intent", rule: "D3", tests: caughtBy,
			edits: edits(in(batch, "	return r.consumer.Prepare(b)\n", "	return nil\n")),
		},
		{
			name: "outputs not checked before APPLIED", rule: "D3", tests: caughtBy,
			edits: edits(in(batch, "		err = o.file.Check(o.before + int64(len(o.buf)))\n", "")),
		},
		{
			name: "state not through the intent", rule: "C4", tests: caughtBy,
			edits: edits(
				in(batch, "			state = ring.LaneFree\n", "			state = ring.LaneClosed\n"),
				in(batch, "	r.consumer.ClearIntent()\n",
					"	r.consumer.ClearIntent()\n	for i := range b.Lanes {\n		if b.Lanes[i].State == ring.LaneClosed {\n			b.Lanes[i].State = ring.LaneFree\n		}\n	}\n"+publish)),
		},
		{
			name: "outputs not synced under policy batch", rule: "D6", tests: suites(powerLoss),
			edits: edits(in(batch, "if err = o.file.Sync(); err != nil {", "if err != nil {")),
		},
		{
			name: "ring not synced before publish", rule: "D6", tests: suites(powerLoss, failingCalls),
			edits: edits(in(batch, "if err := r.syncRing(ctx); err != nil {", "if err := error(nil); err != nil {")),
		},
		{
			name: "no rollback", rule: "D4", tests: caughtBy,
			edits: edits(in(recovery, "	case ring.IntentPrepared:\n		if err", "	case ring.IntentPrepared:\n		if in.Batch.Number != 0 {\n			break\n		}\n		if err")),
		},
		{
			name: "no roll-forward", rule: "D4", tests: caughtBy,
			edits: edits(in(recovery, "	case ring.IntentApplied:\n", "	case ring.IntentApplied:\n		if in.Batch.Number != 0 {\n			break\n		}\n")),
		},
		{
			name: "window set again for the rest of a piece", rule: "D5", tests: caughtBy,
			edits: edits(in("reader/output.go", "		if o.written == start {\n", "		if o.written >= start {\n")),
		},
	}
}
