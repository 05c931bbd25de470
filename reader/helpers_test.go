//go:build linux

package reader

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"golang.org/x/sys/unix"
)

// newRing makes a ring with the smallest lanes, in a directory of its own.
func newRing(t testing.TB, lanes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

func attach(t testing.TB, path, label string) *ring.Producer {
	t.Helper()
	p, err := ring.Attach(path, ring.AttachOptions{Label: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func closeLane(t testing.TB, p *ring.Producer) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// say appends raw records.
func say(t testing.TB, p *ring.Producer, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if err := p.Append([]byte(m), int16(record.LevelInfo), ring.KindRaw); err != nil {
			t.Fatal(err)
		}
	}
}

// logTo appends a log record of the named logger.
func logTo(t testing.TB, p *ring.Producer, logger, message string, attrs ...slog.Attr) {
	t.Helper()
	logAt(t, p, record.LevelInfo, logger, message, attrs...)
}

func logAt(t testing.TB, p *ring.Producer, level record.Level, logger, message string, attrs ...slog.Attr) {
	t.Helper()
	e := record.Entry{Logger: logger, Message: message, Attrs: attrs}
	e.Attrs = e.Prepared()
	n, err := e.Size()
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, n)
	if err := e.Encode(payload); err != nil {
		t.Fatal(err)
	}
	if err := p.Append(payload, int16(level), ring.KindLog); err != nil {
		t.Fatal(err)
	}
}

// rotating has all of o's outputs rotate at size bytes, and keep so many files; 0: all.
func rotating(o *Options, size int64, keep int) {
	for i := range o.Outputs {
		o.Outputs[i].Rotation.Size = size
		o.Outputs[i].Rotated.Keep.Count = keep
	}
}

// journal keeps what a reader says.
type journal struct {
	sync.Mutex
	bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.Lock()
	defer j.Unlock()
	return j.Buffer.Write(p)
}

// count is how many lines of the journal contain text.
func (j *journal) count(text string) int {
	j.Lock()
	defer j.Unlock()
	return strings.Count(j.String(), text)
}

// openReader opens a reader that is closed with the test.
func openReader(t testing.TB, path string, o Options) (*Reader, *journal) {
	t.Helper()
	said := new(journal)
	o.Log = slog.New(slog.NewTextHandler(said, nil))
	r, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r, said
}

// drain drains all that is in the ring now, by a reader of its own.
func drain(t testing.TB, path string, o Options) (Stats, *journal) {
	t.Helper()
	o.Until = UntilEmpty
	r, said := openReader(t, path, o)
	if err := r.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return r.Stats(), said
}

// look makes one cycle at the given time that waits for no order.
func look(t testing.TB, r *Reader, now time.Time) (progressed bool) {
	t.Helper()
	return cycleAt(t, r, now, horizonNone)
}

func cycleAt(t testing.TB, r *Reader, now time.Time, horizon int64) (progressed bool) {
	t.Helper()
	progressed, err := r.cycle(context.Background(), now, horizon)
	if err != nil {
		t.Fatal(err)
	}
	return progressed
}

// collect does what a cycle does before it commits.
func collect(t testing.TB, r *Reader) {
	t.Helper()
	now := time.Now()
	if err := r.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range r.streams {
		if err := r.refresh(i, now); err != nil {
			t.Fatal(err)
		}
	}
	r.fill(now, horizonNone, horizonNone)
}

// until runs f again and again until it says true; it fails the test after a time
// that only a hang can take.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// start runs r in a goroutine; finish cancels it if it has not ended, and
// returns its error. It is called with the test at the latest.
func start(t testing.TB, r *Reader) (finish func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	finish = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { finish() })
	return finish
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readAll is what an output holds: its rotated files, oldest first, then itself.
func readAll(t testing.TB, path string) string {
	t.Helper()
	backups, err := filepath.Glob(path + ".*")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, p := range append(backups, path) { // Glob sorts, and the names sort by time
		all.WriteString(readFile(t, p))
	}
	return all.String()
}

// entry is a line of a JSON output.
type entry struct {
	Logger string         `json:"logger"`
	Msg    string         `json:"msg"`
	Level  string         `json:"level"`
	Worker string         `json:"worker"`
	Seq    uint64         `json:"seq"`
	ID     string         `json:"id"`
	Attrs  map[string]any `json:"attrs"`
}

func parse(t testing.TB, text string) []entry {
	t.Helper()
	var entries []entry
	for line := range strings.Lines(text) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in line %q", err, line)
		}
		entries = append(entries, e)
	}
	return entries
}

