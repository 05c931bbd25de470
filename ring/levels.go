package ring

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// Bounds of the level table.
const (
	// MaxLevelRules is the largest number of rules in one ring.
	MaxLevelRules = levelCount
	// MaxLevelPrefix is the length in bytes of the longest prefix.
	MaxLevelPrefix = levelSize - lvlPrefix
)

// LevelRule is the minimum level of one logger and of those below it. It is for
// writers to obey: the ring takes records of any level.
type LevelRule struct {
	// Prefix is the logger's name: "trades" is for "trades" and "trades.fx", not
	// for "tradesman"; "root" is also for the root logger, whose name is empty; empty:
	// all loggers. At most MaxLevelPrefix bytes. From a ring, they may be any bytes.
	Prefix string
	// Level, on the stored scale, is the lowest that is to be logged.
	Level int16
}

// fits says whether the rule is for logger.
func (r LevelRule) fits(logger string) bool {
	if r.Prefix == "" || r.Prefix == "root" && logger == "" {
		return true
	}
	rest, ok := strings.CutPrefix(logger, r.Prefix)
	return ok && (rest == "" || rest[0] == '.')
}

// MinLevel is the minimum level that rules have for logger, on the stored scale:
// that of the longest prefix that fits. ok is false if none does.
func MinLevel(rules []LevelRule, logger string) (level int16, ok bool) {
	longest := -1
	for _, r := range rules {
		if len(r.Prefix) > longest && r.fits(logger) {
			longest, level, ok = len(r.Prefix), r.Level, true
		}
	}
	return level, ok
}

// SetLevels replaces the rules of the ring at path by what change makes of them,
// for all processes that are attached to it and those to come. It takes no lane.
// change gets a slice of its own; it is called once, while other changes wait.
//
// Errors: those of Attach that concern the file; ErrInvalid for too many rules, two
// with one prefix, or a prefix that is too long; ErrBusy if somebody else is at it
// for more than a second. The rules are then as they were.
func SetLevels(path string, change func(rules []LevelRule) []LevelRule) error {
	f, err := openFile(path, mmap.RDONLY)
	if err != nil {
		return err
	}
	defer f.close() // which gives the lock back
	return setLevels(f, f.head, change)
}

func setLevels(b backing, head Header, change func(rules []LevelRule) []LevelRule) error {
	lock := head.ControlOffset + ctlLevelVersion
	for deadline := time.Now().Add(settleTime); ; pause(time.Millisecond) {
		ok, err := b.tryLock(lock)
		if err != nil {
			return err
		}
		if ok {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: somebody is changing the level rules of %s; try again", ErrBusy, b.name())
		}
	}
	t := newLevelTable(b.meta(), head)
	rules := change(t.rules())
	err := validLevels(rules)
	if err == nil {
		t.replace(rules)
	}
	if unlocked := b.unlock(lock); err == nil {
		err = unlocked
	}
	return err
}

func validLevels(rules []LevelRule) error {
	if len(rules) > MaxLevelRules {
		return fmt.Errorf("%w: %d level rules; a ring has room for %d", ErrInvalid, len(rules), MaxLevelRules)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		switch {
		case len(r.Prefix) > MaxLevelPrefix:
			return fmt.Errorf("%w: level rule for %q: the prefix has %d bytes, at most %d are allowed", ErrInvalid, r.Prefix, len(r.Prefix), MaxLevelPrefix)
		case seen[r.Prefix]:
			return fmt.Errorf("%w: two level rules for %q; want one", ErrInvalid, r.Prefix)
		}
		seen[r.Prefix] = true
	}
	return nil
}

// LevelVersion changes whenever the level rules do. It is one load, cheap enough
// for every record: as long as it is the version that Levels returned, so are the
// rules.
func (p *Producer) LevelVersion() uint64 {
	v := p.levels.load()
	runtime.KeepAlive(p) // a closed lane's ring is unmapped when p is garbage
	return v
}

// Levels returns the ring's level rules and their version. ok is false while they
// are being changed: keep those you have, and ask again at the next record.
func (p *Producer) Levels() (rules []LevelRule, version uint64, ok bool) {
	defer runtime.KeepAlive(p)
	return newLevelTable(p.from.meta(), p.ring).load()
}

