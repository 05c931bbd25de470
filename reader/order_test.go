//go:build linux

package reader

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

func TestRecordsOfSeveralLanesAreMergedByTime(t *testing.T) {
	t.Parallel()
	path := newRing(t, 4)
	out := filepath.Join(t.TempDir(), "out.log")
	a, b, c := attach(t, path, "a"), attach(t, path, "b"), attach(t, path, "c")
	var want strings.Builder
	for i := range 30 {
		p := []*ring.Producer{c, a, b, a}[i%4] // not the order of the lanes
		say(t, p, fmt.Sprint(i))
		fmt.Fprintln(&want, i)
	}
	drain(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
	if got := readFile(t, out); got != want.String() {
		t.Errorf("got %q", got)
	}
}

func TestARecordWaitsForEarlierOnesOfOtherLanesForTheGracePeriodAndNoLonger(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	late, early := attach(t, path, "late"), attach(t, path, "early")
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Grace: time.Minute})
	// Claimed first, committed last: the merge must not have passed it.
	claim, err := early.Claim(5, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	say(t, late, "later")
	now := time.Now()
	horizon := func(now time.Time) int64 { return now.Add(-time.Minute).UnixNano() }
	cycleAt(t, r, now, horizon(now))
	if got := readFile(t, out); got != "" {
		t.Fatalf("delivered %q within the grace period", got)
	}
	copy(claim.Payload, "early")
	early.Commit(claim)
	now = now.Add(2 * time.Minute)
	cycleAt(t, r, now, horizon(now))
	if got := readFile(t, out); got != "early\nlater\n" {
		t.Fatalf("got %q", got)
	}
	// And a claim that is not committed holds nobody up for longer.
	claim, err = early.Claim(1, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	defer early.Commit(claim)
	say(t, late, "alone")
	now = time.Now().Add(2 * time.Minute)
	cycleAt(t, r, now, horizon(now))
	if got := readFile(t, out); !strings.HasSuffix(got, "alone\n") {
		t.Fatalf("got %q", got)
	}
}

func TestRecordsOfALaneKeepTheOrderOfTheirClaims(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	p := attach(t, path, "w")
	var claims []ring.Claim
	for i := range 5 {
		c, err := p.Claim(1, 0, ring.KindRaw)
		if err != nil {
			t.Fatal(err)
		}
		c.Payload[0] = byte('0' + i)
		claims = append(claims, c)
	}
	for _, i := range []int{4, 2, 0, 3, 1} {
		p.Commit(claims[i])
	}
	drain(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
	if got := readFile(t, out); got != "0\n1\n2\n3\n4\n" {
		t.Errorf("got %q", got)
	}
}

// When the wall clock is set back, the records of all who attached before lie in
// the future: they are delivered a grace period after they were seen.
func TestAClockThatIsAheadHoldsNothingUp(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	p := attach(t, path, "ahead")
	operate(t, path).setClock(p.Lane(), time.Hour)
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Grace: time.Millisecond})
	say(t, p, "a", "b", "c")
	now := time.Now()
	cycles := 0
	for readFile(t, out) != "a\nb\nc\n" {
		if cycles++; cycles > 3 {
			t.Fatalf("after %d cycles: %q", cycles-1, readFile(t, out))
		}
		cycleAt(t, r, now, now.Add(-time.Millisecond).UnixNano())
		now = now.Add(2 * time.Millisecond)
	}
}

// Others that log all the time always have a record that is not yet due; it must
// not keep back one that is, only because its clock is ahead.
func TestAClockThatIsAheadIsNotOvertakenForEver(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	ahead, busy := attach(t, path, "ahead"), attach(t, path, "busy")
	operate(t, path).setClock(ahead.Lane(), time.Hour)
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Grace: time.Hour})
	say(t, ahead, "ahead")
	// The busy one's records are younger than the reader's time at every look.
	now := time.Now().Add(-24 * time.Hour)
	for range 4 {
		say(t, busy, "busy")
		cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
		now = now.Add(2 * time.Hour)
	}
	if got := readFile(t, out); !strings.Contains(got, "ahead\n") {
		t.Errorf("after four looks: %q", got)
	}
}

func TestALaneThatFillsUpDoesNotWaitForOrder(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	p := attach(t, path, "w")
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Grace: time.Hour})
	for p.Backlog() <= ring.MinLaneSize/2 {
		say(t, p, strings.Repeat("x", 4000))
	}
	now := time.Now()
	for range 2 {
		cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
	}
	if p.Backlog() != 0 {
		t.Errorf("%d bytes wait", p.Backlog())
	}
}

func TestAFullLaneWhoseOwnerIsStoppedDoesNotEndTheMergeOfTheOthers(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out := filepath.Join(t.TempDir(), "out.log")
	stopped, p := attach(t, path, "stopped"), attach(t, path, "w")
	c, err := stopped.Claim(1, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	defer stopped.Commit(c)
	for stopped.Backlog() <= ring.MinLaneSize/2 {
		say(t, stopped, strings.Repeat("x", 4000))
	}
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Grace: time.Hour})
	say(t, p, "waits")
	now := time.Now()
	for range 3 {
		cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
	}
	if got := readFile(t, out); got != "" {
		t.Errorf("delivered without waiting: %q", got)
	}
}

// Go reads the clock after a claim: so what comes after a look is later than that.
func TestNoRecordWaitsForTheGracePeriodWhereNoEarlierOneCanCome(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	out, o := rawOut(t.TempDir())
	o.Grace = time.Hour
	a, b := attach(t, path, "a"), attach(t, path, "b")
	r, _ := openReader(t, path, o)
	say(t, a, "a1")
	claim, err := a.Claim(2, 0, ring.KindRaw)
	if err != nil {
		t.Fatal(err)
	}
	say(t, b, "b1")
	horizon := func(now time.Time) int64 { return now.Add(-time.Hour).UnixNano() }
	expect := func(now time.Time, want string) {
		t.Helper()
		cycleAt(t, r, now, horizon(now))
		if got := readFile(t, out); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	now := time.Now()
	expect(now, "") // their clocks may be ahead of the reader's
	soon := now.Add(10 * time.Minute)
	expect(soon, "a1\n") // and behind it a claim that may be earlier than b1
	copy(claim.Payload, "a2")
	a.Commit(claim)
	expect(soon, "a1\na2\nb1\n")
	say(t, b, "b2")
	s := r.streams[a.Lane()]
	s.owner.Clock.Kind = ring.ClockUnix // as of an owner who reads the clock before a claim
	expect(soon, "a1\na2\nb1\n")
	s.owner.Clock.Kind = ring.ClockMonotonic
	expect(soon, "a1\na2\nb1\nb2\n")
}
