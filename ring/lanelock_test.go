package ring

import "testing"

func TestReaderThatTookALanesLockKeepsOthersFromItUntilItGivesItBack(t *testing.T) {
	t.Parallel()
	f := newHeapFile(t, 1, 1024)
	w := f.attach(t, "w")
	_, l := f.reader(t, 0)
	w.process.die()
	if ok, err := l.TryLock(); !ok || err != nil {
		t.Fatalf("the lock of a dead owner: %v, %v", ok, err)
	}
	other, lock := f.open(), f.head.entryOffset(0)
	if ok, _ := other.tryLock(lock); ok {
		t.Error("another process took the lane's lock while the reader had it")
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if ok, _ := other.tryLock(lock); !ok {
		t.Error("another process could not take the lane's lock after the reader gave it back")
	}
}
