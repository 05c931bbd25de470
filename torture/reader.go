package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readers starts one `ringlog drain` after another and ends each in some way.
type readers struct {
	*run
	rnd   *rand.Rand
	turn  int  // walks through the failpoints
	syncs bool // drains have --sync

	deserted context.Context // ends when there are no workers any more
}

// reader is a running `ringlog drain`.
type reader struct {
	*process
	injected bool // errnos are; it may end by one
	full     bool // it lived on a full disk, and may end by that
	asked    bool // it was told to end

	before os.FileInfo // of the output that has everything, as it was before; nil if there was none

	mu      sync.Mutex
	begins  map[string]int // troubles that it said, by what it said they were about
	ends    map[string]int
	noSpace int // of those that began, for want of space
}

// What a drain says of its outputs.
var (
	troubleBegins = regexp.MustCompile(`^ringlog: (output|sync|rotation) trouble: .*$`)
	troubleEnds   = regexp.MustCompile(`^ringlog: (output|sync|rotation) trouble is over after .*$`)
	wantsSpace    = regexp.MustCompile(`no space left|quota exceeded`)
)

func (r *reader) hear(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := troubleBegins.FindStringSubmatch(text); m != nil {
		r.begins[about(m[1], text)]++
		if m[1] == "output" && wantsSpace.MatchString(text) {
			r.noSpace++
		}
	} else if m := troubleEnds.FindStringSubmatch(text); m != nil {
		r.ends[about(m[1], text)]++
	}
}

// about adds to the kind of trouble the name of the output that a message has.
func about(what, text string) string {
	for _, name := range outputNames {
		if strings.Contains(text, "/"+name) || strings.Contains(text, "/."+name) {
			return what + " " + name
		}
	}
	return what
}

// troubles are how many it said began and ended, the most of one kind and output, and
// how many were for want of space.
func (r *reader) troubles() (begun, ended, most, noSpace int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.begins {
		begun += n
		most = max(most, n)
	}
	for _, n := range r.ends {
		ended += n
	}
	return begun, ended, most, r.noSpace
}

// arguments are those of a drain of the whole run.
func (r *run) arguments(more ...string) []string {
	args := []string{
		"drain", "--ring", r.ring, "--format", "json", "--max-size", "256KiB",
		"--out", filepath.Join(r.out, outputNames[everything]),
		"--out", "trades=" + filepath.Join(r.out, outputNames[1]),
		"--out", "orders=" + filepath.Join(r.out, outputNames[2]),
	}
	return append(args, more...)
}

// start starts a reader that does what the rules say.
func (r *readers) start(rules string, sync bool) (*reader, error) {
	p := &reader{begins: map[string]int{}, ends: map[string]int{}}
	var more []string
	if sync {
		more = []string{"--sync", "batch"}
	}
	p.before, _ = os.Stat(r.followers[everything].path)
	var err error
	p.process, err = r.launch(p.hear, environment(rules, r.readerLog()), r.ringlog, r.arguments(more...)...)
	r.figures.readers.Add(1)
	return p, err
}

