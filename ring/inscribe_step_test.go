//go:build linux && amd64 && !race && !failpoints && !sched

package ring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// A process dies between any two instructions. Here it is stopped between them: a child
// appends to a ring file, instruction by instruction, and after each that stored something the
// ring is looked at as by a reader that finds the lane's owner dead.

// steppedAppends are the appends that the child makes.
var steppedAppends = []struct {
	size int    // of the payload in bytes
	room uint64 // from the producer position to the lane's end, in bytes; 0: more than enough
}{
	{size: 0},
	{size: 1},
	{size: 7},
	{size: 8},
	{size: 100},
	{size: 113},
	{size: 256},
	{size: maxInscribed},
	{size: maxInscribed + 1},          // by Claim, Fill and Commit
	{size: 7, room: recordHeader + 8}, // needs no padding
	{size: 0, room: 8},
	{size: 100, room: 64},
	{size: maxInscribed + 1, room: 64},
}

func steppedPayload(i int) []byte {
	b := make([]byte, steppedAppends[i].size)
	for j := range b {
		b[j] = byte('!' + (7*j+i)%89) // no two words are alike
	}
	return b
}

// steppedRing is, in the environment, the ring to which a child is to append.
const steppedRing = "RINGLOG_TEST_STEPPED"

func TestAnAppendThatEndsAfterAnyInstructionLeavesNothingOrAGapOrItsRecord(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]AttachOptions{"many": {}, "single": {SingleProducer: true}} {
		t.Run(name, func(t *testing.T) {
			if path := os.Getenv(steppedRing); path != "" {
				appendStopping(t, path, o)
				return
			}
			t.Parallel()
			path := newRing(t, 1)
			c := startStepped(t, path)
			f := sharedHeapFile(t, path)
			var a steppedAppend
			for i := range steppedAppends {
				c.toNextStop(t)
				a.begin(f, i)
				c.stepThrough(t, f, &a)
			}
		})
	}
}

