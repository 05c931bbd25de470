//go:build linux

package reader

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

func jsonOut(t testing.TB) (out string, o Options) {
	out = filepath.Join(t.TempDir(), "out.log")
	return out, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "json"}}}}
}

func lose(p *ring.Producer, n int, reason ring.LossReason) {
	for range n {
		p.CountLost(reason, int16(record.LevelInfo))
	}
}

func TestLostRecordsAreCountedWhereTheyAreMissing(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	lose(p, 2, ring.LostFull)
	say(t, p, "a", "b")
	lose(p, 3, ring.LostTimeout)
	say(t, p, "c")
	lose(p, 1, ring.LostTooLarge)
	closeLane(t, p)
	st, _ := drain(t, path, o)
	if got := short(t, readFile(t, out)); got != "[lost 2]\na\nb\n[lost 3]\nc\n[lost 1]\n" {
		t.Errorf("got %q", got)
	}
	if st.Lost != 6 || st.Records != 3 || st.Vanished != 0 {
		t.Errorf("%+v", st)
	}
	var seqs []uint64
	for _, e := range parse(t, readFile(t, out)) {
		seqs = append(seqs, e.Seq)
	}
	if got := fmt.Sprint(seqs); got != "[2 3 4 7 8 9]" {
		t.Errorf("sequence numbers %v: they count lost records too", got)
	}
}

func TestLossesAfterTheLastRecordOfADeadOwnerComeBeforeItsEnd(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a")
	lose(p, 4, ring.LostNoReader)
	operate(t, path).kill(p)
	drain(t, path, o)
	if got := short(t, readFile(t, out)); got != "a\n[lost 4]\n[vanished]\n" {
		t.Errorf("got %q", got)
	}
}

// A reader that saw the records before, and comes again for the losses alone.
func TestLossesOfADrainedLaneAreReportedOnceItIsClosed(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a")
	drain(t, path, o)
	lose(p, 4, ring.LostFull)
	closeLane(t, p)
	if _, err := ring.Attach(path, ring.AttachOptions{}); err == nil {
		t.Fatal("a lane with unreported losses was claimed")
	}
	for range 2 {
		drain(t, path, o)
	}
	if got := short(t, readFile(t, out)); got != "a\n[lost 4]\n" {
		t.Errorf("got %q", got)
	}
	attach(t, path, "next")
}

func TestEachOwnerOfALaneCountsFromOneAndIsNamed(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	ids := map[string]bool{}
	for owner := range 3 {
		p := attach(t, path, fmt.Sprint("w", owner))
		say(t, p, "a")
		lose(p, 1, ring.LostFull)
		say(t, p, "b")
		closeLane(t, p)
		drain(t, path, o)
	}
	entries := parse(t, readFile(t, out))
	if len(entries) != 9 {
		t.Fatalf("%d lines", len(entries))
	}
	for i, e := range entries {
		if want := fmt.Sprint("w", i/3); e.Worker != want {
			t.Errorf("line %d is of %s", i, e.Worker)
		}
		if want := []uint64{1, 2, 3}[i%3]; e.Seq != want {
			t.Errorf("line %d has seq %d", i, e.Seq)
		}
		if ids[e.ID] {
			t.Errorf("id %s twice", e.ID)
		}
		ids[e.ID] = true
	}
}

// A running reader follows one owner of a lane after the other, also when there is
// nothing left to publish at the end of one.
func TestARunningReaderFollowsTheNextOwnerOfALane(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	r, _ := openReader(t, path, o)
	now := time.Now()
	for owner := range 5 {
		p := attach(t, path, fmt.Sprint("w", owner))
		say(t, p, fmt.Sprint("of ", owner))
		look(t, r, now)
		closeLane(t, p) // everything is published already
		look(t, r, now)
		if r.ready() {
			t.Fatal("the reader thinks that there is work at the end of a drained lane")
		}
	}
	if got := short(t, readFile(t, out)); got != "of 0\nof 1\nof 2\nof 3\nof 4\n" {
		t.Errorf("got %q", got)
	}
	if st := r.Stats(); st.Workers != 5 {
		t.Errorf("%d workers", st.Workers)
	}
}

func TestADeadOwnersRecordsAreDrainedAndItIsNamedOnce(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	s := operate(t, path)
	say(t, p, "a")
	torn := s.produced(p)
	say(t, p, "never committed", "b")
	s.kill(p)
	s.tear(0, torn)
	st, _ := drain(t, path, o)
	if st2, _ := drain(t, path, o); st2.Vanished != 0 {
		t.Error("named again")
	}
	if got := short(t, readFile(t, out)); got != "a\n[torn]\nb\n[vanished]\n" {
		t.Errorf("got %q", got)
	}
	if st.Vanished != 1 || st.Torn != 1 || st.Records != 2 || st.Damaged != 0 {
		t.Errorf("%+v", st)
	}
	if e := parse(t, readFile(t, out))[3]; e.Attrs["records"] != 2.0 || e.Attrs["torn"] != 1.0 || e.Worker != "w" {
		t.Errorf("%+v", e)
	}
	// The lane is free for the next owner.
	p = attach(t, path, "next")
	say(t, p, "c")
	drain(t, path, o)
	if e := parse(t, readFile(t, out)); e[len(e)-1].Worker != "next" || e[len(e)-1].Seq != 1 {
		t.Errorf("%+v", e[len(e)-1])
	}
}

func TestARunningReaderFindsADeadOwnerAfterItsRecordsAreDrained(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a")
	r, _ := openReader(t, path, o)
	now := time.Now()
	look(t, r, now)
	operate(t, path).kill(p)
	look(t, r, now.Add(lockEvery))
	look(t, r, now.Add(2*lockEvery))
	if got := short(t, readFile(t, out)); got != "a\n[vanished]\n" {
		t.Errorf("got %q", got)
	}
	attach(t, path, "next")
}

