package ring

import (
	"os"
	"runtime/debug"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/internal/failpoint"
)

// A process that dies between two stores is simulated by the memory itself: part
// of it is write-protected, the real code runs into it, and the fault ends it
// there. What it stored before is the state that a crash leaves. So these tests
// see the order of the stores that the code makes, not of those it means to make.

var pageSize = uint64(os.Getpagesize())

// pages maps n bytes of private memory, rounded up to pages.
func pages(t testing.TB, n uint64) []byte {
	t.Helper()
	if raceEnabled {
		t.Skip("a fault under the race detector cannot be recovered from")
	}
	m, err := unix.Mmap(-1, 0, int(alignUp(n, pageSize)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(m) })
	return m
}

// straddling returns n bytes of which those from split on begin a page, and
// functions that write-protect what lies before the split and from it on. n and
// split are less than a page.
func straddling(t testing.TB, n, split uint64) (b []byte, before, from func(protect bool)) {
	t.Helper()
	m := pages(t, 2*pageSize)
	set := func(page []byte) func(bool) {
		return func(on bool) { protect(t, page, on) }
	}
	start := pageSize - split
	return m[start : start+n : start+n], set(m[:pageSize]), set(m[pageSize:])
}

// dies runs f and says whether it ran into protected memory, and at what address.
func dies(f func()) (address uintptr, died bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface{ Addr() uintptr })
		if !ok {
			panic(r)
		}
		address, died = fault.Addr(), true
	}()
	f()
	return 0, false
}

func TestWriteProtectionEndsAStoreAndNamesItsAddress(t *testing.T) {
	t.Parallel()
	b, before, from := straddling(t, 64, 32)
	before(true)
	if at, died := dies(func() { wordAt(b, 24).store(failpoint.OwnIdentity, 1) }); !died || at != addressOf(b)+24 {
		t.Errorf("store into the protected half: died %v at %#x, want at %#x", died, at, addressOf(b)+24)
	}
	if _, died := dies(func() { wordAt(b, 32).store(failpoint.OwnIdentity, 1) }); died {
		t.Error("store into the open half died")
	}
	before(false)
	from(true)
	if _, died := dies(func() { wordAt(b, 32).store(failpoint.OwnIdentity, 1) }); !died {
		t.Error("store into the protected half went through")
	}
}

// protect sets whether the pages of b refuse stores.
func protect(t testing.TB, b []byte, on bool) {
	t.Helper()
	prot := unix.PROT_READ | unix.PROT_WRITE
	if on {
		prot = unix.PROT_READ
	}
	if err := unix.Mprotect(b, prot); err != nil {
		t.Fatal(err)
	}
}

// splitAt moves f's front so that byte x of lane 0's entry begins a page, and
// returns the pages before and from there.
func (f *heapFile) splitAt(t testing.TB, x uint64) (before, from []byte) {
	t.Helper()
	m := pages(t, f.head.LanesOffset+2*pageSize)
	shift := pageSize - x
	front := m[shift : shift+f.head.LanesOffset : shift+f.head.LanesOffset]
	copy(front, f.front)
	f.front = front
	at := shift + f.head.entryOffset(0) + x
	return m[at-pageSize : at], m[at : at+pageSize]
}
