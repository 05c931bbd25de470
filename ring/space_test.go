package ring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallFS mounts a file system of n bytes and unmounts it when the test ends.
func smallFS(t *testing.T, n uint64) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("ringlog-test", dir, "tmpfs", 0, fmt.Sprintf("size=%d", n)); err != nil {
		t.Skip("mounting a small file system needs more rights:", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error("unmounting:", err)
		}
	})
	return dir
}

func wantNoSpace(t *testing.T, what string, err error, wanted uint64) {
	t.Helper()
	var full *NoSpaceError
	if !errors.As(err, &full) || !errors.Is(err, ErrNoSpace) || full.Wanted != wanted || full.Free >= wanted {
		t.Errorf("%s: %v (%+v), want one that wanted %d", what, err, full, wanted)
	}
}

func TestFullFileSystemRefusesCreationAndLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := smallFS(t, 256<<10)
	err := Create(filepath.Join(dir, "r"), CreateOptions{Lanes: 1, LaneSize: MinLaneSize})
	h := newGeometry(1, MinLaneSize)
	wantNoSpace(t, "create", err, h.LanesOffset)
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left", len(entries))
	}
}

func TestFullFileSystemRefusesAttachingAndNothingFaultsLater(t *testing.T) {
	t.Parallel()
	const laneSize = 256 << 10
	dir := smallFS(t, 1<<20) // the front, one lane, and part of another
	path := filepath.Join(dir, "r")
	if err := Create(path, CreateOptions{Lanes: 3, LaneSize: laneSize}); err != nil {
		t.Fatal(err)
	}
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, 128<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err = Attach(path, AttachOptions{})
		wantNoSpace(t, "attach", err, laneSize)
	}
	if !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("message %q", err)
	}
	// Not a byte is left now, and the first lane takes all that it promised.
	for f, e := os.OpenFile(filepath.Join(dir, "rest"), os.O_CREATE|os.O_WRONLY, 0o600); ; {
		if e != nil {
			t.Fatal(e)
		}
		if _, e := f.Write(make([]byte, 4096)); e != nil {
			f.Close()
			break
		}
	}
	for err = nil; err == nil; {
		err = p.Append(make([]byte, 1000), 0, KindRaw)
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("append: %v", err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal("the reader:", err)
	}
	c.Close()
	os.Remove(filepath.Join(dir, "other"))
	os.Remove(filepath.Join(dir, "rest"))
	p2, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatalf("with room again: %v", err)
	}
	p2.Close()
}

// The way of kernels without MADV_POPULATE_WRITE.
func TestZerosAllocateALaneAndChangeNothing(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const off, n = areaAlign, 3 * areaAlign
	if err := f.Truncate(off + n + areaAlign); err != nil {
		t.Fatal(err)
	}
	f.WriteAt([]byte("before"), off-6)
	f.WriteAt([]byte("behind"), off+n)
	if err := writeZeros(f, off, n); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	unix.Fstat(int(f.Fd()), &st)
	b, _ := os.ReadFile(f.Name())
	if len(b) != off+n+areaAlign || string(b[off-6:off]) != "before" || string(b[off+n:off+n+6]) != "behind" {
		t.Error("bytes around it changed")
	}
	for i, c := range b[off : off+n] {
		if c != 0 {
			t.Fatalf("byte %d is %d", i, c)
		}
	}
	if st.Blocks*512 < n {
		t.Errorf("%d bytes are allocated", st.Blocks*512)
	}
	f.Close()
	if err := writeZeros(f, off, n); err == nil {
		t.Error("no error from a closed file")
	}
}

func TestNetworkFileSystemsAreKnownByTheirNumbers(t *testing.T) {
	t.Parallel()
	// From statfs(2), written down a second time.
	for name, magic := range map[string]int64{
		"NFS": unix.NFS_SUPER_MAGIC, "CIFS": 0xff534d42, "SMB2": 0xfe534d42, "SMB": unix.SMB_SUPER_MAGIC,
		"9P": unix.V9FS_MAGIC, "Ceph": 0x00c36400, "AFS": unix.AFS_SUPER_MAGIC, "Lustre": 0x0bd00bd0,
		"Coda": unix.CODA_SUPER_MAGIC,
	} {
		if networkFS[magic] != name {
			t.Errorf("%#x is %q, want %s", magic, networkFS[magic], name)
		}
	}
	if copyingFS[unix.BTRFS_SUPER_MAGIC] != "btrfs" || copyingFS[unix.OVERLAYFS_SUPER_MAGIC] != "overlay" {
		t.Errorf("%v", copyingFS)
	}
	for _, local := range []int64{unix.TMPFS_MAGIC, unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, 0} {
		if name, ok := networkFS[local]; ok {
			t.Errorf("%#x is called %s", local, name)
		}
	}
}

func TestErrorsOfAllocationThatMeanFullAreToldFromOthers(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, e := range []error{unix.ENOSPC, unix.EDQUOT, unix.EFAULT, unix.ENOMEM, unix.EFBIG} {
		if err := spaceError(f, 1<<20, e); !errors.Is(err, ErrNoSpace) || !errors.Is(err, e) {
			t.Errorf("%v: %v", e, err)
		}
	}
	if err := spaceError(f, 1<<20, unix.EIO); errors.Is(err, ErrNoSpace) || !errors.Is(err, unix.EIO) {
		t.Errorf("EIO: %v", err)
	}
}

func TestFitMakesLanesSmallerUntilTheWorkersTakeHalfOfWhatIsFree(t *testing.T) {
	t.Parallel()
	const room = 16 << 20
	dir := smallFS(t, room)
	front := newGeometry(64, MinLaneSize).LanesOffset
	for _, c := range []struct {
		workers  int
		laneSize uint64 // 0: no room
	}{
		{1, 4 << 20}, {2, 2 << 20}, {7, 1 << 20}, {8, 512 << 10}, {64, MinLaneSize}, {1000, MinLaneSize},
	} {
		o, free, err := Fit(dir, CreateOptions{Lanes: 64}, c.workers)
		if err != nil || o.LaneSize != c.laneSize || o.Lanes != 64 || free > room || free < room-1<<20 {
			t.Errorf("%d workers: %+v, %d bytes free, %v", c.workers, o, free, err)
		}
	}
	// The smallest lanes may take more than half, but not more than all.
	fill := func(n int) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), make([]byte, n), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fill(room - int(front) - 9*MinLaneSize)
	if o, _, err := Fit(dir, CreateOptions{Lanes: 64}, 8); err != nil || o.LaneSize != MinLaneSize {
		t.Errorf("8 workers in a tight place: %+v, %v", o, err)
	}
	_, free, err := Fit(dir, CreateOptions{Lanes: 64}, 10)
	wantNoSpace(t, "10 workers", err, front+10*MinLaneSize)
	if free == 0 || free > front+9*MinLaneSize {
		t.Errorf("%d bytes free", free)
	}
}

func TestFitRefusesWhatNoRingCanHave(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, o := range []CreateOptions{{Lanes: MaxLanes + 1}, {LaneSize: MinLaneSize + 1}} {
		if _, _, err := Fit(dir, o, 1); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, _, err := Fit(dir, CreateOptions{}, 0); !errors.Is(err, ErrInvalid) {
		t.Errorf("no workers: %v", err)
	}
	if _, _, err := Fit(filepath.Join(dir, "none"), CreateOptions{}, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}
