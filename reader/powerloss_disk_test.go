//go:build linux && failpoints

package reader

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// page is how much of a ring reaches the disk at a time.
const page = 4096

// disk knows what of a ring and of its outputs would be on disk if the power failed
// now. It is told of each failpoint; everything runs in one goroutine, so between two of
// them nothing happens but what the first one names.
type disk struct {
	t    testing.TB
	rng  *rand.Rand
	root string // folder of live, which is used, and of copy, which a power loss leaves

	ring   *os.File
	synced []byte   // the ring as the last completed sync found it
	atSync []byte   // as the sync under way finds it
	since  [][]byte // some states that it had since

	reader *Reader          // at work; nil if there is none
	files  map[uint64]int64 // by inode: how many bytes are on disk
	names  []names          // states of the outputs' folder, from the last one that was synced
	last   failpoint.Point
}

// names is a folder: the inode of each name.
type names map[string]uint64

func (d *disk) live() string { return filepath.Join(d.root, "live") }
func (d *disk) copy() string { return filepath.Join(d.root, "copy") }

// begin takes everything that is in live for on disk.
func (d *disk) begin() {
	f, err := os.Open(filepath.Join(d.live(), "ring"))
	d.must(err)
	d.ring = f
	d.synced, d.since, d.files = d.snapshot(), nil, map[uint64]int64{}
	d.names = []names{d.folder()}
	for name, ino := range d.names[0] {
		d.files[ino] = int64(len(d.read(name)))
	}
}

func (d *disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) snapshot() []byte {
	st, err := d.ring.Stat()
	d.must(err)
	b := make([]byte, st.Size())
	_, err = d.ring.ReadAt(b, 0)
	d.must(err)
	return b
}

func (d *disk) read(name string) []byte {
	b, err := os.ReadFile(filepath.Join(d.live(), "out", name))
	d.must(err)
	return b
}

func (d *disk) folder() names {
	entries, err := os.ReadDir(filepath.Join(d.live(), "out"))
	d.must(err)
	n := names{}
	for _, e := range entries {
		n[e.Name()] = inode(d.t, filepath.Join(d.live(), "out", e.Name()))
	}
	return n
}

func inode(t testing.TB, path string) uint64 {
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Sys().(*syscall.Stat_t).Ino
}

// reached is to be called at each failpoint. ringSynced says that a sync of the ring
// has ended.
func (d *disk) reached(p failpoint.Point) (ringSynced bool) {
	if d.last >= failpoint.FileOpen && d.last <= failpoint.DirSync {
		if now := d.folder(); !maps.Equal(now, d.names[len(d.names)-1]) {
			d.names = append(d.names, now)
		}
	}
	switch {
	case d.last == failpoint.DirSync:
		d.names = d.names[len(d.names)-1:]
	case d.last == failpoint.RingSync && d.atSync != nil:
		d.synced, d.atSync, d.since = d.atSync, nil, nil
		ringSynced = true
	case d.last == failpoint.RingSync: // of a lane that was zeroed, and nothing else
		now, s := d.snapshot(), operate(d.t, d.ring.Name())
		for off := s.lanes; off < uint64(len(now)); off += s.size {
			if lane := now[off : off+s.size]; len(bytes.Trim(lane, "\x00")) == 0 {
				copy(d.synced[off:], lane)
				for _, b := range d.since {
					copy(b[off:], lane)
				}
			}
		}
	}
	if d.reader != nil {
		for _, o := range d.reader.outputs {
			if o.file != nil && o.file.Path() != "" && !o.file.Unsynced() {
				if _, ino, err := o.file.Identity(); err == nil {
					d.files[ino], err = o.file.Size()
					d.must(err)
				}
			}
		}
	}
	if p == failpoint.RingSync && d.last != failpoint.OwnZero {
		d.atSync = d.snapshot()
	}
	// Half of them are of a prepared batch: what an intent says and what lanes say may
	// come from two batches.
	if p == failpoint.DrainCheck && d.rng.IntN(4) == 0 || d.rng.IntN(400) == 0 {
		if d.since = append(d.since, d.snapshot()); len(d.since) > 4 {
			d.since = slices.Delete(d.since, 0, 1)
		}
	}
	d.last = p
	return ringSynced
}