// appendStopping is the child: it stops before and after each append.
func appendStopping(t *testing.T, path string, o AttachOptions) {
	runtime.LockOSThread()
	p, err := Attach(path, o)
	if err != nil {
		t.Fatal(err)
	}
	pid, thread := unix.Getpid(), unix.Gettid()
	fmt.Println(thread)
	if n, err := os.Stdin.Read(make([]byte, 1)); n != 1 {
		t.Fatal("nobody steps:", err)
	}
	// A raw call, so that the scheduler has nothing to do with it.
	stop := func() { unix.RawSyscall(unix.SYS_TGKILL, uintptr(pid), uintptr(thread), uintptr(announced)) }
	for i := range steppedAppends {
		payload := steppedPayload(i)
		p.CountLost(LostFull, WarningLevel) // for records that carry different totals
		stop()
		err := p.Append(payload, WarningLevel, KindRaw)
		stop()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// announced is the signal by which the child stops. It never gets it: its tracer does.
const announced = unix.SIGUSR1

// stepped is a child of which one thread is traced by this one.
type stepped struct {
	thread int
	out    io.Reader // what the child says
}

func startStepped(t *testing.T, path string) *stepped {
	t.Helper()
	runtime.LockOSThread() // for good: the kernel knows one thread as the tracer
	child := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	// Without preemption and collection there are few other instructions than the append's.
	child.Env = append(os.Environ(), steppedRing+"="+path, "GODEBUG=asyncpreemptoff=1", "GOGC=off")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	c := &stepped{out: out}
	t.Cleanup(func() {
		child.Process.Kill()
		// A traced thread, and with it the process, stays until its tracer knows of its end.
		for c.thread != 0 {
			if status, err := c.wait(); err != nil || status.Exited() || status.Signaled() {
				break
			}
		}
		child.Wait()
	})
	var thread int
	if _, err := fmt.Fscan(out, &thread); err != nil {
		said, _ := io.ReadAll(out)
		t.Fatalf("the child names no thread: %v: %s", err, said)
	}
	switch err := unix.PtraceSeize(thread); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOSYS):
		t.Skip("ptrace(2) is refused here:", err)
	case err != nil:
		t.Fatal(err)
	}
	c.thread = thread
	if _, err := in.Write([]byte{'\n'}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *stepped) wait() (status unix.WaitStatus, err error) {
	err = retry(func() error {
		_, err := unix.Wait4(c.thread, &status, unix.WALL, nil)
		return err
	})
	return status, err
}

// stopped waits until the thread stops, and says by which signal, which it does not get.
func (c *stepped) stopped(t *testing.T) unix.Signal {
	t.Helper()
	status, err := c.wait()
	if err != nil {
		t.Fatal(err)
	}
	if !status.Stopped() {
		said, _ := io.ReadAll(c.out)
		t.Fatalf("the child has ended, status %#x: %s", status, said)
	}
	return status.StopSignal()
}

// toNextStop has the child go on to where it stops by itself.
func (c *stepped) toNextStop(t *testing.T) {
	t.Helper()
	for c.stopped(t) != announced {
		if err := unix.PtraceCont(c.thread, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.PtraceSetOptions(c.thread, unix.PTRACE_O_EXITKILL); err != nil {
		t.Fatal(err)
	}
}

// stepThrough lets the child make append a in f, whose memory it shares.
func (c *stepped) stepThrough(t *testing.T, f *heapFile, a *steppedAppend) {
	t.Helper()
	const most = 1_000_000 // even if the scheduler comes in between
	var regs unix.PtraceRegs
	last := a.before
	for steps := 1; steps < most; steps++ {
		if err := errors.Join(unix.PtraceGetRegs(c.thread, &regs), unix.PtraceSingleStep(c.thread)); err != nil {
			t.Fatal(err)
		}
		signal := c.stopped(t)
		if !bytes.Equal(f.lanes[0], last.lanes[0]) || !bytes.Equal(f.entry(0), last.entry(0)) {
			last = f.snapshot()
			if err := a.look(last); err != nil {
				t.Fatalf("a payload of %d bytes at %d, after the instruction of %s: %v", len(a.payload), a.pos, instruction(regs.Rip), err)
			}
		}
		if signal != announced {
			continue
		}
		if a.stage != stageWhole {
			t.Fatalf("a payload of %d bytes at %d: the append has ended, and its record is %v", len(a.payload), a.pos, a.stage)
		}
		t.Logf("a payload of %d bytes: %d instructions", len(a.payload), steps)
		if err := unix.PtraceCont(c.thread, 0); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("a payload of %d bytes: no end after %d instructions", len(a.payload), most)
}

// instruction is where in the source the instruction at pc is: the child is the same program.
func instruction(pc uint64) string {
	f := runtime.FuncForPC(uintptr(pc))
	if f == nil {
		return fmt.Sprintf("%#x", pc)
	}
	file, line := f.FileLine(uintptr(pc))
	return fmt.Sprintf("%s (%s:%d)", f.Name(), file[strings.LastIndexByte(file, '/')+1:], line)
}

// sharedHeapFile is the ring file at path, one of one lane, in memory that others share.
func sharedHeapFile(t *testing.T, path string) *heapFile {
	t.Helper()
	r, err := openFile(path, mmap.RDWR)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.close() })
	lane, err := r.lane(0)
	if err != nil {
		t.Fatal(err)
	}
	return &heapFile{head: r.head, front: r.meta(), lanes: [][]byte{lane}}
}

// stage is how far an append has come. It goes through all of them.
type stage int

const (
	stageBefore  stage = iota
	stageMoved         // the producer position has moved
	stageClaimed       // the record has its CLAIMED stamp
	stageWhole         // it is committed
)

// stages are those of records whose position is claimed, by their states.
var stages = map[uint64]stage{0: stageMoved, stateClaimed: stageClaimed, stateCommitted: stageWhole}

func (s stage) String() string {
	return [...]string{"not begun", "claimed, without a stamp", "CLAIMED", "whole"}[s]
}

// steppedAppend is an append under way, and what is known of it beforehand.
type steppedAppend struct {
	payload    []byte
	lost       uint32
	pos        uint64 // the producer position before it
	start, end uint64 // its record
	before     *heapFile
	stage      stage
	time       uint64 // of the last record that was whole
}

// The records before and behind it, of neighbour bytes each.
const (
	earlier   = "earlier!"
	later     = "later..."
	neighbour = recordHeader + 8
)

// begin makes the lane of f, whose owner is stopped, what append i is to find: one whole record,
// and around it memory of a former lap that leads astray: read as a record's length, each word
// of it leads over append i's record and the one behind it.
func (a *steppedAppend) begin(f *heapFile, i int) {
	size, lane := recordSize(uint64(steppedAppends[i].size)), uint64(len(f.lanes[0]))
	if a.pos == 0 {
		a.pos = 5 << 40 // such a position has an upper half
	}
	a.pos += 4096
	if room := steppedAppends[i].room; room != 0 {
		a.pos = alignUp(a.pos, lane) - room
	}
	mem := newLaneMemory(f.lanes[0], f.head.key, 0)
	a.payload, a.lost, a.stage = steppedPayload(i), uint32(i+1), stageBefore
	a.start = mem.place(a.pos, size)
	a.end = a.start + size
	for off := uint64(0); off < lane; off += 8 {
		le.PutUint64(f.lanes[0][off:], size+neighbour-recordHeader)
	}
	f.scribe(0, ChecksumCastagnoli, a.pos-neighbour).raw(earlier)
	a.before = f.snapshot()
}

// look says what is wrong with f, the ring as it is now.
func (a *steppedAppend) look(f *heapFile) error {
	l := deadLane(f)
	end, _ := l.Produced()
	stage, known := stageBefore, true
	if end == a.end {
		stage, known = stages[l.mem.stateAt(a.start)]
	}
	if end != a.pos && end != a.end || !known {
		return fmt.Errorf("the producer position is %d, that of the record %d, its state %d", end, a.start, l.mem.stateAt(a.start))
	}
	if a.stage == stageWhole {
		return errors.New("something was stored after COMMITTED")
	}
	if stage != a.stage && stage != a.stage+1 {
		return fmt.Errorf("a record that was %v is %v", a.stage, stage)
	}
	a.stage = stage

	want := finally(deadLane(a.before))
	switch stage {
	case stageMoved, stageClaimed:
		from := a.start
		if stage == stageMoved && l.mem.stateAt(a.pos) != statePadding {
			from = a.pos // what is to be padding belongs to the gap
		}
		want = append(want, got{Outcome: OutcomeTorn, Pos: from, Next: a.end})
	case stageWhole:
		want = append(want, got{OutcomeRecord, a.start, a.end, string(a.payload)})
	}
	if all := finally(l); !slices.Equal(all, want) {
		return fmt.Errorf("read %v, want %v", all, want)
	}
	if stage != stageBefore {
		// Another goroutine claimed what is behind the record, and its record is whole.
		f = f.snapshot()
		s := scribe{f: f, bytes: f.lanes[0], pos: a.end, kind: ChecksumCastagnoli}
		s.raw(later)
		want = append(want, got{OutcomeRecord, a.end, a.end + neighbour, later})
		if all := finally(deadLane(f)); !slices.Equal(all, want) {
			return fmt.Errorf("with a record behind it: read %v, want %v", all, want)
		}
	}
	return a.onlyItsOwn(l)
}

// onlyItsOwn says what is wrong with the bytes that the append has stored so far: none before
// the position moved (W1), the length before the CLAIMED stamp (W2), the record after it.
func (a *steppedAppend) onlyItsOwn(l *Lane) error {
	memory, want := l.mem.bytes, bytes.Clone(a.before.lanes[0])
	may := func(pos, n uint64) {
		off := pos & l.mem.mask
		copy(want[off:off+n], memory[off:])
	}
	if a.stage >= stageMoved {
		may(a.start+recLength, 8)
		if l.mem.stateAt(a.pos) == statePadding {
			may(a.pos, 8)
		}
	}
	if a.stage >= stageClaimed {
		may(a.start, a.end-a.start)
	}
	if !bytes.Equal(memory, want) {
		return fmt.Errorf("a record that is %v has stored more than it may", a.stage)
	}
	if a.stage < stageClaimed {
		return nil
	}
	word := lengthWord(len(a.payload), WarningLevel, KindRaw)
	if is := wordAt(memory, a.start&l.mem.mask+recLength).load(); is != word {
		return fmt.Errorf("a record that is %v has the length %#x, want %#x", a.stage, is, word)
	}
	if a.stage < stageWhole {
		return nil
	}
	it := l.Final(a.start, a.end)
	if it.Lost != a.lost || it.Time <= a.time {
		return fmt.Errorf("a whole record has the loss total %d and the time %d, want %d and more than %d", it.Lost, it.Time, a.lost, a.time)
	}
	a.time = it.Time
	return nil
}

// deadLane is the lane of f for who knows that its owner is dead.
func deadLane(f *heapFile) *Lane {
	l := newLane(0, f.entry(0), f.lanes[0], f.head)
	l.Owner()
	return l
}
