//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/ringlog/ringlog/ring"
)

const visitorVariable = "RINGLOG_TEST_VISITOR"

// Before TestMain: processes that the test below starts are the test binary itself.
func init() {
	path := os.Getenv(visitorVariable)
	if path == "" {
		return
	}
	if err := visit(path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

const visits = 200

// visit attaches to whatever ring has the path, logs one record and closes, again
// and again, and prints each record that was accepted. The last time it does not
// close.
func visit(path string) error {
	for n := range visits {
		p, err := ring.Attach(path, ring.AttachOptions{})
		for err != nil {
			if !errors.Is(err, ring.ErrRetired) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ring.ErrNoFreeLane) {
				return err
			}
			p, err = ring.Attach(path, ring.AttachOptions{})
		}
		said := fmt.Sprintf("%d-%d", os.Getpid(), n)
		if err := p.Append([]byte(said), 0, ring.KindRaw); err != nil {
			return err
		}
		fmt.Println(said)
		if n == visits-1 {
			return nil
		}
		if err := p.Close(); err != nil {
			return err
		}
	}
	return nil
}

func TestProcessesThatComeAndGoLoseNothingWhenTheirRingsAreRemovedAllTheTime(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Until = UntilEmpty

	var accepted []string
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 3 {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), visitorVariable+"="+path)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				stdout, err := cmd.Output()
				if err != nil {
					t.Errorf("%v: %s", err, stderr.String())
				}
				mu.Lock()
				for line := range strings.Lines(string(stdout)) {
					accepted = append(accepted, strings.TrimSpace(line))
				}
				mu.Unlock()
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		wg.Wait()
		close(ended)
	}()
	removals, kept := 0, map[string]int{}
	for last := false; !last; {
		select {
		case <-ended:
			last = true
		default:
		}
		r, _ := openReader(t, path, o)
		if err := r.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		removed, why, err := r.Remove(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if !removed {
			kept[why]++
			continue
		}
		removals++
		if err := ring.Create(path, ring.CreateOptions{Lanes: 2, LaneSize: ring.MinLaneSize}); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]int{}
	for _, e := range parse(t, readFile(t, out)) {
		found[e.Msg]++
	}
	for _, said := range accepted {
		if found[said] != 1 {
			t.Errorf("%s is there %d times", said, found[said])
		}
	}
	if len(accepted) != 9*visits || removals == 0 {
		t.Errorf("%d accepted, %d removals", len(accepted), removals)
	}
	t.Logf("%d removals, kept %v", removals, kept)
}

func TestRemoveRemovesARingThatNobodyHasWithAllThatCameSinceRun(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	out, o := jsonOut(t)
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	a, b, c := attach(t, path, "a"), attach(t, path, "b"), attach(t, path, "c")
	say(t, a, "of a")
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	say(t, b, "of b")
	say(t, c, "of c")
	lose(a, 3, ring.LostFull)
	closeLane(t, a)
	closeLane(t, b)
	operate(t, path).kill(c)
	removed, why, err := r.Remove(context.Background())
	if !removed || why != "" || err != nil {
		t.Fatalf("removed %v, %q, %v", removed, why, err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file: %v", err)
	}
	got := strings.Split(short(t, readFile(t, out)), "\n")
	for _, want := range []string{"of a", "of b", "of c", "[lost 3]", "[vanished]"} {
		if n := strings.Count(strings.Join(got, "\n"), want); n != 1 {
			t.Errorf("%q is there %d times in %q", want, n, got)
		}
	}
	if st := r.Stats(); st.Records != 3 || st.Lost != 3 || st.Vanished != 1 {
		t.Errorf("%+v", st)
	}
}

func TestRemoveKeepsARingThatSomebodyHasAndSaysWho(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	_, o := jsonOut(t)
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	a := attach(t, path, "a")
	me := fmt.Sprintf("worker a (pid %d)", os.Getpid())
	keeps := func(want string) {
		t.Helper()
		if err := r.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if removed, why, err := r.Remove(context.Background()); removed || why != want || err != nil {
			t.Errorf("removed %v, %q, %v; want %q", removed, why, err, want)
		}
	}
	keeps(me + " is still attached")
	b := attach(t, path, "b")
	keeps(me + " and 1 more are still attached")
	say(t, a, "goes on")
	closeLane(t, a)
	closeLane(t, b)
	if removed, why, err := r.Remove(context.Background()); !removed || err != nil {
		t.Errorf("removed %v, %q, %v", removed, why, err)
	}
	if st := r.Stats(); st.Records != 1 {
		t.Errorf("%+v", st)
	}
}

func TestRemoveRemovesARingWithALaneThatIsOutOfUse(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Until = UntilEmpty
	p := attach(t, path, "w")
	say(t, p, "x")
	s := operate(t, path)
	s.kill(p)
	s.set(s.at(p.Lane(), lanProducer), 1<<40)
	r, _ := openReader(t, path, o)
	if removed, why, err := r.Remove(context.Background()); !removed || err != nil {
		t.Errorf("removed %v, %q, %v", removed, why, err)
	}
	if got := short(t, readFile(t, out)); !strings.Contains(got, "x\n") {
		t.Errorf("got %q", got)
	}
}

func TestRemoveThatCannotDrainOrUnlinkLeavesARingInUse(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if removed, _, err := r.Remove(context.Background()); removed || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("renamed: removed %v, %v", removed, err)
	}
	p := attach(t, path+".away", "w")
	say(t, p, "x")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	closeLane(t, p)
	drain(t, path+".away", o)
	if got := short(t, readFile(t, out)); got != "x\n" {
		t.Errorf("got %q", got)
	}
}

// A reader that dies between the mark and the end of the removal leaves the mark.
func TestReaderAndWorkersCanUseARingWhoseRemovalWasNotFinished(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	p := attach(t, path, "w")
	say(t, p, "x")
	closeLane(t, p)
	if ok, err := r.consumer.Retire(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	r.Close() // which stores nothing, as being killed does not
	if _, err := ring.Attach(path, ring.AttachOptions{}); !errors.Is(err, ring.ErrRetired) {
		t.Errorf("attached: %v", err)
	}
	drain(t, path, o)
	p = attach(t, path, "w")
	say(t, p, "y")
	drain(t, path, o)
	if got := short(t, readFile(t, out)); got != "x\ny\n" {
		t.Errorf("got %q", got)
	}
}
