package ring

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestRotateWaitsUntilTheReaderHasServedWhoAskedBefore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.ring")
	if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, asked := c.RotationAsked(); asked {
		t.Fatal("a new ring has been asked for a rotation")
	}
	const callers = 3
	done := make(chan error, callers)
	for range callers {
		go func() { done <- Rotate(context.Background(), path) }()
	}
	for served := 0; served < callers; {
		c.Sleep(100*time.Millisecond, func() bool { _, asked := c.RotationAsked(); return asked || len(done) > 0 })
		if count, asked := c.RotationAsked(); asked {
			if count > callers {
				t.Fatalf("asked %d times", count)
			}
			c.ServeRotation(count)
		}
		for len(done) > 0 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			served++
		}
	}
	if count, asked := c.RotationAsked(); asked || count != callers {
		t.Errorf("asked %d times, and again %v", count, asked)
	}
}

func TestRotateSaysThatThereIsNoReaderAtAllOrAnyMore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.ring")
	if err := Create(path, CreateOptions{Lanes: 1, LaneSize: MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	if err := Rotate(context.Background(), path); !errors.Is(err, ErrNoReader) {
		t.Errorf("without a reader: %v", err)
	}
	c, err := OpenConsumer(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, asked := c.RotationAsked(); asked {
		t.Error("who was refused has asked")
	}
	done := make(chan error, 1)
	go func() { done <- Rotate(context.Background(), path) }()
	for asked := false; !asked; _, asked = c.RotationAsked() {
		c.Sleep(time.Millisecond, func() bool { return false })
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrNoReader) {
		t.Errorf("after its reader ended: %v", err)
	}
	if c, err = OpenConsumer(path); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, asked := c.RotationAsked(); !asked {
		t.Error("the next reader does not know that a rotation was asked for")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Rotate(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("whose context ended: %v", err)
	}
}
