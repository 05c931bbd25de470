package ring

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEachOutcomeIsToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		write       func(s *scribe)
		live, final []Outcome // up to and with the first that is no record; all
	}{
		{"nothing", func(s *scribe) {}, []Outcome{OutcomeEnd}, nil},
		{"record", func(s *scribe) { s.raw("a") }, []Outcome{OutcomeRecord, OutcomeEnd}, []Outcome{OutcomeRecord}},
		{"empty record", func(s *scribe) { s.raw("") }, []Outcome{OutcomeRecord, OutcomeEnd}, []Outcome{OutcomeRecord}},
		{"aborted", func(s *scribe) { s.record(stateAborted, KindRaw, 0, "a") }, []Outcome{OutcomeEnd}, nil},
		{"claimed", func(s *scribe) { s.claimed(9); s.raw("b") }, []Outcome{OutcomeNotYet}, []Outcome{OutcomeTorn, OutcomeRecord}},
		{"claimed last", func(s *scribe) { s.raw("a"); s.claimed(9) }, []Outcome{OutcomeRecord, OutcomeNotYet}, []Outcome{OutcomeRecord, OutcomeTorn}},
		{"unstamped", func(s *scribe) { s.unstamped(9); s.raw("b") }, []Outcome{OutcomeNotYet}, []Outcome{OutcomeTorn, OutcomeRecord}},
		{"unstamped last", func(s *scribe) { s.unstamped(9) }, []Outcome{OutcomeNotYet}, []Outcome{OutcomeTorn}},
		{"claimed before unstamped", func(s *scribe) { s.claimed(9); s.unstamped(20); s.raw("b") }, []Outcome{OutcomeNotYet}, []Outcome{OutcomeTorn, OutcomeRecord}},
		{"wrong checksum", func(s *scribe) { s.at(s.raw("a"))[recordHeader] ^= 1; s.raw("b") }, []Outcome{OutcomeDamaged}, []Outcome{OutcomeDamaged, OutcomeRecord}},
		{"length beyond the end", func(s *scribe) { s.at(s.raw("a"))[recLength+1] = 1; s.raw("b") }, []Outcome{OutcomeDamaged}, []Outcome{OutcomeDamaged, OutcomeRecord}},
		{"huge length", func(s *scribe) { s.at(s.raw("a"))[recLength+3] = 0xff; s.raw("b") }, []Outcome{OutcomeDamaged}, []Outcome{OutcomeDamaged, OutcomeRecord}},
		{"padding at the start", func(s *scribe) { s.stamp(s.raw("a"), statePadding); s.raw("b") }, []Outcome{OutcomeDamaged}, []Outcome{OutcomeDamaged, OutcomeRecord}},
		{"padding beyond the end", func(s *scribe) { s.raw("a"); s.stamp(s.unstamped(9), statePadding) }, []Outcome{OutcomeRecord, OutcomeDamaged}, []Outcome{OutcomeRecord, OutcomeDamaged}},
	} {
		s := newScribe(t, 1024)
		c.write(s)
		l := s.reader()
		all, last := lively(l)
		var live, final []Outcome
		for _, g := range all {
			live = append(live, g.Outcome)
		}
		live = append(live, last.Outcome)
		for _, g := range finally(l) {
			final = append(final, g.Outcome)
		}
		if !slices.Equal(live, c.live) || !slices.Equal(final, c.final) {
			t.Errorf("%s: live %v, final %v; want %v, %v", c.name, live, final, c.live, c.final)
		}
	}
}

func TestDamageInALiveLaneIsFollowedOnlyToWhatVouchesForTheNextRecord(t *testing.T) {
	t.Parallel()
	s := newScribe(t, 1024)
	s.at(s.raw("a"))[recordHeader] ^= 1
	next := s.raw("b")
	if it := s.reader().Live(0, s.pos); it.Outcome != OutcomeDamaged || it.Next != next {
		t.Errorf("stamp behind it: %+v", it)
	}
	if it := s.reader().Live(0, next); it.Outcome != OutcomeDamaged || it.Next != next {
		t.Errorf("producer position behind it: %+v", it)
	}
	s.stamp(next, 0)
	if it := s.reader().Live(0, s.pos); it.Outcome != OutcomeDamaged || it.Next != 0 {
		t.Errorf("nothing behind it: %+v", it)
	}
}

