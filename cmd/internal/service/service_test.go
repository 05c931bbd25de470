package service

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// manager is what systemd has open: tests change the environment, so none is parallel.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

// listen makes a socket and names it in the environment.
func listen(t *testing.T, name string) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	setenv(t, name, "", "")
	return &manager{t, conn}
}

func setenv(t *testing.T, socket, usec, pid string) {
	t.Helper()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", usec)
	t.Setenv("WATCHDOG_PID", pid)
}

// next is the next message, which is there or on its way.
func (m *manager) next() string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		m.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := m.conn.Read(b)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b[:n])
}

// nothing checks that no message is there.
func (m *manager) nothing() {
	m.t.Helper()
	raw, err := m.conn.SyscallConn()
	if err != nil {
		m.t.Fatal(err)
	}
	var n int
	var b [4096]byte
	if err := raw.Read(func(fd uintptr) bool { n, err = recv(fd, b[:]); return true }); err != nil {
		m.t.Fatal(err)
	}
	if err == nil {
		m.t.Errorf("systemd was told %q", b[:n])
	}
}

func socketPath(t *testing.T) string { return filepath.Join(t.TempDir(), "s") }

func log(t *testing.T) *slog.Logger { return cli.NewLog(t.Output()) }

// settled waits until nothing is to be sent any more.
func settled(t *testing.T, s *Service) {
	t.Helper()
	s.mu.Lock()
	told := s.told
	s.mu.Unlock()
	if told == nil {
		return
	}
	select {
	case <-told:
	case <-time.After(time.Minute):
		t.Fatal("something is to be sent for ever")
	}
}

