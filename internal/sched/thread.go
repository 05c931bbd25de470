package sched

import (
	"iter"
	"runtime/debug"
)

// Process is a set of threads that die together.
type Process struct {
	Name string
	// Mortal says that schedules may kill the process.
	Mortal bool

	world   *World
	index   int
	dead    bool
	onDeath []func()
}

// Dead says whether the process was killed.
func (p *Process) Dead() bool { return p.dead }

// OnDeath has f called when the process is killed: the kernel's part, as giving its
// locks back, and whoever starts a successor. f must not step.
func (p *Process) OnDeath(f func()) { p.onDeath = append(p.onDeath, f) }

// Go starts a thread of p. It may be called before a schedule begins, from a thread,
// and from an OnDeath.
func (p *Process) Go(name string, f func()) {
	w := p.world
	t := w.newThread()
	*t = thread{world: w, process: p, name: name, index: len(w.threads), body: f}
	w.threads = append(w.threads, t)
	w.strategy.started(t)
}

// thread is one thread in one schedule.
type thread struct {
	world   *World
	process *Process
	name    string
	index   int
	body    func()
	on      *coroutine

	at       access // what it is about to do, or did last
	loads    int    // since its last store, for telling that it spins
	waiting  bool   // for a change by another thread
	own      uint64 // of World.changes, those that it made
	seen     uint64 // of World.changes, those that others had made when it looked last
	sleeping bool   // until woken at address
	address  uint64
	done     bool
	killed   bool // its process is dead; when it is resumed it unwinds
	priority int  // for random schedules
}

func (t *thread) String() string { return t.process.Name + "/" + t.name }

func (t *thread) runnable() bool {
	return !t.done && !t.process.dead && !t.sleeping && (!t.waiting || t.world.changes-t.own != t.seen)
}

// unwinding is what ends the threads of a dead process. Deferred calls run, but what
// they do changes nothing: Step returns false.
type unwinding struct{}

// run is the thread's body, on its coroutine.
func (t *thread) run() {
	defer func() {
		t.done = true
		switch v := recover().(type) {
		case nil, unwinding:
		default:
			if !t.killed {
				t.world.Failf("%v panics: %v\n%s", t, v, debug.Stack())
			}
		}
	}()
	if !t.killed {
		t.body()
	}
}

// suspend gives way until the driver resumes t. Who was killed meanwhile unwinds.
func (t *thread) suspend() {
	t.on.yield(struct{}{})
	if t.killed {
		panic(unwinding{})
	}
}

// coroutine runs one thread after another: making one costs as much as a short
// schedule.
type coroutine struct {
	resume func() (struct{}, bool)
	yield  func(struct{}) bool
	thread *thread
}

func newCoroutine() *coroutine {
	c := new(coroutine)
	c.resume, _ = iter.Pull(func(yield func(struct{}) bool) {
		c.yield = yield
		for {
			c.thread.run()
			yield(struct{}{})
		}
	})
	return c
}