func TestRecordsOfTheOtherChecksumKindAreReadToo(t *testing.T) {
	t.Parallel()
	for _, known := range []ChecksumKind{ChecksumCastagnoli, ChecksumIEEE, 0, 77} {
		for _, kind := range []ChecksumKind{ChecksumCastagnoli, ChecksumIEEE} {
			s := newHeapFile(t, 1, 1024).scribe(0, kind, 64)
			s.raw("a")
			l := s.reader()
			l.kind = known
			if all, last := lively(l); len(all) != 1 || last.Outcome != OutcomeEnd {
				t.Errorf("kind %d, read as %d: live %v, then %v", kind, known, all, last.Outcome)
			}
			if all := finally(l); !slices.Equal(payloads(all), []string{"a"}) {
				t.Errorf("kind %d, read as %d: final %v", kind, known, all)
			}
		}
	}
}

func TestRecordOfAnotherLaneRingOrPlaceIsNoRecord(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 2, 1024)
	s := f.scribe(0, ChecksumCastagnoli, 128)
	s.raw("a")
	other := f.scribe(1, ChecksumCastagnoli, 128)
	other.pos = s.pos
	other.publish()
	copy(other.bytes, s.bytes)
	if all := finally(other.reader()); len(payloads(all)) != 0 {
		t.Errorf("another lane: %v", all)
	}
	f.head.key ^= 1 << 40
	if all := finallyFrom(s.reader(), 128, s.pos); len(payloads(all)) != 0 {
		t.Errorf("another ring: %v", all)
	}
	f.head.key ^= 1 << 40
	moved := newScribe(t, 1024)
	copy(moved.bytes[256:], s.bytes[128:])
	moved.stamp(256, stateCommitted) // even with the right stamp
	if all := finallyFrom(moved.reader(), 256, 296); len(payloads(all)) != 0 {
		t.Errorf("another place: %v", all)
	}
}

func TestForgedRecordInAPayloadIsNotFound(t *testing.T) {
	t.Parallel()
	// What a writer can log without the key: a record as it would be with key 0.
	forger := newScribe(t, 1024)
	forger.f.head.key = 0
	for range 8 {
		forger.raw("forged")
	}
	s := newScribe(t, 4096)
	pos := s.raw(string(forger.bytes[:400]))
	s.raw("b")
	s.stamp(pos, 0) // its writer died before it stamped: a scan goes through the payload
	if all := finally(s.reader()); !slices.Equal(payloads(all), []string{"b"}) {
		t.Errorf("read %v", all)
	}
}

// Each byte of each record is flipped in turn. Exactly the other records are
// read, whole, by the dead reading; the live reading never reads the damaged one.
func TestFlippedByteCostsItsRecordAlone(t *testing.T) {
	t.Parallel()
	words := []string{"first", "second one", "", "a somewhat longer fourth record", "last"}
	for _, kind := range []ChecksumKind{ChecksumCastagnoli, ChecksumIEEE} {
		for victim := range words {
			for _, bits := range []byte{0x01, 0x80, 0xff, 0x07} {
				probe := newHeapFile(t, 1, 2048).scribe(0, kind, 2048-104)
				var starts []uint64
				for _, w := range words {
					starts = append(starts, probe.raw(w))
				}
				for off := range recordHeader + len(words[victim]) {
					s := probe
					at := s.at(starts[victim])
					at[off] ^= bits
					want := slices.Delete(slices.Clone(words), victim, victim+1)
					all := finally(s.reader())
					if got := payloads(all); !slices.Equal(got, want) {
						// A flip in the stamp may turn committed into aborted, which
						// is whole and skipped; nothing else may be missing.
						t.Fatalf("record %d, byte %d ^ %#x: %q, want %q", victim, off, bits, got, want)
					}
					tiles(t, all, starts[0], s.pos)
					if live, _ := lively(s.reader()); !slices.Equal(payloads(live), words[:victim]) && !slices.Equal(payloads(live), want) {
						t.Fatalf("record %d, byte %d ^ %#x: live %q", victim, off, bits, payloads(live))
					}
					at[off] ^= bits
				}
			}
		}
	}
}

