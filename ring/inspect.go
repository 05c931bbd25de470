package ring

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Inspector looks at a ring file without ever writing to it: at a dead one or a
// live one, through pread. A mapping would allocate the holes it reads (R5), and
// would fault if the file were cut off. It is not safe for concurrent use.
type Inspector struct {
	name string
	r    io.ReaderAt
	f    *os.File // r, if it is a file of the operating system; else nil
	ring Header

	front     []byte                 // the last copy of everything before the lanes
	timelines map[[16]byte]*Timeline // of that copy, by boot
}

// Inspect opens the ring at path read-only. Errors: those of Attach that concern
// the file and its header.
func Inspect(path string) (*Inspector, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("ring: reading the size of the ring: %w", err)
	}
	in, err := NewInspector(path, f, st.Size())
	if err != nil {
		f.Close()
		return nil, err
	}
	in.f = f
	return in, nil
}

// NewInspector looks at the ring in r, which has size bytes; name is for
// messages.
func NewInspector(name string, r io.ReaderAt, size int64) (*Inspector, error) {
	b := make([]byte, max(0, min(headerSize, size)))
	if err := readFull(r, b, 0); err != nil {
		return nil, fmt.Errorf("ring: reading the header of %s: %w", name, err)
	}
	head, err := decodeHeader(name, b, size, false)
	if err != nil {
		return nil, err
	}
	in := &Inspector{name: name, r: r, ring: head}
	return in, in.Refresh()
}

// readFull reads len(b) bytes at off. A file that ends before is an
// ErrTruncated: its size was checked, so somebody cut it off since.
func readFull(r io.ReaderAt, b []byte, off uint64) error {
	n, err := r.ReadAt(b, int64(off))
	switch {
	case n == len(b):
		return nil
	case err == nil || err == io.EOF:
		return fmt.Errorf("%w: it ends at byte %d", ErrTruncated, off+uint64(n))
	}
	return err
}

// Refresh copies what the ring holds before its lanes anew.
func (in *Inspector) Refresh() error {
	// A new buffer each time: lanes of an earlier look keep theirs.
	front := make([]byte, in.ring.LanesOffset)
	if err := readFull(in.r, front, 0); err != nil {
		return fmt.Errorf("ring: reading %s: %w", in.name, err)
	}
	in.front, in.timelines = front, map[[16]byte]*Timeline{}
	return nil
}

// Ring is what the ring's header says. Path is the file's name.
func (in *Inspector) Ring() Header { return in.ring }
func (in *Inspector) Path() string { return in.name }

// Intent reads the intent area of the last copy.
func (in *Inspector) Intent() (Intent, error) {
	off := in.ring.IntentOffset
	return intentArea(in.front[off:off+in.ring.IntentLength]).load(in.name, in.ring.LaneCount)
}

// Retired says whether the ring is being removed.
func (in *Inspector) Retired() bool { return in.control(ctlRetired) == markRetired }

func (in *Inspector) control(off uint64) uint64 {
	return wordAt(in.front, in.ring.ControlOffset+off).load()
}

// ReaderStatus is what the ring says about its reader, for display.
type ReaderStatus struct {
	Running   bool  // somebody holds the reader's lock
	PID       int   // of the running or the last reader; 0 if there never was one
	Start     int64 // Unix nanoseconds
	Heartbeat int64 // Unix nanoseconds
	Errors    uint64
	LastError string // empty if there was none
	ErrorTime int64  // Unix nanoseconds
}

// Reader is the state of the ring's reader.
func (in *Inspector) Reader() ReaderStatus {
	s := ReaderStatus{
		PID:       int(in.control(ctlReaderPID)),
		Start:     int64(in.control(ctlReaderStart)),
		Heartbeat: int64(in.control(ctlReaderHeartbeat)),
		Errors:    in.control(ctlErrorCount),
		ErrorTime: int64(in.control(ctlErrorTime)),
	}
	text := in.front[in.ring.ControlOffset+ctlErrorText:][:errorTextSize]
	s.LastError = string(text[:min(in.control(ctlErrorLength), errorTextSize)])
	s.Running = in.held(in.ring.ControlOffset + ctlReader)
	return s
}

// Held says whether lane i's lock is held: whether its owner is alive.
func (in *Inspector) Held(i int) bool { return in.held(in.ring.entryOffset(i)) }

func (in *Inspector) held(off uint64) bool {
	if in.f == nil {
		return false
	}
	held, err := lockHeld(in.f, off)
	return err == nil && held
}

// Entry returns lane i of the last copy without its memory: for its state,
// owner, positions and counters. The methods that read records must not be
// called on it.
func (in *Inspector) Entry(i int) *Lane {
	off := in.ring.entryOffset(i)
	return newLane(i, entry(in.front[off:off+laneEntrySize:off+laneEntrySize]), nil, in.ring)
}

// Copy is a private copy of one lane, taken while its owner may have gone on.
type Copy struct {
	*Lane
	// To is the producer position before the copy was taken. What lies from the
	// consumer position on, which is as it was afterwards, and below To was not
	// overwritten meanwhile; older bytes may have been.
	To uint64
}

// CopyLane copies lane i: its table entry, its memory, its entry again. ok is
// false if the lane holds nothing. It takes as much of the process's memory as
// the lane has.
func (in *Inspector) CopyLane(i int) (c Copy, ok bool, err error) {
	start, size := in.ring.laneOffset(i), in.ring.LaneSize
	before := make([]byte, laneEntrySize)
	if err := readFull(in.r, before, in.ring.entryOffset(i)); err != nil {
		return c, false, fmt.Errorf("ring: reading lane %d of %s: %w", i, in.name, err)
	}
	// The allocated mark may be damaged; what lies in the file is the truth.
	if in.f != nil && !hasData(in.f, start, size) {
		return c, false, nil
	}
	// Producer, data, consumer, in that order (C6). Each is a system call; the
	// atomic between them keeps the processor from taking later loads first.
	memory := make([]byte, size)
	if err := readFull(in.r, memory, start); err != nil {
		return c, false, fmt.Errorf("ring: reading lane %d of %s: %w", i, in.name, err)
	}
	var fence atomic.Uint64
	fence.Add(1)
	after := make([]byte, laneEntrySize)
	if err := readFull(in.r, after, in.ring.entryOffset(i)); err != nil {
		return c, false, fmt.Errorf("ring: reading lane %d of %s: %w", i, in.name, err)
	}
	c.Lane = newLane(i, after, memory, in.ring)
	c.Owner() // tells the cursor the checksum kind
	c.To = entry(before).producer().load() &^ closedBit
	return c, true, nil
}

// hasData says whether the file has anything but a hole there.
func hasData(f *os.File, off, n uint64) bool {
	data, err := unix.Seek(int(f.Fd()), int64(off), unix.SEEK_DATA)
	return err == nil && uint64(data) < off+n || err != nil && err != unix.ENXIO
}

// Close closes the file that Inspect opened.
func (in *Inspector) Close() error {
	if in.f == nil {
		return nil
	}
	return in.f.Close()
}
