package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// set makes rules the rules of f.
func (f *heapFile) set(t testing.TB, rules ...LevelRule) {
	t.Helper()
	if err := setLevels(f.open(), f.head, func([]LevelRule) []LevelRule { return rules }); err != nil {
		t.Fatal(err)
	}
}

func (f *heapFile) levels() levelTable { return newLevelTable(f.front, f.head) }

func TestMinLevelIsThatOfTheLongestPrefixInTheHierarchyOfLoggers(t *testing.T) {
	t.Parallel()
	rules := []LevelRule{{"trades", 1}, {"", 2}, {"trades.fx", 3}, {"app.", 4}, {"é", 5}}
	for logger, want := range map[string]int16{
		"": 2, "trades": 1, "trades.eu": 1, "trades.fx": 3, "trades.fx.spot": 3, "trades.fxx": 1,
		"tradesman": 2, "Trades": 2, "trade": 2, ".trades": 2, "app": 2, "app.x": 2, "app.": 4, "app..x": 4, "é.x": 5,
	} {
		if got, ok := MinLevel(rules, logger); !ok || got != want {
			t.Errorf("%q: %d, %v; want %d", logger, got, ok, want)
		}
		slices.Reverse(rules)
	}
	if _, ok := MinLevel(rules[:1], "other"); ok && rules[0].Prefix != "" {
		t.Error("a rule fits a logger of another name")
	}
	root := []LevelRule{{"", 2}, {"root", 6}}
	for logger, want := range map[string]int16{"": 6, "root": 6, "root.x": 6, "x": 2} {
		if got, _ := MinLevel(root, logger); got != want {
			t.Errorf("%q: %d, want %d", logger, got, want)
		}
	}
	if _, ok := MinLevel(nil, ""); ok {
		t.Error("no rules, and one fits")
	}
}

func TestLevelsSetByOneProcessAreReadByAnother(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r")
	if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	in, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var full []LevelRule
	for i := range MaxLevelRules {
		full = append(full, LevelRule{strings.Repeat("x", MaxLevelPrefix-i), int16(-32768 + i*1024)})
	}
	for _, want := range [][]LevelRule{nil, {{"", 20}}, {{"trades", -20}, {"a\x00\xff\n", 32767}}, full, {{"", 0}}} {
		before := p.LevelVersion()
		var given []LevelRule
		err := SetLevels(path, func(rules []LevelRule) []LevelRule {
			given = rules
			return want
		})
		if err != nil {
			t.Fatal(err)
		}
		if old, _ := in.Levels(); len(given) > 0 && len(old) == 0 && len(want) > 0 {
			t.Error("rules vanished")
		}
		got, version, ok := p.Levels()
		if !ok || version == before || version != p.LevelVersion() || !slices.Equal(got, want) {
			t.Errorf("%v: got %v, version %d after %d, %v", want, got, version, before, ok)
		}
		if got, ok := in.Levels(); !ok || !slices.Equal(got, want) {
			t.Errorf("%v: the inspector got %v, %v", want, got, ok)
		}
	}
	err = SetLevels(path, func(rules []LevelRule) []LevelRule { return append(rules, LevelRule{"app", 40}) })
	if got, _ := in.Levels(); err != nil || !slices.Equal(got, []LevelRule{{"", 0}, {"app", 40}}) {
		t.Errorf("got %v, %v", got, err)
	}
	if err := SetLevels(path+"x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no ring: %v", err)
	}
}

func TestSetLevelsRefusesWhatTheTableCannotSayAndChangesNothing(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	f.set(t, LevelRule{"app", 20})
	before := f.snapshot()
	for what, rules := range map[string][]LevelRule{
		"too many": make([]LevelRule, MaxLevelRules+1),
		"too long": {{strings.Repeat("x", MaxLevelPrefix+1), 0}},
		"twice":    {{"a", 0}, {"b", 0}, {"a", 20}},
	} {
		err := setLevels(f.open(), f.head, func([]LevelRule) []LevelRule { return rules })
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if string(f.front) != string(before.front) || len(f.holder) != 0 {
		t.Errorf("bytes changed, or %d locks are left", len(f.holder))
	}
}

func TestSetLevelsWaitsForAnotherOneAndGivesUpAfterASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newHeapFile(t, 1, 1024)
		other := f.open()
		lock := f.head.ControlOffset + ctlLevelVersion
		other.tryLock(lock)
		if err := setLevels(f.open(), f.head, nil); !errors.Is(err, ErrBusy) {
			t.Errorf("locked for ever: %v", err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { f.set(t, LevelRule{"a", 1}) })
		synctest.Wait()
		other.unlock(lock)
		wg.Wait()
		if rules, _, _ := f.levels().load(); len(rules) != 1 {
			t.Errorf("rules %v", rules)
		}
	})
}