// lose calls f with each of some ways in which the machine may come back from a loss
// of power at this moment, each laid out in copy. Pages of the ring that differ from the
// last sync are of any age since, files cut off anywhere behind what was synced, names
// those of any moment since. What comes of it is to be used as folder to.
func (d *disk) lose(to string, f func()) {
	now := d.snapshot()
	var differ []int // offsets of pages
	for off := 0; off < len(now); off += page {
		for _, b := range append([][]byte{d.synced}, d.since...) {
			if !bytes.Equal(now[off:off+page], b[off:off+page]) {
				differ = append(differ, off)
				break
			}
		}
	}
	if len(differ) <= 2 && len(d.since) == 0 {
		for subset := range 1 << len(differ) {
			image := bytes.Clone(now)
			for i, off := range differ {
				if subset>>i&1 != 0 {
					copy(image[off:off+page], d.synced[off:])
				}
			}
			d.lay(image, to)
			f()
		}
		return
	}
	for _, old := range []float64{0, 1, 0.5, d.rng.Float64()} {
		image := bytes.Clone(now)
		for _, off := range differ {
			from := d.synced
			if n := d.rng.IntN(len(d.since) + 2); n > 1 {
				from = d.since[n-2]
			}
			if d.rng.Float64() < old {
				copy(image[off:off+page], from[off:])
			}
		}
		d.lay(image, to)
		f()
	}
}

// lay makes copy: the ring as image has it, and outputs. It is to be used as folder to.
func (d *disk) lay(image []byte, to string) {
	d.must(os.RemoveAll(d.copy()))
	d.must(os.MkdirAll(filepath.Join(d.copy(), "out"), 0o700))
	folder := d.folder()
	content := map[uint64][]byte{}
	for name, ino := range folder {
		content[ino] = d.read(name)
	}
	inodes := map[uint64]uint64{}
	chosen := d.names[d.rng.IntN(len(d.names))]
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		ino := chosen[name]
		b, durable := content[ino], d.files[ino]
		if lost := int64(len(b)) - durable; lost > 0 {
			// Nothing, everything, or a part of it is lost, as likely as not.
			b = b[:durable+[]int64{0, lost, d.rng.Int64N(lost + 1)}[d.rng.IntN(3)]]
		}
		path := filepath.Join(d.copy(), "out", name)
		d.must(os.WriteFile(path, b, 0o600))
		inodes[ino] = inode(d.t, path)
	}
	path := filepath.Join(d.copy(), "ring")
	d.must(os.WriteFile(path, image, 0o600))
	s := operate(d.t, path)
	defer s.f.Close()
	// The boot, as the ring has it of its reader. The image may be older than that.
	running := make([]byte, 16)
	_, err := d.ring.ReadAt(running, 4096+0x118)
	d.must(err)
	reboot(s, image, running, inodes, d.live(), to)
}

// reboot makes everything in the ring that says it is of the running boot one of
// another boot, and leads its intents from the outputs in folder from to their copies
// in folder to, whose names are of equal length. What fails its check is left alone.
func reboot(s *surgeon, image, running []byte, inodes map[uint64]uint64, from, to string) {
	le := binary.LittleEndian
	write := func(off uint64, b []byte) {
		if _, err := s.f.WriteAt(b, int64(off)); err != nil {
			s.t.Fatal(err)
		}
	}
	another := func(id []byte) {
		if bytes.Equal(id, running) {
			id[0] ^= 0xff
		}
	}
	size := (s.table - s.intent - 0x100 - 65536) / 2 &^ 63
	for i := range uint64(2) {
		off := s.intent + 0x100 + i*size
		slot := bytes.Clone(image[off : off+size])
		n := le.Uint64(slot[40:])
		if n > size-64 || slotSum(slot, n) != le.Uint32(slot[60:]) {
			continue
		}
		another(slot[8:24])
		body := slot[64+96*uint64(le.Uint32(slot[32:])) : 64+n]
		for range le.Uint32(slot[36:]) {
			le.PutUint64(body[8:], inodes[le.Uint64(body[8:])]) // 0: gone
			path, pieces := le.Uint64(body[32:]), le.Uint64(body[40:])
			copy(body[48:48+path], bytes.Replace(body[48:48+path], []byte(from), []byte(to), 1))
			body = body[48+(path+7)&^7+(4*pieces+7)&^7:]
		}
		le.PutUint32(slot[60:], slotSum(slot, n))
		write(off, slot)
	}
	for lane := range (s.lanes - s.table) / 1024 {
		off := s.table + lane*1024
		if off+1024 > s.lanes || lane*s.size+s.lanes >= uint64(len(image)) {
			break
		}
		e := bytes.Clone(image[off : off+1024])
		var seed [12]byte
		le.PutUint64(seed[:], s.key)
		le.PutUint32(seed[8:], uint32(lane))
		sum := func() uint32 {
			return crc32.Update(crc32.ChecksumIEEE(seed[:]), crc32.IEEETable, e[lanIdentity:lanSum])
		}
		if sum() == le.Uint32(e[lanSum:]) {
			another(e[0x88:0x98])
			le.PutUint32(e[lanSum:], sum())
			write(off, e)
		}
	}
}

func slotSum(slot []byte, n uint64) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(slot[:60]), crc32.IEEETable, slot[64:64+n])
}