// short is the messages of a JSON output, one a line; markers are in brackets.
func short(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	for _, e := range parse(t, text) {
		switch e.Attrs["event"] {
		case nil:
			fmt.Fprintf(&b, "%s\n", e.Msg)
		case "lost":
			fmt.Fprintf(&b, "[lost %v]\n", e.Attrs["lost"])
		default:
			fmt.Fprintf(&b, "[%v]\n", e.Attrs["event"])
		}
	}
	return b.String()
}

// surgeon changes bytes of a ring file under the feet of its users. Its numbers
// are those of docs/format.md.
type surgeon struct {
	t                   testing.TB
	f                   *os.File
	table, lanes, size  uint64
	intent, key, closed uint64
}

const (
	lanState      = 0x000
	lanGeneration = 0x080
	lanClockUnix  = 0x0d8
	lanIdentity   = 0x080
	lanSum        = 0x1fc
	lanProducer   = 0x200
	lanLost       = 0x280
	lanConsumer   = 0x300
	lanCheck      = 0x330

	stateOwned   = 0x2020_2044_454e_574f // "OWNED   "
	stateClosed  = 0x2020_4445_534f_4c43 // "CLOSED  "
	stampClaimed = 1
)

func operate(t testing.TB, path string) *surgeon {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	s := &surgeon{t: t, f: f, closed: 1 << 63}
	s.intent, s.table, s.lanes, s.size, s.key = s.word(40), s.word(56), s.word(72), s.word(80), s.word(112)
	return s
}

func (s *surgeon) word(off uint64) uint64 {
	s.t.Helper()
	var b [8]byte
	if _, err := s.f.ReadAt(b[:], int64(off)); err != nil {
		s.t.Fatal(err)
	}
	return binary.LittleEndian.Uint64(b[:])
}

func (s *surgeon) set(off, v uint64) {
	s.t.Helper()
	if _, err := s.f.WriteAt(binary.LittleEndian.AppendUint64(nil, v), int64(off)); err != nil {
		s.t.Fatal(err)
	}
}

// at is the offset of a field of a lane's entry.
func (s *surgeon) at(lane int, field uint64) uint64 { return s.table + uint64(lane)*1024 + field }

// memory is the offset of a lane's byte at a position.
func (s *surgeon) memory(lane int, pos uint64) uint64 {
	return s.lanes + uint64(lane)*s.size + pos%s.size
}

// produced is the producer position of p's lane: where its next record goes,
// unless it needs padding.
func (s *surgeon) produced(p *ring.Producer) uint64 {
	return s.word(s.at(p.Lane(), lanProducer)) &^ s.closed
}

// kill makes p's lane look as if its owner had been killed.
func (s *surgeon) kill(p *ring.Producer) {
	s.t.Helper()
	closeLane(s.t, p)
	s.set(s.at(p.Lane(), lanProducer), s.produced(p))
	s.set(s.at(p.Lane(), lanState), stateOwned)
}

// hold makes p's lane look as if its owner were alive and did nothing, which p itself
// could not do with a lane that is then damaged: its Close would wait in vain.
func (s *surgeon) hold(p *ring.Producer) {
	s.t.Helper()
	s.kill(p)
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(s.at(p.Lane(), 0)), Len: 1}
	if err := unix.FcntlFlock(s.f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		s.t.Fatal(err)
	}
}

// close closes a lane that is held.
func (s *surgeon) close(lane int) {
	s.set(s.at(lane, lanProducer), s.word(s.at(lane, lanProducer))|s.closed)
	s.set(s.at(lane, lanState), stateClosed)
}

// tear makes the record at pos one that was never committed.
func (s *surgeon) tear(lane int, pos uint64) {
	s.set(s.memory(lane, pos), (pos^s.key)&^7|stampClaimed)
}

// spoil flips bits of the first payload byte of the record at pos, or, called a
// second time, heals it.
func (s *surgeon) spoil(lane int, pos uint64) {
	off := s.memory(lane, pos) + 32
	s.set(off, s.word(off)^0xff)
}

// setClock moves the clock of the lane's owner by d.
func (s *surgeon) setClock(lane int, d time.Duration) {
	s.t.Helper()
	s.set(s.at(lane, lanClockUnix), s.word(s.at(lane, lanClockUnix))+uint64(d))
	var seed [12]byte
	binary.LittleEndian.PutUint64(seed[:], s.key)
	binary.LittleEndian.PutUint32(seed[8:], uint32(lane))
	b := make([]byte, lanSum-lanIdentity)
	if _, err := s.f.ReadAt(b, int64(s.at(lane, lanIdentity))); err != nil {
		s.t.Fatal(err)
	}
	sum := binary.LittleEndian.AppendUint32(nil, crc32.Update(crc32.ChecksumIEEE(seed[:]), crc32.IEEETable, b))
	if _, err := s.f.WriteAt(sum, int64(s.at(lane, lanSum))); err != nil {
		s.t.Fatal(err)
	}
}
