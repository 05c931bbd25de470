package main

import (
	"slices"

	"github.com/ringlog/ringlog/internal/overlay"
)

// catalogue is every mutant. Each breaks one rule, and in the way in which somebody
// would who had not read it.
func catalogue() []mutant {
	return slices.Concat(appendMutants(), readMutants(), ownerMutants(), intentMutants(), drainMutants(), fileMutants())
}

// mounts are the tests that mount file systems, which stay when they are killed.
const mounts = "FullFileSystem|TemporaryFolder"

// The suites, from the cheapest on.
var (
	logfileTests = suite{pkg: "./logfile"}
	ringTests    = suite{pkg: "./ring", skip: mounts, confined: true}
	readerTests  = suite{pkg: "./reader"}
	ringRace     = suite{pkg: "./ring", skip: mounts, race: true, confined: true}
	schedules    = suite{pkg: "./reader", tags: "sched", run: "TestSchedules", confined: true}
	failingCalls = suite{pkg: "./reader", tags: "failpoints", run: "TestAnySystemCallThatFails/ring.sync"}
	powerLoss    = suite{pkg: "./reader", tags: "failpoints", run: "PowerLossAtAny/batch"}
)

func in(file, before, after string) overlay.Edit {
	return overlay.Edit{File: file, Old: before, New: after}
}

func edits(e ...overlay.Edit) []overlay.Edit { return e }

func suites(s ...suite) []suite { return s }
