package ring

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTruncationUnderAReaderIsAnError(t *testing.T) {
	// Not parallel: whether a fault panics is a setting of the goroutine, but a
	// fault that is not guarded would end all tests.
	if raceEnabled {
		t.Skip("a fault under the race detector cannot be recovered from")
	}
	path := newRing(t, 1)
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Append([]byte("a"), 0, KindRaw); err != nil {
		t.Fatal(err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Lane(0)
	if err != nil {
		t.Fatal(err)
	}
	l.Owner()
	read := func() error {
		l.Live(0, 168)
		return nil
	}
	if err := c.Guard(read); err != nil {
		t.Errorf("whole: %v", err)
	}
	if err := c.Guard(func() error { return ErrBusy }); err != ErrBusy {
		t.Errorf("an error of the function became %v", err)
	}
	st, _ := os.Stat(path)
	if err := os.Truncate(path, st.Size()-MinLaneSize); err != nil {
		t.Fatal(err)
	}
	if err := c.Guard(read); !errors.Is(err, ErrTruncated) {
		t.Errorf("lane cut off: %v", err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	if err := c.Guard(func() error { c.State(0); return nil }); !errors.Is(err, ErrTruncated) {
		t.Errorf("table cut off: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a fault elsewhere was taken for one in the ring")
			}
		}()
		c.Guard(func() error { panic("elsewhere") })
	}()
	c.Close()
}

func TestInspectorNeitherWritesNorAllocates(t *testing.T) {
	t.Parallel()
	path := newRing(t, 8)
	p, err := Attach(path, AttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Append([]byte("a"), 0, KindRaw)
	var before, after unix.Stat_t
	unix.Stat(path, &before)
	in, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for i := range 8 {
		l, ok, err := in.CopyLane(i)
		if err != nil || ok != (i == 0) {
			t.Errorf("lane %d: copied %v, error %v", i, ok, err)
		}
		if ok {
			l.Rewind(0, l.To)
			if it := l.Final(ownerRecordSize, l.To); string(it.Payload) != "a" {
				t.Errorf("read %+v", it)
			}
		}
	}
	unix.Stat(path, &after)
	if before.Blocks != after.Blocks || before.Mtim != after.Mtim || before.Size != after.Size {
		t.Errorf("blocks %d → %d, changed at %v → %v", before.Blocks, after.Blocks, before.Mtim, after.Mtim)
	}
}