func TestStatesAreToldInOrder(t *testing.T) {
	m := listen(t, socketPath(t))
	s := New(log(t))
	s.Ready("draining into 2 outputs")
	s.Reloading()
	s.Ready("draining into 3 outputs")
	s.Stopping()
	reloading := regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=([0-9]+)\n$`)
	for _, want := range []string{"READY=1\nSTATUS=draining into 2 outputs", "", "READY=1\nSTATUS=draining into 3 outputs", "STOPPING=1"} {
		got := m.next()
		if want != "" && got != want || want == "" && !reloading.MatchString(got) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	settled(t, s)
	m.nothing()
}

func TestAReloadThatIsCompleteAfterTheEndHasBegunIsNotTold(t *testing.T) {
	m := listen(t, socketPath(t))
	s := New(log(t))
	s.Reloading()
	s.Stopping()
	s.Ready("draining to 1 output")
	s.Reloading()
	m.next()
	if got := m.next(); got != "STOPPING=1" {
		t.Errorf("%q", got)
	}
	settled(t, s)
	m.nothing()
}

func TestTheTimeOfAReloadIsThatOfTheMonotonicClock(t *testing.T) {
	m := listen(t, socketPath(t))
	before := monotonic(t)
	New(log(t)).Reloading()
	after := monotonic(t)
	var at int64
	if _, err := fmt.Sscanf(m.next(), "RELOADING=1\nMONOTONIC_USEC=%d\n", &at); err != nil || at < before || at > after {
		t.Errorf("at %d, %v; between %d and %d", at, err, before, after)
	}
}

func TestSocketsWithoutAFileAreReached(t *testing.T) {
	m := listen(t, fmt.Sprintf("@ringlog-test-%d", os.Getpid()))
	New(log(t)).Stopping()
	if got := m.next(); got != "STOPPING=1" {
		t.Errorf("%q", got)
	}
}

func TestAStatusIsOneLineAndNoAssignment(t *testing.T) {
	m := listen(t, socketPath(t))
	New(log(t)).Ready("a\nMAINPID=1\x1b\xff")
	if got, want := m.next(), "READY=1\n"+`STATUS=a\nMAINPID=1\x1b\xff`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWithoutSystemdNothingHappens(t *testing.T) {
	m := listen(t, socketPath(t))
	setenv(t, "", "", "")
	s := New(cli.NewLog(failing{t}))
	s.Ready("x")
	s.Reloading()
	s.Alive()
	s.Stopping()
	settled(t, s)
	m.nothing()
}

// failing is for logs that must get nothing.
type failing struct{ t *testing.T }

func (h failing) Write(p []byte) (int, error) {
	h.t.Errorf("the log got %q", p)
	return len(p), nil
}

func TestASocketThatIsNotThereIsSaidOnce(t *testing.T) {
	setenv(t, filepath.Join(t.TempDir(), "none"), "", "")
	var b strings.Builder
	s := New(cli.NewLog(&b))
	s.Ready("x")
	s.Stopping()
	settled(t, s)
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "ringlog: systemd is not to be reached: ") || !strings.Contains(got, "no such file or directory") {
		t.Errorf("%q", got)
	}
}

func TestHalfOfTheWatchdogsTimeNeverPassesWithoutASignOfLife(t *testing.T) {
	pid := fmt.Sprint(os.Getpid())
	for usec, every := range map[string]time.Duration{"60000000": 29 * time.Second, "3000000": 500 * time.Millisecond, "1500000": 0} {
		setenv(t, "", usec, pid)
		s := New(log(t))
		if !s.watched || s.every != every {
			t.Errorf("WATCHDOG_USEC=%s: every %v, want %v", usec, s.every, every)
		}
		start := time.Unix(1_800_000_000, 0)
		told, number := start, 0
		for i := range 600 {
			// A call is late, and the next one early.
			now := start.Add(time.Duration(i)*time.Second - time.Duration(i%2)*100*time.Millisecond)
			if !s.due(now) {
				continue
			}
			number++
			if gap := now.Sub(told); i > 0 && gap > max(2*time.Second, every+alivePeriod+100*time.Millisecond) {
				t.Errorf("WATCHDOG_USEC=%s: nothing for %v", usec, gap)
			}
			told = now
		}
		if most := 600; every > time.Second && number > most/int(every/time.Second)+1 || number < 10 {
			t.Errorf("WATCHDOG_USEC=%s: %d signs of life in ten minutes", usec, number)
		}
	}
}

func TestTheWatchdogIsFedIfItIsOurs(t *testing.T) {
	m := listen(t, socketPath(t))
	socket := os.Getenv("NOTIFY_SOCKET")
	setenv(t, socket, "20000000", fmt.Sprint(os.Getpid()))
	s := New(log(t))
	s.Alive()
	if got := m.next(); got != "WATCHDOG=1" {
		t.Errorf("%q", got)
	}
	settled(t, s)
	if s.Alive(); s.told != nil {
		t.Error("the watchdog is fed too soon")
	}
	for _, env := range [][2]string{{"20000000", "1"}, {"", ""}} {
		setenv(t, socket, env[0], env[1])
		s := New(log(t))
		s.Alive()
		if s.watched || s.told != nil {
			t.Errorf("a watchdog of %q for process %q is fed", env[0], env[1])
		}
	}
	m.nothing()
}

func TestAWatchdogThatIsNoNumberIsSaid(t *testing.T) {
	setenv(t, "", "soon", "")
	var b strings.Builder
	s := New(cli.NewLog(&b))
	s.Alive()
	if !strings.HasPrefix(b.String(), "ringlog: systemd's watchdog: error converting WATCHDOG_USEC") || s.watched {
		t.Errorf("%q", b.String())
	}
}

// unread is a socket that is full, since systemd reads nothing, and a Service that is to
// give signs of life.
func unread(t *testing.T) (*manager, *Service) {
	t.Helper()
	m := listen(t, socketPath(t))
	socket := os.Getenv("NOTIFY_SOCKET")
	setenv(t, socket, "1000000", fmt.Sprint(os.Getpid()))
	fill(t, socket)
	return m, New(log(t))
}

// atOnce fails unless do returns while nobody reads.
func atOnce(t *testing.T, do func()) {
	t.Helper()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		do()
	}()
	select {
	case <-returned:
	case <-time.After(time.Minute):
		t.Fatal("it waits for systemd")
	}
}

// nextOwn is the first message after those of fill.
func (m *manager) nextOwn() string {
	m.t.Helper()
	for {
		if got := m.next(); got != filler {
			return got
		}
	}
}

// A systemd that reads nothing fills the socket, and must not stop the drain by that.
func TestAliveDoesNotWaitForSystemd(t *testing.T) {
	m, s := unread(t)
	atOnce(t, func() {
		for range 10 {
			s.Alive()
		}
	})
	if got := m.nextOwn(); got != "WATCHDOG=1" {
		t.Errorf("%q", got)
	}
	settled(t, s)
	m.nothing() // but one
	s.Alive()
	if got := m.next(); got != "WATCHDOG=1" {
		t.Errorf("%q", got)
	}
}

func TestNoStateWaitsForSystemdAndAllAreToldInOrderWhenItReads(t *testing.T) {
	m, s := unread(t)
	atOnce(t, func() {
		s.Ready("one")
		s.Reloading()
		s.Alive()
		s.Ready("two")
		s.Stopping()
		s.Alive()
		s.Flush() // has an end
	})
	got := []string{m.nextOwn()}
	for range 4 {
		got = append(got, m.next())
	}
	for i, want := range []string{"READY=1\nSTATUS=one", "RELOADING=1\n", "READY=1\nSTATUS=two", "STOPPING=1", "WATCHDOG=1"} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("%q, want %q", got[i], want)
		}
	}
	settled(t, s)
	m.nothing()
}

func TestReloadsThatSystemdDoesNotHearOfDoNotPileUpAndTheLastOneIsTold(t *testing.T) {
	m, s := unread(t)
	s.Ready("first")
	onItsWay := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.states) == 0
	}
	for !onItsWay() {
		runtime.Gosched()
	}
	for i := range 1000 {
		s.Reloading()
		s.Ready(fmt.Sprint("reload ", i))
	}
	s.Stopping()
	got := []string{m.nextOwn()}
	for got[len(got)-1] != "STOPPING=1" {
		got = append(got, m.next())
	}
	settled(t, s)
	m.nothing()
	if len(got) > maxStates+1 || got[len(got)-2] != "READY=1\nSTATUS=reload 999" {
		t.Errorf("%q", got)
	}
	// Each reload is told as begun and as complete, or not at all.
	for i, one := range got[1 : len(got)-1] {
		if strings.HasPrefix(one, "READY=1") == strings.HasPrefix(got[i], "READY=1") {
			t.Errorf("%q follows %q", one, got[i])
		}
	}
}

func TestAfterFlushThereIsNothingLeftToTellASystemdThatReads(t *testing.T) {
	m := listen(t, socketPath(t))
	s := New(log(t))
	s.Ready("x")
	s.Stopping()
	idle := func() bool {
		s.Flush()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.told == nil
	}
	// A machine that is very busy may need more than one Flush has.
	for tries := 1; !idle(); tries++ {
		if tries == 60 {
			t.Fatal("it has not all been told")
		}
	}
	m.next()
	if got := m.next(); got != "STOPPING=1" {
		t.Errorf("%q", got)
	}
}
