package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ringlog/ringlog/bench/peer"
)

// testDirs are short, since LTTng's sockets lie in one of them.
func testDirs(t *testing.T) peer.Dirs {
	t.Helper()
	dirs := peer.Dirs{Logs: t.TempDir()}
	var err error
	if dirs.Work, err = os.MkdirTemp("", "native-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dirs.Work); err != nil {
			t.Error(err)
		}
	})
	return dirs
}

// all is shared by the tests, so that each program is compiled once.
var all = Peers()

func find(t *testing.T, name string) peer.Peer {
	t.Helper()
	for _, p := range all {
		if p.Info().Name == name {
			return p
		}
	}
	t.Fatalf("no peer %q", name)
	return nil
}

// open skips the test where the peer is not installed.
func open(t *testing.T, ctx context.Context, p peer.Peer, dirs peer.Dirs, workers int, what peer.Payload) peer.Session {
	t.Helper()
	s, err := p.Open(ctx, dirs, workers, what)
	skipMissing(t, err)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // for tests that fail before they do
	return s
}

func skipMissing(t *testing.T, err error) {
	t.Helper()
	if m := new(peer.Missing); errors.As(err, &m) {
		t.Skip(err)
	}
}

func bursts(t *testing.T, s peer.Session, sizes ...int) (lost uint64) {
	t.Helper()
	for _, n := range sizes {
		_, took, err := s.Crew().Burst(n)
		if err != nil {
			t.Fatal(err)
		}
		if took.Time <= 0 {
			t.Errorf("%d calls took %v", n, took.Time)
		}
		lost += took.Lost
	}
	return lost
}

func TestWhatSpdlogTakesInBurstsArrivesWhole(t *testing.T) {
	t.Parallel()
	for what, line := range map[peer.Payload]string{
		peer.Message: " - trades - info - " + peer.Text,
		peer.Fields:  fmt.Sprintf(" - trades - info - %s trial=2 price=%v symbol=%s", peer.FieldsText, peer.Price, peer.Symbol),
	} {
		t.Run(string(what), func(t *testing.T) {
			t.Parallel()
			dirs := testDirs(t)
			s := open(t, t.Context(), find(t, "spdlog async"), dirs, 1, what)
			lost := bursts(t, s, 3, 9000, 20000)
			settled, err := s.Settle(t.Context())
			if err := errors.Join(err, s.Close()); err != nil {
				t.Fatal(err)
			}
			written, err := os.ReadFile(filepath.Join(dirs.Logs, "spdlog.log"))
			if err != nil {
				t.Fatal(err)
			}
			if lost != 0 || settled.Arrived != 29003 || settled.Bytes != uint64(len(written)) {
				t.Errorf("%d lost, %+v, %d bytes in the file; want none, 29003 records, and the file's bytes", lost, settled, len(written))
			}
			if third := strings.Split(string(written), "\n")[2]; !strings.HasSuffix(third, line) {
				t.Errorf("the third line is %q, want …%q", third, line)
			}
		})
	}
}

func TestWhatSpdlogOverrunsIsLost(t *testing.T) {
	t.Parallel()
	s := open(t, t.Context(), find(t, "spdlog async, overrun_oldest"), testDirs(t), 1, peer.Message)
	lost := bursts(t, s, 100_000, 300_000)
	settled, err := s.Settle(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	// The order to flush takes a place in a full queue.
	if sum := lost + settled.Arrived; lost == 0 || sum != 400_000 && sum != 399_999 {
		t.Errorf("%d lost, %d arrived: want some lost, and 400000 in all", lost, settled.Arrived)
	}
}

func TestSpdlogIsNotForSeveralProcesses(t *testing.T) {
	t.Parallel()
	if _, err := find(t, "spdlog async").Open(t.Context(), testDirs(t), 2, peer.Message); err == nil {
		t.Error("two workers are accepted")
	}
}

func TestPacedCallsAreAllInTheHistogram(t *testing.T) {
	t.Parallel()
	s := open(t, t.Context(), find(t, "spdlog async"), testDirs(t), 1, peer.Message)
	_, h, err := s.Crew().Paced(5000, 1000)
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if h.TotalCount() != 5000 {
		t.Errorf("%d calls, want 5000", h.TotalCount())
	}
}

// Values and the buckets they are to be in: rounded up, three digits.
var buckets = map[int64]int64{
	0: 0, 7: 7, 999: 999, 1000: 1000, 1001: 1010, 9990: 9990, 9991: 10_000, 10_000: 10_000,
	10_001: 10_100, 99_901: 100_000, 123_456_789: 124_000_000, 10_000_000_000: 10_000_000_000, -5: 0,
}

func TestTheHistogramRoundsUpToThreeDigits(t *testing.T) {
	t.Parallel()
	header, err := embedded.ReadFile("src/worker.h")
	if err != nil {
		t.Fatal(err)
	}
	var notes strings.Builder
	counts := map[string]int{}
	for value, bucket := range buckets {
		fmt.Fprintf(&notes, "note(&h, INT64_C(%d));", value)
		counts[strconv.FormatInt(bucket, 10)]++
	}
	p := find(t, "LTTng-UST").(*lttng).program
	p = &program{
		name: "histogram", compiler: p.compiler, library: p.library, install: p.install, file: "histogram.c",
		sources: fstest.MapFS{
			"worker.h":    {Data: header},
			"histogram.c": {Data: []byte("#include \"worker.h\"\nint main(void) { static struct histogram h; " + notes.String() + " print_histogram(&h); }")},
		},
	}
	c, err := p.command(t.Context())
	skipMissing(t, err)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	for line := range strings.Lines(string(printed)) {
		value, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strconv.Itoa(counts[value]) != count {
			t.Errorf("%q: want a count of %d", line, counts[value])
		}
		delete(counts, value)
		if v, err := strconv.ParseInt(value, 10, 64); err != nil || v <= last {
			t.Errorf("%q after %d: %v", line, last, err)
		} else {
			last = v
		}
	}
	if len(counts) > 0 {
		t.Errorf("not printed: %v", counts)
	}
}

func TestAWorkerRefusesWhatIsNoOrder(t *testing.T) {
	t.Parallel()
	p := find(t, "spdlog async").(*spdlog).program
	for _, order := range []string{"", "bust 1 2", "burst 1", "burst 1 2 3", "burst 1 x", "burst 1 -2", "paced 1 2", "paced 1 2 -3", "flush it", "flushed"} {
		c, err := p.command(t.Context(), filepath.Join(t.TempDir(), "log"), "message", "block")
		skipMissing(t, err)
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		c.Stdin, c.Stderr = strings.NewReader(order+"\n"), &said
		if err := c.Run(); c.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), strconv.Quote(order)+": want burst START N") {
			t.Errorf("%q: %v, %q", order, err, said.String())
		}
	}
}