// tiles fails unless the items lie in [pos, end) in order and without overlap.
func tiles(t testing.TB, all []got, pos, end uint64) {
	t.Helper()
	for _, g := range all {
		if g.Pos < pos || g.Next <= g.Pos || g.Next > end {
			t.Fatalf("item %+v does not lie in [%d, %d)", g, pos, end)
		}
		pos = g.Next
	}
}

// Records that died at different points, at each place among whole ones and at
// each offset near the lane's end: the whole ones are all read, the gaps are torn
// and not damaged, and they lie where the unfinished records lie.
func TestUnfinishedRecordsAmongWholeOnesCostOnlyThemselves(t *testing.T) {
	t.Parallel()
	deaths := map[string]func(s *scribe, n int) uint64{"claimed": (*scribe).claimed, "unstamped": (*scribe).unstamped}
	for start := uint64(1024 - 256); start < 1024+64; start += 8 {
		for at := range 5 {
			for how, die := range deaths {
				s := newHeapFile(t, 1, 1024).scribe(0, ChecksumCastagnoli, start)
				var want []string
				var gap uint64
				for i := range 5 {
					if i == at {
						if room := 1024 - s.pos%1024; room < 72 { // an unstamped claim of padding and record
							if how == "claimed" {
								s.stamp(s.pos, statePadding)
							} else {
								gap = s.pos
							}
							s.pos += room
						}
						pos := die(s, 40)
						if gap == 0 {
							gap = pos
						}
						continue
					}
					w := strings.Repeat(fmt.Sprint(i), 10+7*i)
					s.raw(w)
					want = append(want, w)
				}
				all := finally(s.reader())
				if got := payloads(all); !slices.Equal(got, want) {
					t.Fatalf("%s at %d from %d: %v", how, at, start, all)
				}
				tiles(t, all, start, s.pos)
				i := slices.IndexFunc(all, func(g got) bool { return g.Outcome != OutcomeRecord })
				if i != at || all[i].Outcome != OutcomeTorn || all[i].Pos != gap {
					t.Fatalf("%s at %d from %d: gap %+v, want it at %d", how, at, start, all[i], gap)
				}
			}
		}
	}
}

func TestLengthOfAnEarlierLapIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := newHeapFile(t, 1, 1024).scribe(0, ChecksumCastagnoli, 0)
	for range 8 {
		s.raw(strings.Repeat("x", 96)) // a lap of the largest records
	}
	s.progress(Progress{Consumer: s.pos})
	begin := s.pos
	s.unstamped(9) // its length is still that of the lap before
	s.raw("whole")
	all := finally(s.reader())
	if len(all) != 2 || all[0] != (got{OutcomeTorn, begin, begin + 48, ""}) || all[1].Payload != "whole" {
		t.Errorf("read %v", all)
	}
}

// Stamps near the lane's end leave no room for a header. Whoever has the key can
// put them there, and so can a flipped bit turn padding into one.
func TestRecordStampBesideTheLanesEndIsDamageNotAFault(t *testing.T) {
	t.Parallel()
	for off := uint64(1024 - 40); off < 1024; off += 8 {
		for state := uint64(stateClaimed); state <= stateAborted; state++ {
			s := newHeapFile(t, 1, 1024).scribe(0, ChecksumCastagnoli, off)
			for i := off + 8; i < 1024; i++ {
				s.bytes[i] = 0
			}
			s.pos = 1024
			s.stamp(off, state)
			s.raw("whole")
			l := s.reader()
			_, last := lively(l)
			all := finally(l)
			if !slices.Equal(payloads(all), []string{"whole"}) {
				t.Errorf("state %d at %d: live %v, final %v", state, off, last.Outcome, all)
			}
			l.Salvage(0)
		}
	}
}

// chargedStamps fills a lane with what costs a scan most: stamps that fit, with
// lengths that are as large as may be, and no record behind any of them.
func chargedStamps(t testing.TB, size uint64) *scribe {
	s := newScribe(t, size)
	for pos := uint64(0); pos+recordHeader <= size; pos += 24 {
		s.stamp(pos, stateCommitted)
		le.PutUint32(s.at(pos)[recLength:], uint32(min(size/maxRecordShare, size-pos)-recordHeader))
	}
	s.pos = size
	s.publish()
	return s
}

