package ring

import (
	"fmt"
	"strings"
	"testing"
)

func TestEachRecordOfARunIsCheckedAndAWholeOneIsReadFromItOnce(t *testing.T) {
	t.Parallel()
	s := newScribe(t, 1024)
	a, b, c := s.raw("a"), s.raw("b"), s.raw("c")
	s.at(b)[recordHeader] ^= 1
	l := s.reader()
	expect := func(pos uint64, outcome Outcome, payload string) {
		t.Helper()
		if it := l.Live(pos, s.pos); it.Outcome != outcome || string(it.Payload) != payload && outcome == OutcomeRecord {
			t.Errorf("at %d: %v %q", pos, it.Outcome, it.Payload)
		}
	}
	expect(a, OutcomeRecord, "a") // and copies all three
	expect(b, OutcomeDamaged, "")
	s.at(b)[recordHeader] ^= 1 // a writer's stores became visible late (C2)
	expect(b, OutcomeRecord, "b")
	s.at(c)[recordHeader] ^= 1
	expect(c, OutcomeRecord, "c") // as it was when it was copied, and that was whole
	expect(c, OutcomeDamaged, "")
	expect(a, OutcomeRecord, "a")
	if it := l.Live(b, b+8); it.Outcome == OutcomeRecord {
		t.Errorf("a record beyond the end that was given: %+v", it)
	}
}

// What a hostile process changes between the look at the lengths and the copy.
func TestNoLengthOfARunIsBelievedBeyondIt(t *testing.T) {
	t.Parallel()
	for _, length := range []uint32{0, 1, 2, 8, 9, 60, 500, 1 << 20, 1<<32 - 1} {
		s := newScribe(t, 1024)
		s.raw("a")
		b := s.raw("bb")
		l := s.reader()
		if it := l.Live(0, s.pos); string(it.Payload) != "a" {
			t.Fatalf("%+v", it)
		}
		s.raw(strings.Repeat("c", 90)) // there is more in the lane than in the run
		le.PutUint32(l.run.rest[recLength:], length)
		if it := l.Live(b, s.pos); it.Outcome != OutcomeRecord || string(it.Payload) != "bb" {
			t.Errorf("length %d: %v %q", length, it.Outcome, it.Payload)
		}
	}
}

// Records up to the lane's end and from its begin on, of all sizes below and above that of
// a run, among padding, aborted records and claims.
func TestARunEndsWhereRecordsDoNotFollowEachOther(t *testing.T) {
	t.Parallel()
	s := newScribe(t, MinLaneSize)
	l := s.reader()
	pos := uint64(0)
	for i := range 3000 {
		var want []string
		for j := range 1 + i%40 {
			switch text := fmt.Sprint(i, strings.Repeat(".", (i*j)%1500)); {
			case j%7 == 5:
				s.record(stateAborted, KindRaw, 0, text)
			default:
				s.raw(text)
				want = append(want, text)
			}
		}
		if i%11 == 0 {
			big := strings.Repeat("x", runSize-100+i%200)
			s.raw(big)
			want = append(want, big)
		}
		if s.pos-pos > MinLaneSize {
			pos = s.pos // more than the lane holds: not read
			continue
		}
		end := s.pos
		claim := s.claimed(8)
		for _, text := range want {
			it := l.Live(pos, s.pos)
			if it.Outcome != OutcomeRecord || string(it.Payload) != text || it.Next > end {
				t.Fatalf("round %d at %d: %v %.40q, want %.40q", i, pos, it.Outcome, it.Payload, text)
			}
			pos = it.Next
		}
		if it := l.Live(pos, s.pos); it.Outcome != OutcomeNotYet || it.Position != claim {
			t.Fatalf("round %d at %d: %v at %d, want the claim at %d", i, pos, it.Outcome, it.Position, claim)
		}
		pos = s.pos
	}
}
