package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// target is a failpoint at which processes are killed and stopped.
type target struct {
	point string
	most  int // it is reached about so often in the life of a process

	// What it takes to reach it at all:
	drop    bool   // a worker that drops records
	faults  string // injected in the same process
	before  string // where the reader before is killed
	removed bool   // an output that is removed meanwhile
	sync    bool   // a reader that syncs
}

// workerTargets are the failpoints of a worker's life.
var workerTargets = []target{
	{point: "claim.position", most: 3000},
	{point: "claim.padding", most: 15},
	{point: "claim.length", most: 3000},
	{point: "claim.stamp", most: 3000},
	{point: "claim.time", most: 3000},
	{point: "append.payload", most: 3000},
	{point: "commit.lost", most: 3000},
	{point: "commit.checksum", most: 3000},
	{point: "commit.stamp", most: 3000},
	{point: "wake.reader", most: 30},
	{point: "count.lost", most: 10, drop: true},
	{point: "wait.flag", most: 15},
	{point: "own.free", most: 1},
	{point: "own.allocated", most: 1},
	{point: "own.identity", most: 30},
	{point: "own.position", most: 1},
	{point: "own.padding", most: 1},
	{point: "own.record", most: 16},
	{point: "own.state", most: 1},
	{point: "close.position", most: 1},
	{point: "close.state", most: 1},
}

// readerTargets are those of a reader's.
var readerTargets = []target{
	{point: "reader.start", most: 3},
	{point: "reader.futex", most: 4},
	{point: "reader.heartbeat", most: 1},
	{point: "anchor.entry", most: 7},
	{point: "anchor.count", most: 1},
	{point: "reader.error", most: 5, faults: "file.write=ENOSPC@7"},
	{point: "intent.slot", most: 300},
	{point: "intent.switch", most: 80},
	{point: "intent.state", most: 200},
	{point: "intent.window", most: 300},
	{point: "publish.highwater", most: 40},
	{point: "publish.progress", most: 900},
	{point: "publish.consumer", most: 150},
	{point: "publish.wake", most: 40},
	{point: "publish.state", most: 2},
	{point: "drain.collect", most: 150},
	{point: "drain.prepare", most: 80},
	{point: "drain.write", most: 80},
	{point: "drain.check", most: 200},
	{point: "drain.sync", most: 40, sync: true},
	{point: "drain.apply", most: 80},
	{point: "drain.publish", most: 80},
	{point: "drain.clear", most: 80},
	{point: "drain.rotate", most: 80},
	{point: "drain.reopen", most: 1, removed: true},
	{point: "drain.undo", most: 2, before: "drain.check"},
	{point: "drain.redo", most: 1, before: "publish.consumer"},
	{point: "ring.sync", most: 40, sync: true},
	{point: "file.open", most: 3},
	{point: "file.lock", most: 6},
	{point: "file.write", most: 200},
	{point: "file.sync", most: 100, sync: true},
	{point: "file.truncate", most: 2, before: "drain.check"},
	{point: "file.create", most: 8},
	{point: "file.setaside", most: 8},
	{point: "file.place", most: 8},
	{point: "file.adopt", most: 8},
	{point: "dir.sync", most: 8, sync: true},
}

// levelTargets are those of a process that changes minimum levels.
var levelTargets = []target{
	{point: "level.version", most: 2},
	{point: "level.rule", most: 12},
}

// elsewhere are the points that nobody reaches here, with the reason.
var elsewhere = map[string]string{
	"own.zero":        "takes a reboot",
	"retire.mark":     "the ring is not removed before the end",
	"file.prune":      "every rotated file is kept for the judge",
	"rotate.ask":      "files are rotated by their size",
	"rotate.serve":    "files are rotated by their size",
	"archive.compare": "nothing is compressed, for the judge to read",
	"archive.create":  "nothing is compressed, for the judge to read",
	"archive.write":   "nothing is compressed, for the judge to read",
	"archive.sync":    "nothing is compressed, for the judge to read",
	"archive.place":   "nothing is compressed, for the judge to read",
	"archive.clear":   "nothing is compressed, for the judge to read",
	"archive.tidy":    "nothing is compressed, for the judge to read",
	"hook.start":      "there is no hook",
}

// trouble is what can go wrong with a reader's outputs. Not a sync: nobody knows what is
// on the disk after one that failed, so its batch is written again, and lines may come
// twice.
var trouble = []struct{ point, errno string }{
	{"file.write", "ENOSPC"},
	{"file.write", "EIO"},
	{"file.write", "EDQUOT"},
	{"file.create", "ENOSPC"},
	{"file.create", "EMFILE"},
	{"file.create", "EACCES"},
	{"file.setaside", "EROFS"},
	{"file.place", "EIO"},
	{"file.lock", "ENOLCK"},
	{"file.open", "EMFILE"},
	{"file.open", "ENFILE"},
	{"file.truncate", "EIO"},
}

// steps are all failpoints that make up a claim, from its beginning to its commit.
var steps = []string{
	"claim.padding", "claim.length", "claim.stamp", "claim.time", "append.payload",
	"commit.lost", "commit.checksum", "commit.stamp",
}

// rule says what is to be done once at the point: at its n-th time, often early.
func (t target) rule(action string, rnd *rand.Rand) string {
	n := int(math.Exp(rnd.Float64() * math.Log(float64(t.most)+1)))
	rule := fmt.Sprintf("%s=%s@%d", t.point, action, max(1, min(n, t.most)))
	return strings.TrimSpace(t.faults + " " + rule)
}

// faults are one or two errnos for a reader, now and then.
func faults(rnd *rand.Rand) string {
	var rules []string
	for range 1 + rnd.IntN(2) {
		f := trouble[rnd.IntN(len(trouble))]
		rules = append(rules, fmt.Sprintf("%s=%s%%%d", f.point, f.errno, 5+rnd.IntN(60)))
	}
	return strings.Join(slices.Compact(rules), " ")
}

// environment makes a process do what the rules say, and note it in log.
func environment(rules, log string) []string {
	if rules == "" {
		return nil
	}
	return []string{"RINGLOG_FAILPOINTS=" + rules, "RINGLOG_FAILPOINTS_LOG=" + log}
}
