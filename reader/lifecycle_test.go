//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

func TestUntilEmptyDrainsWhatIsThereAndEndsWhileOwnersGoOn(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	for range 3 {
		say(t, p, "a")
		if st, _ := drain(t, path, o); st.Records != 1 {
			t.Errorf("%+v", st)
		}
	}
	if st, _ := drain(t, newRing(t, 1), Options{Outputs: []Output{{Path: out + "2"}}}); st != (Stats{}) {
		t.Errorf("a virgin ring gave %+v", st)
	}
	say(t, p, "after")
}

func TestUntilDetachedWaitsForTheFirstOwnerAndEndsWithTheLast(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Until = UntilDetached
	r, _ := openReader(t, path, o)
	now := time.Now()
	for range 3 {
		if look(t, r, now) || r.detached() {
			t.Fatal("detached before anybody was there")
		}
	}
	a, b := attach(t, path, "a"), attach(t, path, "b")
	say(t, a, "x")
	finish := make(chan error, 1)
	go func() { finish <- r.Run(context.Background()) }()
	until(t, "x", func() bool { return strings.Contains(readFile(t, out), "x") })
	closeLane(t, a)
	say(t, b, "y")
	until(t, "y", func() bool { return strings.Contains(readFile(t, out), "y") })
	select {
	case err := <-finish:
		t.Fatalf("ended with an owner still there: %v", err)
	default:
	}
	say(t, b, "z")
	closeLane(t, b)
	if err := <-finish; err != nil {
		t.Fatal(err)
	}
	if got := short(t, readFile(t, out)); got != "x\ny\nz\n" {
		t.Errorf("got %q", got)
	}
}

func TestUntilDetachedEndsWhenTheLastOwnerIsDead(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Until = UntilDetached
	p := attach(t, path, "w")
	say(t, p, "x")
	operate(t, path).kill(p)
	r, _ := openReader(t, path, o)
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := short(t, readFile(t, out)); got != "x\n[vanished]\n" {
		t.Errorf("got %q", got)
	}
}

func TestACancelledReaderDrainsWhatIsThere(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a", "b")
	r, _ := openReader(t, path, o)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got := short(t, readFile(t, out)); got != "a\nb\n" {
		t.Errorf("got %q", got)
	}
}

// The wake-up of a cancelled Run touches the ring; it must be over when Run is.
func TestClosingRightAfterACancelledRunIsSafe(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	_, o := jsonOut(t)
	for range 200 {
		r, _ := openReader(t, path, o)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecondReaderIsRefusedWithThePidOfTheFirst(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	_, o := jsonOut(t)
	first, _ := openReader(t, path, o)
	_, second := jsonOut(t)
	_, err := Open(path, second)
	var running *ring.ReaderRunningError
	if !errors.As(err, &running) || running.PID != os.Getpid() || running.Path != path {
		t.Fatalf("got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	openReader(t, path, second)
}

func TestAnOutputOfAnotherRingsReaderIsRefusedWithItsPid(t *testing.T) {
	t.Parallel()
	_, o := jsonOut(t)
	openReader(t, newRing(t, 1), o)
	other := newRing(t, 1)
	_, err := Open(other, o)
	var locked *logfile.LockedError
	// A child that another test is just starting has it, too.
	if !errors.As(err, &locked) || !slices.Contains(locked.PIDs, os.Getpid()) {
		t.Fatalf("got %v", err)
	}
	_, free := jsonOut(t)
	openReader(t, other, free) // and the ring was given back
}

func TestAnOutputNamedTwiceIsRefused(t *testing.T) {
	t.Parallel()
	out, o := jsonOut(t)
	link := out + ".link"
	if err := os.Symlink(out, link); err != nil {
		t.Fatal(err)
	}
	for _, again := range []string{out, link} {
		o.Outputs = append(o.Outputs[:1], Output{Path: again, Loggers: []string{"trades"}})
		if _, err := Open(newRing(t, 1), o); !errors.Is(err, logfile.ErrLocked) {
			t.Errorf("%s: got %v", again, err)
		}
	}
}

func TestTheNumberOfOutputsIsBounded(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	if _, err := Open(path, Options{}); err == nil {
		t.Error("no output was accepted")
	}
	if _, err := Open(path, Options{Outputs: make([]Output, ring.MaxOutputs+1)}); err == nil {
		t.Error("too many outputs were accepted")
	}
	_, o := jsonOut(t)
	openReader(t, path, o) // nothing was left locked
}

// Owners that come and go as fast as they can, on fewer lanes than there are, under
// a reader that looks all the time: each change of owner is met at any moment.
func TestManyShortLivedOwnersShareFewLanes(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	owners := 3000
	if testing.Short() {
		owners = 300
	}
	var wg sync.WaitGroup
	for first := range 3 {
		wg.Go(func() {
			for i := first; i < owners; i += 3 {
				p, err := ring.Attach(path, ring.AttachOptions{Label: fmt.Sprint("w", i)})
				for errors.Is(err, ring.ErrNoFreeLane) {
					p, err = ring.Attach(path, ring.AttachOptions{Label: fmt.Sprint("w", i)})
				}
				if err == nil {
					err = errors.Join(p.Append(fmt.Append(nil, i), 0, ring.KindRaw), p.Close())
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for ended := false; ; {
		progressed := look(t, r, time.Now())
		if ended && !progressed {
			break
		}
		select {
		case <-done:
			ended = true
		default:
		}
	}
	seen := map[string]bool{}
	for _, e := range parse(t, readFile(t, out)) {
		if e.Worker != "w"+e.Msg || e.Seq != 1 || seen[e.Msg] {
			t.Fatalf("twice, or under a wrong name: %+v", e)
		}
		seen[e.Msg] = true
	}
	if len(seen) != owners {
		t.Errorf("%d records of %d", len(seen), owners)
	}
}

// A process that is just being started has the descriptors of the one that starts
// it, and with them its locks, until it is another program.
func TestTheRingIsFreeWhenCloseReturnsEvenIfProcessesAreBeingStarted(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 1), filepath.Join(t.TempDir(), "out.log")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command("true").Run()
			}
		}
	})
	for range 300 {
		r, err := Open(path, Options{Outputs: []Output{{Path: out}}})
		if err != nil {
			t.Error(err)
			break
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}