// What a writer takes is always the rules of one change.
func TestLevelsReadWhileTheyChangeAreOfOneChange(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 2, 1024)
	w := f.attach(t, "w")
	changes := 3000
	if testing.Short() {
		changes = 300
	}
	var wg sync.WaitGroup
	for who := range 2 {
		wg.Go(func() {
			for n := range changes {
				err := setLevels(f.open(), f.head, func(old []LevelRule) []LevelRule {
					var rules []LevelRule
					for i := range 1 + (n+who)%MaxLevelRules {
						rules = append(rules, LevelRule{fmt.Sprint(n, who, strings.Repeat("x", i)), int16(n)})
					}
					return rules
				})
				if err != nil && !errors.Is(err, ErrBusy) {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	whole := 0
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		rules, version, ok := w.Levels()
		if !ok || len(rules) == 0 {
			continue
		}
		whole++
		for i, r := range rules {
			if want := rules[0].Prefix + strings.Repeat("x", i); r.Prefix != want || r.Level != rules[0].Level || version&1 != 0 {
				t.Fatalf("version %d, rule %d is %v, the first %v", version, i, r, rules[0])
			}
		}
	}
	if whole == 0 {
		t.Error("no table was read whole")
	}
	if got := w.LevelVersion(); got < 2*uint64(changes) || got&1 != 0 {
		t.Errorf("version %d", got)
	}
}

// A setter may die at any store: writers keep the rules they have, the next setter
// finds whole rules only, and goes on.
func TestSetterThatDiesAtAnyStoreLeavesATableThatTheNextOneCanChange(t *testing.T) {
	t.Parallel()
	old := []LevelRule{{"old", 1}, {"old.one", 2}, {"both", 3}, {"gone", 4}}
	next := []LevelRule{{"new", 5}, {"both", 6}, {"a.prefix.of.more.than.one.word", 7}}
	deaths := 0
	for x := uint64(0); x < 4*levelSize; x += 8 {
		f := newHeapFile(t, 1, 1024)
		f.set(t, old...)
		w := f.attach(t, "w")
		version := w.LevelVersion()
		m := pages(t, f.head.LanesOffset+2*pageSize)
		at := f.head.ControlOffset + ctlLevels + x
		shift := (pageSize - at%pageSize) % pageSize &^ 7
		front := m[shift : shift+f.head.LanesOffset : shift+f.head.LanesOffset]
		copy(front, f.front)
		f.front = front
		b := f.open()
		from := m[shift+at : shift+at+pageSize]
		protect(t, from, true)
		_, died := dies(func() { setLevels(b, f.head, func([]LevelRule) []LevelRule { return next }) })
		protect(t, from, false)
		if !died {
			t.Fatalf("no store at or behind entry byte %#x", x)
		}
		deaths++
		b.die()
		if rules, v, ok := f.levels().load(); ok || v == version {
			t.Errorf("byte %#x: half a change is taken for a whole one: %v", x, rules)
		}
		for _, r := range f.levels().rules() {
			if !slices.Contains(old, r) && !slices.Contains(next, r) {
				t.Errorf("byte %#x: a rule nobody made: %v", x, r)
			}
		}
		want := []LevelRule{{"last", 9}}
		f.set(t, want...)
		if rules, v, ok := f.levels().load(); !ok || v != version+2 || !slices.Equal(rules, want) {
			t.Errorf("byte %#x: then %v, version %d after %d, %v", x, rules, v, version, ok)
		}
	}
	if deaths == 0 {
		t.Error("nobody died")
	}
}

func TestHostileLevelTableIsReadWithinItsBounds(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	table := f.levels()
	for i := range levelCount {
		// lengths 0, 1, 2 … around the bound, and far beyond it
		n := uint64(i)
		if i >= 8 {
			n = uint64(MaxLevelPrefix - 16 + i)
		}
		if i >= 60 {
			n = 0xffff
		}
		table.word(i, lvlLength).store(failpoint.OwnIdentity, n|0xffff_ffff_0000_0000)
		for off := uint64(lvlPrefix); off < levelSize; off += 8 {
			table.word(i, off).store(failpoint.OwnIdentity, uint64(i)*0x0101_0101_0101_0101)
		}
	}
	rules, _, ok := w.Levels()
	if !ok || len(rules) != 17 {
		t.Errorf("%d rules, %v", len(rules), ok)
	}
	for _, r := range rules {
		if len(r.Prefix) > MaxLevelPrefix {
			t.Errorf("a prefix of %d bytes", len(r.Prefix))
		}
	}
	table.version.store(failpoint.OwnIdentity, 7)
	if _, _, ok := w.Levels(); ok {
		t.Error("an odd version counts")
	}
	if rules, ok := f.inspect(t).Levels(); ok || len(rules) != 17 {
		t.Errorf("the inspector: %d rules, %v", len(rules), ok)
	}
}

func TestLevelVersionOfAClosedProducerCanStillBeRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r")
	if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := SetLevels(path, func([]LevelRule) []LevelRule { return nil }); err != nil {
		t.Fatal(err)
	}
	if p.LevelVersion() != 2 {
		t.Errorf("version %d", p.LevelVersion())
	}
}

func BenchmarkLevelVersion(b *testing.B) {
	f := newHeapFile(b, 1, 1024)
	p, err := attach(f.open(), f.head, AttachOptions{})
	if err != nil {
		b.Fatal(err)
	}
	var sum uint64
	for b.Loop() {
		sum += p.LevelVersion()
	}
	_ = sum
}