func TestWhatIsNotInstalledIsMissingWithTheCommandThatInstallsIt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*program){
		"no-such-compiler": func(p *program) { p.compiler = "no-such-compiler" },
		"no-such-library":  func(p *program) { p.library = "no-such-library" },
		"no/such.h": func(p *program) {
			p.sources = fstest.MapFS{p.file: {Data: []byte("#include <no/such.h>\n")}}
		},
		"-lno-such-library": func(p *program) {
			p.sources = fstest.MapFS{p.file: {Data: []byte("int main(void) { return 0; }\n")}}
			p.flags = []string{"-lno-such-library"}
		},
	} {
		t.Run(strings.Trim(name, "-"), func(t *testing.T) {
			t.Parallel()
			like := find(t, "LTTng-UST").(*lttng).program
			p := &program{name: "it", sources: like.sources, file: like.file, compiler: like.compiler, library: like.library, install: "apt-get install it"}
			if name != "no-such-compiler" { // this one comes first
				_, err := like.compiled(t.Context())
				skipMissing(t, err)
			}
			change(p)
			_, err := (&lttng{p}).Open(t.Context(), testDirs(t), 1, peer.Message)
			m := new(peer.Missing)
			if !errors.As(err, &m) || m.What != name || m.Install != "apt-get install it" {
				t.Errorf("got %v, want %q to be missing", err, name)
			}
		})
	}
}

func TestBuffersThatDoNotFitAreMissingRoom(t *testing.T) {
	t.Parallel()
	if err := roomFor(t.TempDir(), 1); err != nil {
		t.Error(err)
	}
	m := new(peer.Missing)
	if err := roomFor(t.TempDir(), 1<<60); !errors.As(err, &m) || !strings.HasPrefix(m.Install, "mount -o remount,size=") {
		t.Errorf("got %v", err)
	}
}

func TestACompilationThatIsInterruptedIsNotAMissingLibrary(t *testing.T) {
	t.Parallel()
	like := find(t, "LTTng-UST").(*lttng).program
	_, err := like.compiled(t.Context())
	skipMissing(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := &program{name: "it", file: like.file, compiler: like.compiler, library: like.library, sources: like.sources}
	if _, err := p.compiled(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestAProgramThatDoesNotCompileIsAnErrorWithWhatTheCompilerSays(t *testing.T) {
	t.Parallel()
	like := find(t, "LTTng-UST").(*lttng).program
	_, err := like.compiled(t.Context())
	skipMissing(t, err)
	p := &program{name: "it", file: "it.c", compiler: like.compiler, library: like.library, sources: fstest.MapFS{"it.c": {Data: []byte("int main(void) { return undeclared; }")}}}
	_, err = p.compiled(t.Context())
	if m := new(peer.Missing); errors.As(err, &m) || err == nil || !strings.Contains(err.Error(), "undeclared") {
		t.Errorf("got %v, want the compiler's words", err)
	}
}

func TestEachPeerSaysHowItIsInstalled(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range all {
		if name := p.Info().Name; seen[name] {
			t.Errorf("two are called %q", name)
		} else {
			seen[name] = true
		}
	}
	for _, p := range []*program{find(t, "spdlog async").(*spdlog).program, find(t, "LTTng-UST").(*lttng).program} {
		if !strings.HasPrefix(p.install, "apt-get install ") {
			t.Errorf("%s: %q", p.name, p.install)
		}
	}
}
