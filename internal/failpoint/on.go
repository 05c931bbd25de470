//go:build failpoints

package failpoint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Hook, if not nil, is called at each point that is reached, before anything else:
// for tests in one process, which may end a step by a panic. It is to be set while
// nothing runs.
var Hook func(Point)

// Inject, if not nil, is asked at each point with which error the system call that
// follows is to fail; like Hook, it is for tests in one process.
var Inject func(Point) error

// All are all points.
func All() []Point {
	all := make([]Point, numPoints)
	for i := range all {
		all[i] = Point(i)
	}
	return all
}

// rule is what is to happen at a point.
type rule struct {
	name  string // of the action, as it was given
	do    func() error
	at    uint64  // only the at-th time; 0: each time
	share float64 // only so often, of 1; 0: each time
	seen  atomic.Uint64
}

var (
	rules = fromEnvironment()
	log   = openLog()
)

// Hit does what is to be done at p; an error is for points that can fail, and is
// dropped here.
func Hit(p Point) { _ = Err(p) }

// Err does what is to be done at p, and returns the error with which the system call
// that follows is to fail; nil: it is to be made.
func Err(p Point) error {
	if Hook != nil {
		Hook(p)
	}
	if Inject != nil {
		if err := Inject(p); err != nil {
			return err
		}
	}
	var first error
	for _, r := range rules[p] { // all of them, so that each counts every time
		if err := r.take(p); first == nil {
			first = err
		}
	}
	return first
}

func (r *rule) take(p Point) error {
	if n := r.seen.Add(1); r.at != 0 && n != r.at || r.share != 0 && rand.Float64() >= r.share {
		return nil
	}
	if log != nil { // before the act, which may be the last one
		_, _ = log.WriteString(p.String() + " " + r.name + "\n") // one write, appended whole
	}
	return r.do()
}

func openLog() *os.File {
	name := os.Getenv("RINGLOG_FAILPOINTS_LOG")
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		fail(err)
	}
	return f
}

// fail ends a process whose faults cannot be injected: a test that goes on without
// them would prove nothing.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "failpoint:", err)
	os.Exit(2)
}

func fromEnvironment() (all [numPoints][]*rule) {
	for _, field := range strings.Fields(os.Getenv("RINGLOG_FAILPOINTS")) {
		pattern, spec, _ := strings.Cut(field, "=")
		found := false
		for _, p := range All() {
			if ok, err := path.Match(pattern, p.String()); err != nil {
				fail(fmt.Errorf("%q: %w", field, err))
			} else if !ok {
				continue
			}
			r, err := parse(spec)
			if err != nil {
				fail(fmt.Errorf("%q: %w", field, err))
			}
			all[p], found = append(all[p], r), true
		}
		if !found {
			fail(fmt.Errorf("%q names no point", field))
		}
	}
	return all
}

// parse reads ACTION, ACTION@N or ACTION%PERCENT.
func parse(spec string) (*rule, error) {
	r := &rule{name: spec}
	var err error
	action := spec
	if i := strings.IndexAny(spec, "@%"); i >= 0 {
		action = spec[:i]
		if spec[i] == '@' {
			r.at, err = strconv.ParseUint(spec[i+1:], 10, 64)
		} else {
			r.share, err = strconv.ParseFloat(spec[i+1:], 64)
			r.share /= 100
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case action == "kill":
		r.do = func() error { return die(syscall.SIGKILL) }
	case action == "stop":
		r.do = func() error { return die(syscall.SIGSTOP) }
	case strings.HasPrefix(action, "delay(") && strings.HasSuffix(action, ")"):
		d, err := time.ParseDuration(action[len("delay(") : len(action)-1])
		if err != nil {
			return nil, err
		}
		r.do = func() error { time.Sleep(d); return nil }
	default:
		errno := errnoOf(action)
		if errno == 0 {
			return nil, fmt.Errorf("unknown action %q; want kill, stop, delay(2ms) or an errno such as ENOSPC", action)
		}
		r.do = func() error { return errno }
	}
	return r, nil
}

// die sends the signal and returns only when a stopped process was continued.
func die(s syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		fail(err)
	}
	if s == syscall.SIGKILL {
		select {} // not one instruction more than this thread's share of the kill
	}
	return nil
}

func errnoOf(name string) syscall.Errno {
	for e := syscall.Errno(1); e < 256; e++ {
		if named := unix.ErrnoName(e); named == name && name != "" { // not all numbers have a name
			return e
		}
	}
	return 0
}
