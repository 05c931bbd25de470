package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

func TestCodeTellsErrorsApartHoweverTheyAreWrapped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, OK},
		{errors.New("anything"), Failed},
		{Usagef("--level %q", "x"), BadUsage},
		{ring.ErrInvalid, BadUsage},
		{ring.ErrNotRing, NotRing},
		{ring.ErrVersion, NotRing},
		{ring.ErrTruncated, NotRing},
		{&ring.DamageError{Lane: ring.NoLane}, NotRing},
		{fs.ErrNotExist, Failed},
		{Opening(fs.ErrNotExist), NotRing},
		{Opening(&ring.ReaderRunningError{}), Refused},
		{&ring.ReaderRunningError{}, Refused},
		{&logfile.LockedError{}, Refused},
		{ring.ErrNoFreeLane, Refused},
		{Exit(NotRun, ring.ErrNoFreeLane), NotRun},
		{&ring.NoSpaceError{Err: syscall.ENOSPC}, Refused},
		{fs.ErrPermission, Refused},
		{syscall.EPIPE, ClosedPipe},
		{Exit(Damaged, ring.ErrNotRing), Damaged},
		{Exit(Failed, syscall.EPIPE), Failed},
	} {
		if got := Code(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
		if c.err == nil {
			continue
		}
		if got := Code(errors.Join(fmt.Errorf("doing: %w", c.err), errors.New("more"))); got != c.want {
			t.Errorf("%v, wrapped: %d, want %d", c.err, got, c.want)
		}
	}
}

func TestMessageIsOneLineThatMovesNoCursor(t *testing.T) {
	t.Parallel()
	err := errors.Join(fmt.Errorf("ring: no ring at %s", "a\x1b[2J\xff\u202eb"), errors.New("second"))
	if got, want := Message(err), `no ring at a\x1b[2J\xff\u202eb; second`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLogWritesLinesLikeAllOthers(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	log := NewLog(&b).With("k", 1).WithGroup("g")
	log.Warn("a\x1b[2J\nb")
	log.Info("reader: second")
	if got, want := b.String(), "ringlog: a\\x1b[2J; b\nringlog: second\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWriteJSONEscapesWhatIsNotPrintedAndKeepsTheValue(t *testing.T) {
	t.Parallel()
	const hostile = "é日😀\x1b\x7f\u0085\u009b\u061c\u200e\u202e\u2028\u2066\u2069\U000e0001 end"
	var b bytes.Buffer
	if err := WriteJSON(&b, map[string]string{"worker": hostile}); err != nil {
		t.Fatal(err)
	}
	want := `{"worker":"é日😀\u001b\u007f\u0085\u009b\u061c\u200e\u202e\u2028\u2066\u2069\udb40\udc01 end"}` + "\n"
	if b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	var back map[string]string
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["worker"] != hostile {
		t.Errorf("%q, %v when read back", back, err)
	}
}

func TestSizeTakesUnitsAndRefusesTheRest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{"0": 0, "65536": 64 << 10, "64KiB": 64 << 10, "4MiB": 4 << 20, "100MB": 100_000_000} {
		var s Size
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%s: %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{"", "x", "-1", "4 parsecs", "20EiB"} {
		var s Size
		if err := s.Set(text); err == nil {
			t.Errorf("%q: %d, want an error", text, s)
		}
	}
	for s, want := range map[Size]string{0: "0", 1000: "1000", 64 << 10: "64KiB", 100 << 20: "100MiB", 1 << 30: "1GiB"} {
		if got := s.String(); got != want {
			t.Errorf("%d: %q, want %q", uint64(s), got, want)
		}
	}
}

func TestMainTurnsAPanicIntoItsOwnExitCode(t *testing.T) {
	t.Parallel()
	cmd := &cobra.Command{Use: "test", RunE: func(*cobra.Command, []string) error { panic("boom") }}
	cmd.SetArgs([]string{})
	if got := Main(cmd); got != Broken {
		t.Errorf("exit code %d, want %d", got, Broken)
	}
}