// Levels reads the ring's level rules as they are now. ok is false if they are
// being changed all the time, or if who changed them died in the middle; rules are
// then those that are whole.
func (in *Inspector) Levels() (rules []LevelRule, ok bool) {
	// Only the version and the table are read, in the order of load: a copy of
	// both in one read has no order.
	from := in.ring.ControlOffset
	b := make([]byte, ctlUsedLength)
	version, table, again := b[ctlLevelVersion:][:8], b[ctlLevels:][:levelCount*levelSize], make([]byte, 8)
	for range 100 {
		for _, part := range []struct {
			b   []byte
			off uint64
		}{{version, ctlLevelVersion}, {table, ctlLevels}, {again, ctlLevelVersion}} {
			if readFull(in.r, part.b, from+part.off) != nil {
				return nil, false
			}
		}
		var before uint64
		if rules, before, ok = levelTableAt(b).load(); ok && before == le.Uint64(again) {
			return rules, true
		}
		pause(100 * time.Microsecond)
	}
	return levelTableAt(b).rules(), false
}

// levelTable is the level table in the control area: a version, and entries of
// which each is whole at any instant. The version is odd while entries change.
type levelTable struct {
	version *word
	entries []byte
}

func newLevelTable(meta []byte, head Header) levelTable {
	return levelTableAt(meta[head.ControlOffset:][:head.ControlLength])
}

func levelTableAt(control []byte) levelTable {
	return levelTable{
		version: wordAt(control, ctlLevelVersion),
		entries: control[ctlLevels : ctlLevels+levelCount*levelSize : ctlLevels+levelCount*levelSize],
	}
}

func (t levelTable) word(i int, off uint64) *word {
	return wordAt(t.entries, uint64(i)*levelSize+off)
}

// load reads all rules of one version. The entries are loaded between two loads of
// the version, all sequentially consistent: an entry of a later change would come
// with a later version.
func (t levelTable) load() (rules []LevelRule, version uint64, ok bool) {
	version = t.version.load()
	if version&1 != 0 {
		return nil, version, false
	}
	rules = t.rules()
	return rules, version, t.version.load() == version
}

// rules reads the entries that can be rules; of two with one prefix the first.
func (t levelTable) rules() []LevelRule {
	var rules []LevelRule
	seen := map[string]bool{}
	for i := range levelCount {
		if r, ok := t.rule(i); ok && !seen[r.Prefix] {
			seen[r.Prefix] = true
			rules = append(rules, r)
		}
	}
	return rules
}

func (t levelTable) rule(i int) (r LevelRule, ok bool) {
	head := t.word(i, lvlLength).load()
	n := uint64(uint16(head))
	if n == 0 || n-1 > MaxLevelPrefix {
		return r, false
	}
	n--
	var prefix [MaxLevelPrefix]byte
	for off := uint64(0); off < n; off += 8 {
		le.PutUint64(prefix[off:], t.word(i, lvlPrefix+off).load())
	}
	return LevelRule{Prefix: string(prefix[:n]), Level: int16(head >> 16)}, true
}

// replace stores rules, which are valid, under the table's lock. A predecessor
// that died in the middle left the version odd; then it stays odd until this change
// is done.
func (t levelTable) replace(rules []LevelRule) {
	changing := t.version.load() | 1
	t.version.store(failpoint.LevelVersion, changing)
	for i := range levelCount {
		// Unused while the prefix changes, so that whoever dies here leaves no
		// rule that nobody made.
		t.word(i, lvlLength).store(failpoint.LevelRule, 0)
		if i >= len(rules) {
			continue
		}
		r := rules[i]
		var prefix [MaxLevelPrefix]byte
		copy(prefix[:], r.Prefix)
		for off := uint64(0); off < MaxLevelPrefix; off += 8 {
			t.word(i, lvlPrefix+off).store(failpoint.LevelRule, le.Uint64(prefix[off:]))
		}
		t.word(i, lvlLength).store(failpoint.LevelRule, uint64(len(r.Prefix)+1)|uint64(uint16(r.Level))<<16)
	}
	t.version.store(failpoint.LevelVersion, changing+1)
}
