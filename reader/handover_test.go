//go:build linux

package reader

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

// A closed lane of which everything is published may be claimed at any moment,
// also between the reader's look at it and its use of what it saw.
func TestALaneClaimedWhileItsReaderLooksIsNotTakenForItsFormerOwners(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	a := attach(t, path, "a")
	say(t, a, "a1")
	for range 2 {
		look(t, r, time.Now())
	}
	closeLane(t, a)
	now := time.Now()
	if err := r.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.refresh(0, now); err != nil {
		t.Fatal(err)
	}
	b := attach(t, path, "b")
	say(t, b, "b1", "b2")
	lose(b, 1, ring.LostTooLarge)
	r.fill(now, horizonNone, horizonNone)
	if err := r.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeLane(t, b)
	for range 3 {
		look(t, r, time.Now())
	}
	if got := short(t, readFile(t, out)); got != "a1\nb1\nb2\n[lost 1]\n" {
		t.Errorf("got %q", got)
	}
}

// After an error the streams have moved on and their lines are in no file: to go
// on would lose them.
func TestAReaderThatFailedDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	path, pipe := newRing(t, 1), fifo(t)
	end, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, o := jsonOut(t)
	o.Outputs = append(o.Outputs, Output{Path: pipe})
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	end.Close()
	a := attach(t, path, "a")
	say(t, a, "a1", "a2")
	for i := range 2 {
		if err := r.Run(context.Background()); err == nil {
			t.Fatalf("run %d into a pipe that nobody reads", i)
		}
	}
	r.Close()
	o.Outputs = o.Outputs[:1]
	drain(t, path, o)
	if got := short(t, readFile(t, out)); got != "a1\na2\n" {
		t.Errorf("got %q", got)
	}
}

func TestAReaderMayRunAgainAfterASuccess(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	o.Until = UntilEmpty
	r, _ := openReader(t, path, o)
	a := attach(t, path, "a")
	for _, m := range []string{"a1", "a2"} {
		say(t, a, m)
		if err := r.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if got := short(t, readFile(t, out)); got != "a1\na2\n" {
		t.Errorf("got %q", got)
	}
}

// A full disk leaves part of a piece in the file. Whatever happens while the rest
// is tried again, the window must go on vouching for that part.
func TestAReaderKilledWhileAFullDiskKeepsItWaitingLeavesEachRecordOnce(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 256<<10)
	path := newRing(t, 1)
	out, filler := filepath.Join(dir, "app.log"), filepath.Join(dir, "filler")
	o := Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}}
	r, _ := openReader(t, path, o)
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for {
		w, err := f.Write(make([]byte, 4096))
		if n += int64(w); err != nil {
			break
		}
	}
	f.Truncate(n - 4096)
	f.Close()
	a := attach(t, path, "a")
	var want strings.Builder
	for i := range 100 {
		m := fmt.Sprintf("record-%06d-%s", i, strings.Repeat("x", 100))
		say(t, a, m)
		fmt.Fprintln(&want, m)
	}
	collect(t, r)
	batch := r.batch()
	if err := r.consumer.Prepare(batch); err != nil {
		t.Fatal(err)
	}
	if err := r.writeOutput(r.outputs[0], 0, batch); err == nil {
		t.Fatal("the disk was not full")
	}
	r.outputs[0].writeRest(func(int, []byte) { t.Error("the window is replaced while it is needed") })
	r.Close() // as if killed here
	os.Remove(filler)
	drain(t, path, o)
	if got := readFile(t, out); got != want.String() {
		t.Errorf("%d bytes, want %d", len(got), want.Len())
	}
}

// A counter that lies must not keep the reader busy for ever.
func TestALossCounterBelowWhatWasSeenIsDamageAndLetsTheReaderRest(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	_, o := jsonOut(t)
	r, said := openReader(t, path, o)
	a := attach(t, path, "a")
	lose(a, 4, ring.LostFull)
	say(t, a, "a1")
	look(t, r, time.Now())
	s := operate(t, path)
	s.set(s.at(a.Lane(), 0x280), 0)
	closeLane(t, a)
	for range 4 {
		look(t, r, time.Now())
	}
	if r.ready() {
		t.Error("still at it")
	}
	if said.count("losses counted") != 1 {
		t.Errorf("said %q", said.String())
	}
}

func TestARecordThatWaitsIsNotForgottenWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	a := attach(t, path, "a")
	look(t, r, time.Now())
	say(t, a, "a1")
	now := time.Now()
	cycleAt(t, r, now, now.Add(-time.Millisecond).UnixNano())
	for range 4 {
		now = now.Add(-time.Hour).Round(0)
		cycleAt(t, r, now, now.Add(-time.Millisecond).UnixNano())
		now = now.Add(time.Second)
		cycleAt(t, r, now, now.Add(-time.Millisecond).UnixNano())
	}
	if got := short(t, readFile(t, out)); got != "a1\n" {
		t.Errorf("got %q", got)
	}
}
