//go:build linux

package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

func TestARingTruncatedUnderASleepingReaderIsAnErrorAndNoCrash(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 4096, 70 << 10} {
		path := newRing(t, 2)
		_, o := jsonOut(t)
		r, _ := openReader(t, path, o)
		finish := start(t, r)
		until(t, "sleep", operate(t, path).asleep)
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		if err := finish(); !errors.Is(err, ring.ErrTruncated) {
			t.Errorf("truncated to %d bytes: got %v", size, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestALaneTruncatedWithRecordsInItIsAnErrorAndNoCrash(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	_, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a")
	s := operate(t, path)
	s.kill(p)
	r, _ := openReader(t, path, o)
	if err := os.Truncate(path, int64(s.lanes)); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(context.Background()); !errors.Is(err, ring.ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

func TestADamagedIntentIsSaidAndDrainingGoesOn(t *testing.T) {
	t.Parallel()
	v := newVictim(t, 0)
	v.writeUpTo(t, v.batch(), 0)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	s := operate(t, v.path)
	for _, state := range []uint64{s.word(s.intent), 0x4141_4141_4141_4141} {
		s.set(s.intent, state)
		for i := range uint64(64) { // both slots' numbers and sizes
			off := s.intent + 0x100 + 8*i
			s.set(off, s.word(off)^1<<60)
		}
		_, said := drain(t, v.path, v.opts)
		if said.count("may be delivered twice") != 1 {
			t.Errorf("said %q", said.String())
		}
	}
	for _, out := range v.outs {
		if got := readFile(t, out); !strings.Contains(got, "of live") || !strings.Contains(got, "of dead") {
			t.Errorf("got %q", got)
		}
	}
}

// Whatever the lane table, the intent and the lanes hold, a drain ends, without a
// crash, and one that goes on comes to rest.
func TestNoGarbageInARingHangsOrCrashesADrain(t *testing.T) {
	t.Parallel()
	rounds := 300
	if testing.Short() {
		rounds = 40
	}
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { garble(t, seed) })
	}
}

func garble(t *testing.T, seed uint64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 1))
	path := newRing(t, 3)
	_, o := jsonOut(t)
	s := operate(t, path)
	for i := range 3 {
		p := attach(t, path, "w")
		for range rnd.IntN(200) {
			say(t, p, strings.Repeat("y", rnd.IntN(300)))
		}
		lose(p, rnd.IntN(3), ring.LostFull)
		switch i {
		case 0:
			closeLane(t, p)
		case 1:
			s.kill(p)
		case 2:
			s.hold(p)
		}
	}
	values := []uint64{0, 1, 7, 8, 1 << 16, 1<<16 + 8, 1 << 40, 1 << 63, math.MaxUint64, math.MaxInt64, stateOwned}
	value := func() uint64 {
		if rnd.IntN(2) == 0 {
			return rnd.Uint64()
		}
		return values[rnd.IntN(len(values))]
	}
	for range 1 + rnd.IntN(6) {
		var off uint64
		switch rnd.IntN(4) {
		case 0, 1:
			off = s.at(rnd.IntN(3), uint64(rnd.IntN(128))*8)
		case 2:
			off = s.memory(rnd.IntN(3), uint64(rnd.IntN(4096))*8)
		case 3:
			off = s.intent + uint64(rnd.IntN(100))*8
		}
		s.set(off, value())
	}
	o.Until, o.Log = UntilEmpty, slog.New(slog.DiscardHandler)
	r, err := Open(path, o)
	if err != nil {
		return // refused, and said why
	}
	defer r.Close()
	if seed%2 == 0 {
		rests(t, r)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(context.Background()) }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the drain does not end")
	}
}

// rests checks that a reader that looks at the ring again and again finds nothing
// to do in the end, and would sleep.
func rests(t *testing.T, r *Reader) {
	t.Helper()
	now := time.Now()
	for range 20 {
		now = now.Add(2 * lockEvery)
		if _, err := r.cycle(context.Background(), now, now.Add(-r.opts.Grace).UnixNano()); err != nil {
			return // refused, and said why
		}
	}
	if r.ready() || look(t, r, now) {
		t.Error("there is always something to do")
	}
}

// Found by TestNoGarbageInARingHangsOrCrashesADrain.
func TestAClosedLaneWhosePositionIsNotClosedIsSalvaged(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a", "b")
	s := operate(t, path)
	closeLane(t, p)
	s.set(s.at(0, lanProducer), s.produced(p)+64)
	r, _ := openReader(t, path, o)
	rests(t, r)
	if got := short(t, readFile(t, out)); !strings.HasPrefix(got, "[damaged]\na\nb\n") {
		t.Errorf("got %q", got)
	}
	if st := r.consumer.State(0); st != ring.LaneDamaged {
		t.Errorf("the lane is %v", st)
	}
}

// Bytes that are several times as long in a line as in a record, and many of them.
func TestABatchIsBoundedWhateverIsLogged(t *testing.T) {
	t.Parallel()
	for _, c := range []string{"\x01", "\xff", "\"", "x"} {
		path := filepath.Join(t.TempDir(), "test.ring")
		if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: 2 << 20}); err != nil {
			t.Fatal(err)
		}
		out, o := jsonOut(t)
		p := attach(t, path, "w")
		n := 0
		for p.Append(bytes.Repeat([]byte(c), p.MaxPayload()-8), 0, ring.KindRaw) == nil {
			n++
		}
		r, _ := openReader(t, path, o)
		for more := true; more; {
			more = look(t, r, time.Now())
			if got := len(r.outputs[0].buf); got > maxBatch+2<<20 {
				t.Errorf("%q: a batch of %d bytes", c, got)
			}
		}
		if got := strings.Count(readFile(t, out), "\n"); got != n || n < 6 {
			t.Errorf("%q: %d lines of %d", c, got, n)
		}
	}
}