func TestScanOfForgedStampsIsBounded(t *testing.T) {
	t.Parallel()
	for _, kind := range []ChecksumKind{ChecksumCastagnoli, 0} {
		const size = 4 << 20
		s := chargedStamps(t, size)
		l := s.reader()
		l.kind = kind
		l.Rewind(0, size)
		granted, items := l.budget, 0
		if granted != scanCost*size {
			t.Fatalf("a budget of %d bytes for %d", granted, uint64(size))
		}
		for pos := uint64(0); pos < size; items++ {
			it := l.Final(pos, size)
			if it.Outcome == OutcomeRecord || it.Next <= pos {
				t.Fatalf("at %d: %+v", pos, it)
			}
			pos = it.Next
		}
		// Each of the items costs at most two checksums of its record on top of
		// the budget, and they do not overlap.
		if l.budget > granted || items > 100 {
			t.Errorf("budget %d → %d, %d items", granted, l.budget, items)
		}
		if found := l.Salvage(0); len(found) != 0 || l.budget > scanCost*size {
			t.Errorf("salvaged %d records", len(found))
		}
	}
}

// The budget is what is really checksummed, not half of it: each kind counts.
func TestEachChecksumKindOfAScanIsCharged(t *testing.T) {
	t.Parallel()
	s := newScribe(t, 1024)
	s.unstamped(0)
	pos := s.raw(strings.Repeat("x", 68))
	s.at(pos)[recordHeader] ^= 1 // fits, and fails twice
	s.raw("whole")
	l := s.reader()
	l.Rewind(0, s.pos)
	before := l.budget
	l.Final(0, s.pos)
	const candidates = 104 + 40
	if spent := before - l.budget; spent < 2*104+40 || spent > 2*candidates {
		t.Errorf("%d bytes spent", spent)
	}
}

func TestRecordAtTheProducerPositionItselfIsNoticed(t *testing.T) {
	t.Parallel()
	s := newScribe(t, 1024)
	s.raw("a")
	end := s.pos
	if s.reader().Behind(end) {
		t.Error("nothing lies there")
	}
	s.claimed(3)
	if s.reader().Behind(end) {
		t.Error("a claim lies there")
	}
	s.pos = end
	s.raw("b")
	if !s.reader().Behind(end) {
		t.Error("a record lies there")
	}
}

func TestPositionsThatCannotBoundUnreadBytesAreRefused(t *testing.T) {
	t.Parallel()
	l := newScribe(t, 1024).reader()
	for _, c := range []struct {
		pos, end uint64
		want     bool
	}{
		{0, 0, true},
		{0, 1024, true},
		{8, 1032, true},
		{maxPosition &^ 7, maxPosition &^ 7, true},
		{0, 1032, false},
		{8, 0, false},
		{4, 8, false},
		{0, 12, false},
		{0, closedBit, false},
		{closedBit, closedBit, false},
		{1<<64 - 8, 1<<64 - 8, false},
	} {
		if got := l.Readable(c.pos, c.end); got != c.want {
			t.Errorf("[%d, %d): %v", c.pos, c.end, got)
		}
	}
}

func TestSalvageFindsEveryWholeRecordWithoutPositions(t *testing.T) {
	t.Parallel()
	s := newHeapFile(t, 1, 1024).scribe(0, ChecksumIEEE, 4096-128)
	var want []uint64
	want = append(want, s.raw("before the wrap"), s.raw(strings.Repeat("y", 88)))
	s.claimed(10)
	s.record(stateAborted, KindRaw, 0, "aborted")
	want = append(want, s.raw("behind it"))
	damaged := s.raw("damaged")
	s.at(damaged)[recTime] ^= 1
	want = append(want, s.raw("last"))
	for i := lanProgress; i < laneEntrySize; i++ {
		s.f.entry(0)[i] = 0xff
	}
	l := s.reader()
	l.kind = 0
	if found := l.Salvage(0); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if found := l.Salvage(want[2]); !slices.Equal(found, want[2:]) {
		t.Errorf("from %d: found %v", want[2], found)
	}
	if it, ok := l.At(want[3]); !ok || string(it.Payload) != "last" {
		t.Errorf("at %d: %+v", want[3], it)
	}
}
