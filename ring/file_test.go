package ring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// newRing makes a small ring file and returns its path.
func newRing(t testing.TB, lanes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.ring")
	if err := Create(path, CreateOptions{Lanes: lanes, LaneSize: MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

// opens runs all three ways to open path and gives their errors to judge.
func opens(t *testing.T, path string, judge func(how string, err error)) {
	t.Helper()
	p, err := Attach(path, AttachOptions{})
	if err == nil {
		p.Close()
	}
	judge("Attach", err)
	c, err := OpenConsumer(path)
	if err == nil {
		c.Close()
	}
	judge("OpenConsumer", err)
	in, err := Inspect(path)
	if err == nil {
		in.Close()
	}
	judge("Inspect", err)
}

func wantError(t *testing.T, what string, want error) func(string, error) {
	return func(how string, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %s: %v, want %v", what, how, err, want)
		}
	}
}

func TestRecordsPassThroughARealFile(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p, err := Attach(path, AttachOptions{Label: "w"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !p.ReaderRunning() {
		t.Error("the reader is not seen to run")
	}
	if err := p.Append([]byte("hello"), 0, KindRaw); err != nil {
		t.Fatal(err)
	}
	l, err := c.Lane(p.Lane())
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := lively(l); !slices.Equal(payloads(all), []string{"hello"}) {
		t.Errorf("read %v", all)
	}
	if _, err := c.Lane(1); err == nil {
		t.Error("a lane that was never allocated was mapped")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if l.State() != LaneClosed {
		t.Errorf("state %v", l.State())
	}
}

func TestTwoAttachmentsOfOneProcessGetTwoLanes(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	var producers []*Producer
	for range 2 {
		p, err := Attach(path, AttachOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		producers = append(producers, p)
	}
	if producers[0].Lane() == producers[1].Lane() {
		t.Errorf("both have lane %d", producers[0].Lane())
	}
	if _, err := Attach(path, AttachOptions{}); !errors.Is(err, ErrNoFreeLane) {
		t.Errorf("a third: %v", err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l, err := c.Lane(0)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := l.TryLock(); ok || err != nil {
		t.Errorf("an embedded reader proves its own writer dead: %v, %v", ok, err)
	}
}

func TestSecondConsumerOfAFileIsRefusedWithThePidOfTheFirst(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenConsumer(path)
	var running *ReaderRunningError
	if !errors.As(err, &running) || running.PID != os.Getpid() || running.Path != path {
		t.Errorf("second: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	c, err = OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	c.Close()
}

// Closing another descriptor of the file must not drop a lock, as it would with
// the locks of POSIX.
func TestClosingAnotherDescriptorOfTheFileKeepsTheLane(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	in, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	if !in.Held(0) {
		t.Error("the lane's lock is not seen to be held")
	}
	in.Close()
	if in, err = Inspect(path); err != nil || !in.Held(0) {
		t.Errorf("lock lost; error %v", err)
	}
	in.Close()
}

func TestWhatIsNoRingIsRefusedByEachWayToOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(newRing(t, 1), link); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"directory": dir, "FIFO": fifo, "symbolic link": link, "device": "/dev/null",
		"empty file": file("empty", nil), "text": file("text", []byte(strings.Repeat("log line\n", 1000))),
		"zeros": file("zeros", make([]byte, 1<<20)), "random bytes": file("random", random),
		"five bytes": file("short", []byte(Magic)[:5]),
	} {
		opens(t, path, wantError(t, what, ErrNotRing))
	}
	opens(t, filepath.Join(dir, "missing"), wantError(t, "missing file", fs.ErrNotExist))
}

func TestTruncatedFileIsRefusedAtEveryLength(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	lengths := []int64{
		st.Size() - 1, st.Size() - MinLaneSize, st.Size() - 2*MinLaneSize, 1 << 17, 1 << 16,
		65535, 4097, 4096, 4095, 256, 255, 100, 9, 8,
	}
	for _, n := range lengths {
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
		opens(t, path, wantError(t, fmt.Sprint(n, " bytes"), ErrTruncated))
	}
}

func TestFlippedHeaderByteOfAFileIsRefused(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for off := range int64(256) {
		b := make([]byte, 1)
		f.ReadAt(b, off)
		f.WriteAt([]byte{b[0] ^ 0x20}, off)
		opens(t, path, func(how string, err error) {
			if err == nil {
				t.Errorf("byte %d: %s succeeded", off, how)
			}
		})
		f.WriteAt(b, off)
	}
	opens(t, path, func(how string, err error) {
		if err != nil {
			t.Errorf("put right again: %s: %v", how, err)
		}
	})
}

func TestFileOfAnotherUserIsRefused(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	if os.Getuid() != 0 {
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		opens(t, path, wantError(t, "mode 0", fs.ErrPermission))
		return
	}
	// The kernel asks a thread, not the process, whom it acts for.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(65534); err != nil {
		t.Skip("this thread cannot act for another user:", err)
	}
	defer unix.Setfsuid(0)
	opens(t, path, wantError(t, "another user", fs.ErrPermission))
}

func TestCreateNeverReplacesAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	before, _ := os.ReadFile(path)
	if err := Create(path, CreateOptions{}); !errors.Is(err, ErrExists) {
		t.Errorf("again: %v", err)
	}
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the ring was changed")
	}
	for _, o := range []CreateOptions{{Lanes: -1}, {Lanes: MaxLanes + 1}, {LaneSize: 1}, {LaneSize: MinLaneSize + 8}, {LaneSize: 2 * MaxLaneSize}} {
		if err := Create(path+".2", o); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := Create(filepath.Join(path, "below"), CreateOptions{}); err == nil {
		t.Error("created below a file")
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	st, err := os.Stat(path)
	if len(entries) != 1 || err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%d entries; mode %v, error %v", len(entries), st.Mode(), err)
	}
}

func TestOneOfManyCreatorsWinsAndAllFindAWholeRing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "race.ring")
	var wg sync.WaitGroup
	var mu sync.Mutex
	created := 0
	for range 8 {
		wg.Go(func() {
			err := Create(path, CreateOptions{Lanes: 8, LaneSize: MinLaneSize})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				created++
			} else if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
			if in, err := Inspect(path); err != nil {
				t.Error(err)
			} else {
				in.Close()
			}
		})
	}
	wg.Wait()
	if created != 1 {
		t.Errorf("%d created it", created)
	}
}

func TestUnlinkedRingRefusesToBeAttachedToThroughAnOpenFile(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	f, err := openFile(path, unix.PROT_READ)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := attach(f, f.head, AttachOptions{}); !errors.Is(err, ErrRetired) {
		t.Errorf("attach: %v", err)
	}
}
