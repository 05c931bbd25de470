package peer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// workerVariable makes the test's own binary a worker.
const workerVariable = "RINGLOG_BENCH_TEST_WORKER"

func TestMain(m *testing.M) {
	switch os.Getenv(workerVariable) {
	case "":
		os.Exit(m.Run())
	case "mute":
		os.Exit(0)
	}
	lost := uint64(0)
	err := Serve(os.Stdin, os.Stdout, Logger{
		Log:  func(n int) error { lost += uint64(n) / 10; return nil },
		One:  func(int) error { return nil },
		Lost: func() uint64 { return lost },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func start(t *testing.T, how string) (*Worker, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), workerVariable+"="+how)
	return Start(c)
}

func TestACrewDoesWhatItIsToldAndAddsUp(t *testing.T) {
	t.Parallel()
	var c Crew
	for range 2 {
		w, err := start(t, "yes")
		if err != nil {
			t.Fatal(err)
		}
		c = append(c, w)
	}
	begin, took, err := c.Burst(100)
	if err != nil || took.Time <= 0 || took.Lost != 20 || time.Since(begin) > time.Hour {
		t.Errorf("burst: %v, %+v, %v", begin, took, err)
	}
	took, h, err := c.Paced(50, 10*time.Microsecond)
	if err != nil || h.TotalCount() != 100 || took.Lost != 0 || took.Time < 490*time.Microsecond {
		t.Errorf("paced: %+v, %v, %v", took, h, err)
	}
	if err := c.Flush(); err != nil {
		t.Error(err)
	}
	if c.Logged() != 300 {
		t.Errorf("%d calls, want 300", c.Logged())
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestAWorkerThatEndsBeforeItIsReadyIsAnError(t *testing.T) {
	t.Parallel()
	if w, err := start(t, "mute"); err == nil {
		w.Close()
		t.Error("it is taken for one that works")
	}
}

func serve(t *testing.T, orders string, l Logger) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Serve(strings.NewReader(orders), &out, l)
	return out.String(), err
}

// A call that stalls makes those late that were due meanwhile, and each of them says so.
func TestPacedCountsFromWhenACallWasDue(t *testing.T) {
	t.Parallel()
	const stall = 5 * time.Millisecond
	l := Logger{One: func(i int) error {
		if i == 0 {
			for begin := time.Now(); time.Since(begin) < stall; {
			}
		}
		return nil
	}}
	orders := fmt.Sprintf("paced %d 6 %d\n", time.Now().UnixNano(), time.Millisecond.Nanoseconds())
	out, err := serve(t, orders, l)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(strings.NewReader(strings.TrimPrefix(out, "ready\n")))
	if _, err := readTook(r); err != nil {
		t.Fatal(err)
	}
	h, err := readHistogram(r)
	if err != nil {
		t.Fatal(err)
	}
	// Calls 0 to 3 were due at least 2 ms before the stall ended.
	late := int64(0)
	for _, b := range h.Distribution() {
		if b.From >= 1_900_000 {
			late += b.Count
		}
	}
	if late < 4 || h.TotalCount() != 6 {
		t.Errorf("%d of %d calls are late", late, h.TotalCount())
	}
}

// Where there is no rate a call is due when the one before it has returned: it does not
// answer for that one.
func TestWithoutARateACallIsTimedByItself(t *testing.T) {
	t.Parallel()
	const stall = 20 * time.Millisecond
	l := Logger{One: func(i int) error {
		if i == 0 {
			for begin := time.Now(); time.Since(begin) < stall; {
			}
		}
		return nil
	}}
	out, err := serve(t, fmt.Sprintf("paced %d 1000 0\n", time.Now().UnixNano()), l)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(strings.NewReader(strings.TrimPrefix(out, "ready\n")))
	if _, err := readTook(r); err != nil {
		t.Fatal(err)
	}
	h, err := readHistogram(r)
	if err != nil {
		t.Fatal(err)
	}
	if median := h.ValueAtPercentile(50); median >= stall.Nanoseconds() {
		t.Errorf("median %d ns: calls answer for the first one", median)
	}
}

func TestFlushIsAnswered(t *testing.T) {
	t.Parallel()
	flushed := false
	out, err := serve(t, "flush\n", Logger{Flush: func() error { flushed = true; return nil }})
	if err != nil || !flushed || !strings.HasPrefix(out, "ready\nflushed ") {
		t.Errorf("%q, %v", out, err)
	}
}

func TestAnErrorOfTheLoggerEndsTheWorker(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	fails := Logger{
		Log: func(int) error { return broken }, One: func(int) error { return broken }, Flush: func() error { return broken },
	}
	for _, order := range []string{"burst 0 1\n", "paced 0 1 0\n", "flush\n"} {
		if _, err := serve(t, order, fails); !errors.Is(err, broken) {
			t.Errorf("%q: %v", order, err)
		}
	}
}

func TestBadOrdersAreErrors(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"", "burst", "burst 1", "burst x 1", "burst 1 -1", "paced 1 2", "paced 1 2 -3", "sing 1 2"} {
		if _, err := serve(t, order+"\n", Logger{}); err == nil {
			t.Errorf("%q is obeyed", order)
		}
	}
}

func TestBadAnswersAreErrors(t *testing.T) {
	t.Parallel()
	reader := func(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }
	for _, s := range []string{"", "took", "took 1\n", "took -1 0\n", "flushed 1\n"} {
		if _, err := readTook(reader(s)); err == nil {
			t.Errorf("took: %q is taken", s)
		}
	}
	for _, s := range []string{"", "took 1 0\n", "flushed x\n"} {
		if _, err := readFlushed(reader(s)); err == nil {
			t.Errorf("flushed: %q is taken", s)
		}
	}
	for _, s := range []string{"", "1 1\n", "2 1\n1 1\nend\n", "1 0\nend\n", "x\nend\n"} {
		if _, err := readHistogram(reader(s)); err == nil {
			t.Errorf("histogram: %q is taken", s)
		}
	}
}

func TestAHistogramComesThroughAsItIs(t *testing.T) {
	t.Parallel()
	h := NewHistogram()
	for _, v := range []int64{1, 1, 999, 123_456, 10_000_000_000, 1 << 60, 0} {
		if err := record(h, v, 1); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := writeHistogram(&b, h); err != nil {
		t.Fatal(err)
	}
	got, err := readHistogram(bufio.NewReader(&b))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equals(h) || got.TotalCount() != 7 {
		t.Errorf("%v, want %v", got.Distribution(), h.Distribution())
	}
}

func TestOrdersReadBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, o := range []order{
		{what: "burst", start: time.Unix(1, 2), n: 3},
		{what: "paced", start: time.Unix(1, 2), n: 3, every: 4},
	} {
		got, err := readOrder(bufio.NewReader(strings.NewReader(o.String() + "\n")))
		if err != nil || got.what != o.what || !got.start.Equal(o.start) || got.n != o.n || got.every != o.every {
			t.Errorf("%+v, want %+v, %v", got, o, err)
		}
	}
	if _, err := readOrder(bufio.NewReader(strings.NewReader(""))); !errors.Is(err, io.EOF) {
		t.Errorf("the end of the orders is %v", err)
	}
}

func TestTextsHaveTheirSizes(t *testing.T) {
	t.Parallel()
	if len(Text) != 100 || len(FieldsText) != 25 {
		t.Errorf("%d, %d", len(Text), len(FieldsText))
	}
}

func TestCountLinesLeavesOutALineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("a\n\nb\nc"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lines, size, err := CountLines(path); lines != 3 || size != 6 || err != nil {
		t.Errorf("%d, %d, %v", lines, size, err)
	}
}

func TestMissingSaysHowToInstallIt(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("open: %w", &Missing{What: "x", Install: "apt-get install x"})
	var m *Missing
	if !errors.As(err, &m) || !strings.Contains(err.Error(), "apt-get install x") {
		t.Error(err)
	}
}