// settled looks at how a reader ended, and whether it said of each trouble once that it
// began and once that it was over.
func (r *readers) settled(p *reader, byUs bool) error {
	<-p.ended
	switch {
	case p.killed && byUs:
		r.figures.readerKillsRandom.Add(1)
	case p.killed:
		r.figures.readerKillsPoint.Add(1)
	case p.code == 0 && p.asked, p.code > 0 && (p.injected || p.full) && p.code != 2 && p.code != 70:
	default:
		return fmt.Errorf("a reader ended with code %d:\n%s", p.code, p.words())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for what, begun := range p.begins {
		unended := begun - p.ends[what]
		if unended < 0 || unended > 1 || unended == 1 && p.code == 0 && strings.HasPrefix(what, "output") {
			return fmt.Errorf("a reader said %d times that %s trouble began and %d times that it was over:\n%s", begun, what, p.ends[what], p.words())
		}
	}
	return nil
}

// man keeps readers at work as long as there are workers.
func (r *readers) man() error {
	for r.deserted.Err() == nil {
		if err := r.drain(); err != nil {
			return err
		}
	}
	return nil
}

// drain is the life of one reader, or of a few.
func (r *readers) drain() error {
	switch n := r.rnd.IntN(100); {
	case n < 45:
		return r.killAtPoint()
	case n < 62:
		return r.killAtRandom()
	case n < 70:
		return r.stop()
	case n < 80:
		return r.fail()
	case n < 85:
		return r.finish()
	case n < 91:
		return r.takeAway()
	case n < 96:
		return r.fillDisk()
	default:
		return r.fillDiskAndKill()
	}
}

func (r *readers) killAtPoint() error {
	var t target
	for {
		r.turn++
		if t = readerTargets[r.turn%len(readerTargets)]; !t.sync || r.syncs {
			break
		}
	}
	if t.before != "" {
		before := target{point: t.before, most: 20}
		if err := r.live(before.rule("kill", r.rnd), time.Second, false); err != nil {
			return err
		}
	}
	if !t.removed {
		return r.live(t.rule("kill", r.rnd), 1500*time.Millisecond, t.sync)
	}
	p, err := r.start(t.rule("kill", r.rnd), false)
	if err != nil {
		return err
	}
	if p.wait(r.upTo(100)) {
		return r.settled(p, false)
	}
	if err := r.take(p, true, true); err != nil {
		return err
	}
	return r.endBy(p, time.Second, false)
}

// live is the life of a reader that the rules may kill, and that is killed in the end.
func (r *readers) live(rules string, life time.Duration, sync bool) error {
	p, err := r.start(rules, sync)
	if err != nil {
		return err
	}
	return r.endBy(p, life, false)
}

// endBy waits for a reader's end, and brings it about after so long.
func (r *readers) endBy(p *reader, life time.Duration, gently bool) error {
	byUs := false
	if !p.wait(life) {
		if gently {
			p.asked = true
			p.signal(syscall.SIGTERM)
			if !p.wait(patience) {
				return fmt.Errorf("a reader does not end: %s", p.words())
			}
		} else {
			byUs = true
			p.kill()
		}
	}
	return r.settled(p, byUs)
}

func (r *readers) upTo(ms int) time.Duration {
	return time.Duration(r.rnd.IntN(ms*1000)) * time.Microsecond
}

func (r *readers) killAtRandom() error {
	rules, life := "", r.upTo(300)
	switch r.rnd.IntN(4) {
	case 0:
		life = r.upTo(20) // as it starts
	case 1:
		rules = "*.*=delay(2ms)%0.5" // so that each step takes its time
	}
	return r.live(rules, life, r.syncs && r.rnd.IntN(3) == 0)
}

// stop stops a reader at random or at a failpoint. Another one is refused meanwhile.
func (r *readers) stop() error {
	rules := ""
	if r.rnd.IntN(2) == 0 {
		rules = readerTargets[r.rnd.IntN(len(readerTargets))].rule("stop", r.rnd)
	}
	p, err := r.start(rules, false)
	if err != nil {
		return err
	}
	if rules == "" {
		if p.wait(50*time.Millisecond + r.upTo(200)) {
			return r.settled(p, false)
		}
		p.signal(syscall.SIGSTOP)
	}
	if p.stopped(time.Second) {
		r.figures.readerStops.Add(1)
		if err := r.refused(p); err != nil {
			return err
		}
		p.wait(r.upTo(100))
		p.signal(syscall.SIGCONT)
	}
	return r.endBy(p, r.upTo(200), r.rnd.IntN(3) == 0)
}

// refused starts a second reader beside one that is stopped with the ring in its hands.
func (r *readers) refused(first *reader) error {
	if r.rnd.IntN(3) > 0 || !r.holds(first) {
		return nil
	}
	second, err := r.launch(nil, nil, r.ringlog, r.arguments()...)
	if err != nil {
		return err
	}
	if !second.wait(patience) {
		second.kill()
	}
	const refused = 4
	if second.code != refused {
		return fmt.Errorf("a second reader beside pid %d ended with code %d, not %d:\n%s", first.pid(), second.code, refused, second.words())
	}
	r.figures.refusals.Add(1)
	return nil
}

// holds says whether the ring's reader is p, as ringlog stat has it.
func (r *readers) holds(p *reader) bool {
	out, err := exec.Command(r.ringlog, "stat", "--json", r.ring).Output()
	var status struct {
		Reader struct {
			Running bool
			PID     int
		}
	}
	return err == nil && json.Unmarshal(out, &status) == nil && status.Reader.Running && status.Reader.PID == p.pid()
}

// fail has system calls on a reader's outputs fail.
func (r *readers) fail() error {
	p, err := r.start(faults(r.rnd), r.syncs && r.rnd.IntN(2) == 0)
	if err != nil {
		return err
	}
	p.injected = true
	return r.endBy(p, r.upTo(500), r.rnd.IntN(3) == 0)
}

// finish ends a reader in order.
func (r *readers) finish() error {
	p, err := r.start("", false)
	if err != nil {
		return err
	}
	return r.endBy(p, 100*time.Millisecond+r.upTo(300), true)
}
