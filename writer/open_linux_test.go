package writer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

func TestOpenTakesTheRingFromTheEnvironmentWhenNoneIsNamed(t *testing.T) {
	path := newRing(t)
	t.Setenv(RingVariable, path)
	w := open(t, "", Options{Label: "by variable"})
	d := newDrain(t, path)
	lane, err := d.c.Lane(w.Stats().Lane)
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := lane.Owner(); !ok || o.Label != "by variable" {
		t.Errorf("owner %q, %v", o.Label, ok)
	}
}

func TestOpenPrefersThePathToTheEnvironment(t *testing.T) {
	t.Setenv(RingVariable, "/nonexistent")
	open(t, newRing(t), Options{})
}

func TestOpenSaysWhatToDoWhenNoRingIsNamed(t *testing.T) {
	t.Setenv(RingVariable, "")
	_, err := Open("", Options{})
	if !errors.Is(err, ErrNoRing) || !strings.Contains(err.Error(), RingVariable) {
		t.Errorf("%v", err)
	}
}

func TestOpenErrorsCanBeToldApart(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no ring\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	full := newRing(t)
	for range 4 {
		open(t, full, Options{})
	}
	other := newRing(t)
	f, err := os.OpenFile(other, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{99}, 8); err != nil { // format version
		t.Fatal(err)
	}
	f.Close()
	for path, want := range map[string]error{
		filepath.Join(t.TempDir(), "none"): fs.ErrNotExist,
		text:                               ErrNotRing,
		full:                               ErrNoFreeLane,
		other:                              ErrVersion,
	} {
		_, err := Open(path, Options{})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestEverySentinelOfTheRingBecomesOneOfThisPackage(t *testing.T) {
	t.Parallel()
	for _, e := range openErrors {
		err := asOpenError(&fs.PathError{Op: "open", Path: "r", Err: e.ring})
		if !errors.Is(err, e.writer) || !errors.Is(err, e.ring) || err.Error() != "open r: "+e.ring.Error() {
			t.Errorf("%v", err)
		}
	}
	if err := asOpenError(ring.ErrTruncated); err != ring.ErrTruncated {
		t.Errorf("%v", err)
	}
}

func TestOptionsDefaultToBlockingOneSecondUnderTheProgramsName(t *testing.T) {
	t.Parallel()
	o, err := Options{}.withDefaults()
	want := Options{Label: filepath.Base(os.Args[0]), Policy: PolicyBlock, Timeout: time.Second}
	if err != nil || o != want {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	path := newRing(t)
	for _, o := range []Options{{Timeout: -1}, {Policy: PolicyDrop + 1}} {
		if _, err := Open(path, o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}
