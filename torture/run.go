package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// run is one run of the torture.
type run struct {
	options
	self    string // this program
	ringlog string

	dir  string // everything of the run
	out  string // the outputs
	ring string
	disk *disk // nil: the outputs lie on a disk that must not be filled

	alive context.Context // ends when all processes are to be killed
	abort context.CancelFunc

	failing sync.Once
	failure error

	judge     *judge
	followers []*follower
	gate      sync.Mutex // held while the judge reads and removes files
	figures   figures
	journal   *os.File // each write is a line
}

func (r *run) workerLog() string { return filepath.Join(r.dir, "failpoints-workers") }
func (r *run) readerLog() string { return filepath.Join(r.dir, "failpoints-readers") }

// prepare makes the folder, the disk and the ring.
func (r *run) prepare(inside bool) (err error) {
	if r.dir, err = os.MkdirTemp(r.Dir, "ringlog-torture-"); err != nil {
		return err
	}
	r.out, r.ring = filepath.Join(r.dir, "out"), filepath.Join(r.dir, "torture.ring")
	if r.journal, err = os.Create(filepath.Join(r.dir, "journal")); err != nil {
		return err
	}
	if err := os.Mkdir(r.out, 0o700); err != nil {
		return err
	}
	if err := errors.Join(r.tagged(r.ringlog, "--version"), r.tagged(r.self, workerRole, "{}")); err != nil {
		return err
	}
	if inside {
		if r.disk, err = r.mount(); err != nil {
			r.say("%v", err)
		}
	}
	if r.disk == nil {
		r.say("there is no small file system to fill: errors are injected instead")
	}
	create, err := r.launch(nil, nil, r.ringlog, "create", r.ring, "--lanes", "32", "--lane-size", "64KiB")
	if err != nil {
		return err
	}
	if <-create.ended; create.code != 0 {
		return fmt.Errorf("ringlog create ended with code %d: %s", create.code, create.words())
	}
	for o, name := range outputNames {
		r.followers = append(r.followers, &follower{output: o, path: filepath.Join(r.out, name), judge: r.judge})
	}
	return nil
}

func (r *run) mount() (*disk, error) {
	if err := ownMounts(); err != nil {
		return nil, err
	}
	return mountDisk(r.out, int64(r.Disk)<<20)
}

// tagged says whether a program has the failpoints: one that has them refuses a name
// that is none of theirs.
func (r *run) tagged(name string, args ...string) error {
	p, err := r.launch(nil, environment("no.such.point=kill", os.DevNull), name, args...)
	if err != nil {
		return err
	}
	if <-p.ended; !strings.Contains(p.words(), "names no point") {
		return fmt.Errorf("%s was built without -tags failpoints", name)
	}
	return nil
}

// carryOut runs until ctx ends or something is wrong, then lets everything come out, and
// judges it. It returns what kept it from doing so; faults are the judge's.
func (r *run) carryOut(ctx context.Context) error {
	seeds := rand.New(rand.NewPCG(r.Seed, 0))
	rnd := func() *rand.Rand { return rand.New(rand.NewPCG(seeds.Uint64(), 1)) }
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(r.alive, stop)
	var judging, working, draining sync.WaitGroup
	judged, judgeNoMore := context.WithCancel(context.Background())
	judging.Go(func() { r.fail(r.follow(judged)) })
	c := &crew{run: r}
	for range r.Workers {
		rnd := rnd()
		working.Go(func() { r.fail(c.man(ctx, rnd)) })
	}
	deserted, desert := context.WithCancel(context.Background())
	d := &readers{run: r, rnd: rnd(), syncs: r.syncs(), deserted: deserted}
	draining.Go(func() { r.fail(d.man()) })
	working.Wait() // the last of them while there is a reader, so that they need not wait for room
	desert()
	draining.Wait()
	if r.alive.Err() == nil {
		r.fail(r.drainRest())
	}
	judgeNoMore()
	judging.Wait()
	if r.alive.Err() != nil {
		return cmp.Or(r.failure, errAborted)
	}
	for _, f := range r.followers {
		if err := f.last(); err != nil {
			return err
		}
	}
	r.judge.finish()
	return nil
}

// errAborted: somebody asked for it.
var errAborted = errors.New("broken off; nothing was judged to its end")

// fail notes the first error and breaks the run off: what follows from it says nothing.
func (r *run) fail(err error) {
	if err != nil {
		r.failing.Do(func() { r.failure = err })
		r.abort()
	}
}

// errFaults ends a run in which the judge has found what is wrong.
var errFaults = errors.New("faults were found")

// enoughFaults is how many faults end a run: what comes after them says nothing new.
const enoughFaults = 10

// follow judges files as they become final.
func (r *run) follow(ctx context.Context) error {
	forgotten := time.Now()
	for ctx.Err() == nil {
		any := false
		for _, f := range r.followers {
			r.gate.Lock()
			some, err := f.step()
			r.gate.Unlock()
			if err != nil {
				return err
			}
			any = any || some
		}
		if time.Since(forgotten) > 200*time.Millisecond {
			r.judge.forget()
			r.figures.observe(r.judge)
			forgotten = time.Now()
		}
		if r.judge.bad() >= enoughFaults {
			return errFaults
		}
		if !any {
			time.Sleep(2 * time.Millisecond)
		}
	}
	return nil
}

// drainRest takes what is left out of the ring.
func (r *run) drainRest() error {
	p, err := r.launch(nil, nil, r.ringlog, r.arguments("--once")...)
	if err != nil {
		return err
	}
	if !p.wait(patience) {
		p.kill()
	}
	if p.code != 0 {
		return fmt.Errorf("the last drain ended with code %d:\n%s", p.code, p.words())
	}
	return nil
}

// syncs says whether drains can sync their outputs.
func (r *run) syncs() bool {
	var has bool
	p, err := r.launch(nil, nil, r.ringlog, "drain", "--sync", "batch", "--once", "--ring", os.DevNull)
	if err == nil {
		<-p.ended
		has = !strings.Contains(p.words(), "unknown flag")
	}
	return has
}

// clear removes what the run made; if keep, it leaves the outputs to be looked at, in
// the run's folder and not on a disk that vanishes.
func (r *run) clear(keep bool) error {
	if r.dir == "" {
		return nil
	}
	var errs []error
	if r.journal != nil {
		errs = append(errs, r.journal.Close())
	}
	if keep && r.disk != nil {
		errs = append(errs, os.CopyFS(filepath.Join(r.dir, "outputs"), os.DirFS(r.out)))
	}
	if r.disk != nil {
		errs = append(errs, r.disk.unmount())
	}
	if !keep {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}

// untilSignal returns a context that ends at the first signal. The second one kills
// all processes.
func (r *run) untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel()
		r.say("ending in order; once more to kill all")
		first := time.Now()
		for range signals {
			if time.Since(first) > time.Second { // timeout(1) and others signal twice
				r.abort()
			}
		}
	}()
	return ctx
}