func TestADamagedRecordOfALiveLaneIsReadAgainBeforeItIsBelieved(t *testing.T) {
	t.Parallel()
	for _, heals := range []bool{true, false} {
		t.Run(fmt.Sprint("heals ", heals), func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 1)
			out, o := jsonOut(t)
			p := attach(t, path, "w")
			s := operate(t, path)
			pos := s.produced(p)
			say(t, p, "damaged?", "b")
			s.spoil(0, pos)
			r, _ := openReader(t, path, o)
			now := time.Now()
			look(t, r, now)
			look(t, r, now.Add(rereadFor-1))
			if got := readFile(t, out); got != "" {
				t.Fatalf("delivered before its time: %q", got)
			}
			if r.ready() {
				t.Error("a reader that rereads would spin")
			}
			want := "[damaged]\nb\n"
			if heals {
				s.spoil(0, pos)
				want = "damaged?\nb\n"
			}
			look(t, r, now.Add(rereadFor))
			if got := short(t, readFile(t, out)); got != want {
				t.Errorf("got %q", got)
			}
			// What comes later is looked at without delay again.
			c, err := p.Claim(1, 0, ring.KindRaw)
			if err != nil {
				t.Fatal(err)
			}
			look(t, r, now.Add(rereadFor))
			if r.ready() {
				t.Error("a claim that is not committed counts as work")
			}
			p.Commit(c)
			if !r.ready() {
				t.Error("a commit after damage does not count as work")
			}
		})
	}
}

func TestADamagedRecordOfALiveLaneThatLeadsNowhereWaitsForItsOwnersEnd(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	s := operate(t, path)
	pos := s.produced(p)
	say(t, p, "a", "b", "c")
	s.hold(p)
	lengthOff := s.memory(0, pos) + 16
	s.set(lengthOff, s.word(lengthOff)+1000)
	r, said := openReader(t, path, o)
	now := time.Now()
	for i := range 5 {
		look(t, r, now.Add(time.Duration(i)*rereadFor))
	}
	if got := readFile(t, out); got != "" {
		t.Fatalf("delivered %q beyond damage, in a live lane", got)
	}
	if said.count("leads nowhere") != 1 || r.ready() {
		t.Errorf("ready %v; said %q", r.ready(), said.String())
	}
	s.close(0)
	look(t, r, now.Add(time.Second))
	if got := short(t, readFile(t, out)); got != "[damaged]\nb\nc\n" {
		t.Errorf("got %q", got)
	}
}

func TestALaneWithoutAUsableDescriptionIsDrainedAllTheSame(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	say(t, p, "a")
	s := operate(t, path)
	s.set(s.at(0, 0x108), 0xffff_ffff_ffff_ffff) // the label
	_, said := drain(t, path, o)
	if got := short(t, readFile(t, out)); got != "a\n" || said.count("description is damaged") != 1 {
		t.Errorf("got %q, said %q", got, said.String())
	}
}

func TestImpossiblePositionsAreSalvagedOnceTheOwnerIsGone(t *testing.T) {
	t.Parallel()
	for _, field := range []uint64{lanProducer, lanConsumer, lanCheck} {
		t.Run(fmt.Sprintf("field %#x", field), func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			out, o := jsonOut(t)
			p := attach(t, path, "w")
			say(t, p, "a", "b", "c")
			s := operate(t, path)
			before := s.word(s.at(p.Lane(), field))
			s.set(s.at(p.Lane(), field), before^1<<40)
			r, said := openReader(t, path, o)
			now := time.Now()
			for i := range 3 {
				look(t, r, now.Add(time.Duration(i)*time.Second))
			}
			if got := readFile(t, out); got != "" || said.count("waiting for its owner to end") != 1 {
				t.Fatalf("got %q, said %q", got, said.String())
			}
			s.set(s.at(p.Lane(), field), before)
			s.kill(p)
			s.set(s.at(p.Lane(), field), before^1<<40)
			for i := range 3 {
				look(t, r, now.Add(time.Duration(i)*time.Second))
			}
			got := short(t, readFile(t, out))
			if !strings.HasPrefix(got, "[damaged]\na\nb\nc\n") || strings.Count(got, "\n") != 5 {
				t.Errorf("got %q", got)
			}
			if st := r.consumer.State(p.Lane()); st != ring.LaneDamaged {
				t.Errorf("the lane is %v", st)
			}
			if st := r.Stats(); st.Workers != 1 || st.Vanished != 1 || st.Records != 3 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// The producer position of a dead owner is damaged so that it hides records.
func TestRecordsBeyondADeadOwnersPositionAreSalvagedBeforeTheLaneIsGivenUp(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := jsonOut(t)
	p := attach(t, path, "w")
	s := operate(t, path)
	say(t, p, "a")
	end := s.produced(p)
	say(t, p, "b", "c")
	s.kill(p)
	s.set(s.at(0, lanProducer), end)
	r, _ := openReader(t, path, o)
	r.stopping = true // so that the dead are found at once
	now := time.Now()
	look(t, r, now)
	if st := r.consumer.State(0); st != ring.LaneOwned && !strings.Contains(readFile(t, out), `"c"`) {
		t.Errorf("the lane is %v already, with its records not yet in the output", st)
	}
	look(t, r, now)
	look(t, r, now)
	if got := short(t, readFile(t, out)); got != "a\n[damaged]\nb\nc\n[vanished]\n" {
		t.Errorf("got %q", got)
	}
	if st := r.consumer.State(0); st != ring.LaneDamaged {
		t.Errorf("the lane is %v", st)
	}
	if st := r.Stats(); st.Vanished != 1 {
		t.Errorf("%+v", st)
	}
}
