package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// crew starts workers, as many at once as there are slots, and ends each in some way.
type crew struct {
	*run
	next atomic.Int64 // the last worker's number
	turn atomic.Int64 // walks through the failpoints
}

// man keeps one slot busy until the run ends.
func (c *crew) man(ctx context.Context, rnd *rand.Rand) error {
	for ctx.Err() == nil {
		life := c.worker
		if rnd.IntN(40) == 0 {
			life = c.level
		}
		if err := life(rnd); err != nil {
			return err
		}
	}
	return nil
}

// rare kills at a point that one worker in five hundred reaches: the lane's end has to
// be where its owner begins.
const rare = "own.padding=kill@1"

// end is what is to become of a worker.
type end uint8

const (
	endKill  end = iota // by us, at random
	endPoint            // by itself, at a failpoint
	endClose            // by its quota
	endTerm             // by SIGTERM, in mid-append
)

// worker is the life of one worker.
func (c *crew) worker(rnd *rand.Rand) error {
	number := int(c.next.Add(1))
	o := orders{
		Ring: c.ring, Notes: filepath.Join(c.dir, fmt.Sprint("notes-", number)), Worker: number,
		Goroutines: 1 + rnd.IntN(maxGoroutines), Drop: rnd.IntN(8) == 0, Quota: 1 << 40,
		Burst: 1 + rnd.IntN(400), Pause: time.Duration(1+rnd.IntN(15)) * time.Millisecond, Seed: rnd.Uint64(),
	}
	how, rules, stop := endKill, "", false
	life := time.Duration(rnd.IntN(400)) * time.Millisecond
	switch n := rnd.IntN(100); {
	case n < 50:
		t := workerTargets[int(c.turn.Add(1))%len(workerTargets)]
		how, rules, o.Drop, life = endPoint, t.rule("kill", rnd)+" "+rare, o.Drop || t.drop, 2*time.Second
	case n < 58:
		t := workerTargets[int(c.turn.Add(1))%len(workerTargets)]
		rules, stop, o.Drop, life = t.rule("stop", rnd), true, o.Drop || t.drop, time.Second
	case n < 64:
		stop = true
	case n < 70:
		rules = "*.*=delay(1ms)%0.05"
	case n < 80:
		how = endTerm
	case n < 86:
		how = endClose
	}
	if how == endClose || rnd.IntN(2) == 0 { // also with a kill to come, perhaps in Close
		o.Quota = 1 + rnd.Uint64N(3000)
	}
	return c.see(rnd, o, how, rules, stop, life)
}

// see starts a worker, sees it to its end and tells the judge.
func (c *crew) see(rnd *rand.Rand, o orders, how end, rules string, stop bool, life time.Duration) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	c.judge.register(o.Worker, o.Goroutines)
	p, err := c.launch(nil, environment(rules, c.workerLog()), c.self, workerRole, string(text))
	if err != nil {
		return err
	}
	deadline := time.Now().Add(life)
	if stop {
		c.pause(p, rnd, rules == "", time.Until(deadline))
	}
	atRandom := false
	switch how {
	case endKill:
		if !p.wait(time.Until(deadline)) {
			atRandom = true
			p.kill()
		}
	case endPoint:
		if !p.wait(life) {
			atRandom = true
			p.kill()
		}
	case endTerm:
		p.wait(time.Until(deadline))
		p.signal(syscall.SIGTERM)
		atRandom = true
	case endClose:
	}
	if !p.wait(2 * patience) {
		p.kill()
		return fmt.Errorf("worker %d does not end: %s", o.Worker, p.words())
	}
	return c.buried(p, o, atRandom)
}

// buried tells the judge how a worker ended, and what it had noted.
func (c *crew) buried(p *process, o orders, atRandom bool) error {
	noted, err := readNotes(o.Notes)
	if err != nil {
		return err
	}
	how := closed
	switch {
	case p.killed && atRandom:
		how = killed
		c.figures.workerKillsRandom.Add(1)
	case p.killed:
		how = killed
		c.figures.workerKillsPoint.Add(1)
	case p.code != 0:
		return fmt.Errorf("worker %d ended with code %d: %s", o.Worker, p.code, p.words())
	}
	c.figures.workers.Add(1)
	c.judge.ended(o.Worker, how, noted)
	if err := os.Remove(o.Notes); !os.IsNotExist(err) {
		return err
	}
	return nil
}

// level is the life of a process that changes a minimum level, which nobody here obeys,
// and is killed while it does.
func (c *crew) level(rnd *rand.Rand) error {
	rules := levelTargets[rnd.IntN(len(levelTargets))].rule("kill", rnd)
	p, err := c.launch(nil, environment(rules, c.workerLog()), c.ringlog, "level", "--ring", c.ring, "app=debug", "trades=info")
	if err != nil {
		return err
	}
	if !p.wait(patience) {
		p.kill()
		return fmt.Errorf("ringlog level does not end: %s", p.words())
	}
	if p.code > 0 {
		return fmt.Errorf("ringlog level ended with code %d: %s", p.code, p.words())
	}
	return nil
}

// pause stops a worker, or waits until it stops itself, and lets it go on after a while.
func (c *crew) pause(p *process, rnd *rand.Rand, ourselves bool, within time.Duration) {
	if ourselves {
		if p.wait(time.Duration(rnd.IntN(150)) * time.Millisecond) {
			return
		}
		p.signal(syscall.SIGSTOP)
	}
	if !p.stopped(within) {
		return
	}
	c.figures.workerStops.Add(1)
	p.wait(time.Duration(rnd.IntN(300)) * time.Millisecond)
	if rnd.IntN(3) > 0 {
		p.signal(syscall.SIGCONT)
	} // else it is killed while it stands
}
