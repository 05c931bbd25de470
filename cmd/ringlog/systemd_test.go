package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/record"
)

// manager is what systemd is for a service: the end of a socket at which it tells how it
// is.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	path string
}

// managed has d's drain be started as systemd does it, with a watchdog that waits for so
// long. The drain gives signs of life about once a second.
func managed(t *testing.T, d *daemon, watchdog time.Duration) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "ringlog") // a socket's path has little room
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	m := &manager{t: t, path: filepath.Join(dir, "notify")}
	m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.conn.Close() })
	d.env = []string{"NOTIFY_SOCKET=" + m.path, "WATCHDOG_USEC=" + strconv.FormatInt(watchdog.Microseconds(), 10), "WATCHDOG_PID="}
	return m
}

// next is the first line of the next message, and what follows it.
func (m *manager) next() (first, rest string) {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		m.t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	if err != nil {
		m.t.Fatal(err)
	}
	first, rest, _ = strings.Cut(string(buf[:n]), "\n")
	return first, rest
}

const alive = "WATCHDOG=1"

// hear waits for a message, before which there is nothing but signs of life, and returns
// what follows its first line.
func (m *manager) hear(want string) (rest string) {
	m.t.Helper()
	for {
		first, rest := m.next()
		if first == want {
			return rest
		}
		if first != alive {
			m.t.Fatalf("%q, want %q", first, want)
		}
	}
}

// heard are the first lines of the messages up to now, without signs of life.
func (m *manager) heard() (lines []string) {
	m.t.Helper()
	const mark = "until here"
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(mark)); err != nil {
		m.t.Fatal(err)
	}
	for {
		first, _ := m.next()
		if first == mark {
			return lines
		}
		if first != alive {
			lines = append(lines, first)
		}
	}
}

// deaf fills the socket, as if systemd read nothing from now on. It returns with how many
// messages.
func (m *manager) deaf() int {
	m.t.Helper()
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	return fill(m.t, conn, func(fd int) error { return unix.Send(fd, []byte(alive), unix.MSG_DONTWAIT) })
}

// fill writes to what does not block until it is full. It returns how often it could.
func fill(t *testing.T, conn syscall.Conn, write func(fd int) error) (filled int) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if werr := raw.Write(func(fd uintptr) bool { err = write(int(fd)); return true }); werr != nil {
			t.Fatal(werr)
		}
		switch {
		case errors.Is(err, unix.EAGAIN):
			return filled
		case err != nil:
			t.Fatal(err)
		}
		filled++
	}
}

// wantAlive waits for signs of life from now on.
func (m *manager) wantAlive() {
	m.t.Helper()
	if got := m.heard(); len(got) > 0 {
		m.t.Fatalf("%q, want signs of life alone", got)
	}
	for range 2 { // the first one may have been on its way
		m.hear(alive)
	}
}

// wantHeld fails unless the output is there, and somebody has it open to write to it.
func wantHeld(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if f, err := logfile.Open(path); err == nil {
		f.Close()
		t.Fatalf("nobody has %s", path)
	}
}

// hearReloading waits until the drain says that it reloads, and when: after the time that
// is given, so that it is an answer to what was sent then.
func (m *manager) hearReloading(after int64) {
	m.t.Helper()
	rest := m.hear("RELOADING=1")
	text, ok := strings.CutPrefix(strings.TrimSuffix(rest, "\n"), "MONOTONIC_USEC=")
	at, err := strconv.ParseInt(text, 10, 64)
	if now := monotonic(m.t); !ok || err != nil || at < after || at > now {
		m.t.Errorf("it reloads: %q, want a time from %d to %d", rest, after, now)
	}
}

// monotonic is the clock of which services tell systemd, in microseconds.
func monotonic(t *testing.T) int64 {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		t.Fatal(err)
	}
	return now.Nano() / 1000
}

func TestSystemdIsToldOfReadinessReloadsLifeAndTheEnd(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 2)
	m := managed(t, d, 2*time.Second)
	config := d.configure(configA)
	d.run("--config", config)
	if status := m.hear("READY=1"); status != "STATUS=draining to 2 outputs" {
		t.Errorf("%q", status)
	}
	wantHeld(t, d.file("all.log"))
	wantHeld(t, d.file("a.log"))
	m.wantAlive() // while there is nothing to do
	for _, other := range []struct{ config, output string }{
		{configB, "b.log"},
		{configBad, "b.log"}, // still
		{configB + "  - path: c.log\n", "c.log"},
	} {
		d.configure(other.config)
		before := monotonic(t)
		d.signal(syscall.SIGHUP)
		m.hearReloading(before)
		m.hear("READY=1")
		wantHeld(t, d.file(other.output))
	}
	l := d.load(1, 20)
	m.wantAlive() // while there is much
	l.end()
	d.signal(syscall.SIGTERM)
	m.hear("STOPPING=1")
	if code := d.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := m.heard(); len(got) > 0 {
		t.Errorf("after the end it said %q", got)
	}
	l.wantEach("all.log", d.read(d.file("all.log")))
}

func TestASystemdThatReadsNothingStopsNeitherDrainingNorReloadsNorTheEnd(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 1)
	m := managed(t, d, 2*time.Second)
	m.deaf()
	config := d.configure(configA)
	d.runUntilReady("--config", config)
	l := d.load(1, 20)
	for i, other := range []string{configB, configA, configB} {
		d.configure(other)
		d.signal(syscall.SIGHUP)
		d.until("it has reloaded", func() bool { return d.says("ringlog: reloaded: ") == i+1 })
	}
	l.end()
	d.end()
	l.wantEach("all.log", d.read(d.file("all.log")))
}

func TestASystemdThatReadsAgainWhenADrainEndsHearsOfTheEnd(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 1)
	m := managed(t, d, time.Minute)
	// A drain waits for that, but not for long, which may pass on a machine that is busy.
	for tries := 1; ; tries++ {
		filled := m.deaf()
		d.runUntilReady("--out", "x.log")
		d.signal(syscall.SIGTERM)
		for d.hasRing() {
			runtime.Gosched()
		}
		select {
		case <-d.ended: // which is too soon
		case <-time.After(100 * time.Millisecond):
		}
		for range filled {
			m.next()
		}
		if code := d.code(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		got := m.heard()
		if slices.Equal(got, []string{"READY=1", "STOPPING=1"}) {
			return
		}
		if tries == 5 {
			t.Fatalf("it heard %q", got)
		}
	}
}

// The output is a pipe that is full, so that the drain does not end at the first signal.
func TestASecondSignalEndsADrainWhoseSystemdReadsNothing(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 1)
	managed(t, d, 2*time.Second).deaf()
	if err := unix.Mkfifo(d.file("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(d.file("pipe"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	fill(t, pipe, func(fd int) error {
		_, err := unix.Write(fd, noise(1, os.Getpagesize()))
		return err
	})
	d.runUntilReady("--out", "pipe", "--format", "raw")
	if err := d.worker("w").Append(record.LevelInfo, []byte("one")); err != nil {
		t.Fatal(err)
	}
	// Two that come at once may arrive as one.
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	patience := time.After(time.Minute)
	for running := true; running; {
		_ = d.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-d.ended:
			running = false
		case <-patience:
			t.Fatal("the drain does not end")
		case <-again.C:
		}
	}
	if code := d.code(); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
}

func TestSystemdIsNotToldThatADrainIsReadyWhoseOutputsCannotBeOpened(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 1)
	m := managed(t, d, 2*time.Second)
	d.run("--out", "all.log", "--out", "app=.")
	if code := d.code(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if got := m.heard(); slices.Contains(got, "READY=1") {
		t.Errorf("it said %q", got)
	}
}

// fullDisk has d's drain wait for room on a disk, with a load, and be told to reload: which
// it does when there is room.
func fullDisk(t *testing.T) (*daemon, *manager, *load) {
	t.Helper()
	d := newDaemon(t, 1)
	d.dir = smallDisk(t, "64k")
	m := managed(t, d, 2*time.Second)
	d.run("--out", "all.log", "--format", "raw", "--max-size", "0")
	m.hear("READY=1")
	l := d.load(1, 200)
	d.until("the disk is full", func() bool { return d.says("output trouble: ") == 1 })
	d.signal(syscall.SIGHUP)
	m.hear("RELOADING=1")
	m.wantAlive()
	return d, m, l
}

func TestADrainThatWaitsOnAFullDiskLivesForSystemdsWatchdogAndReloadsWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	d, m, l := fullDisk(t)
	if err := unix.Mount("", d.dir, "", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	m.hear("READY=1")
	l.end()
	d.signal(syscall.SIGTERM)
	m.hear("STOPPING=1")
	if code := d.code(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	l.wantEach("all.log", d.read(d.file("all.log")))
	if d.says("output trouble: ") != 1 || d.says("output trouble is over after ") != 1 {
		t.Error("the trouble was not said once at its beginning and at its end")
	}
}

func TestADrainThatWaitsOnAFullDiskEndsAtSIGTERMThoughAReloadIsDueAndLosesNothing(t *testing.T) {
	t.Parallel()
	d, m, l := fullDisk(t)
	d.signal(syscall.SIGTERM)
	m.hear("STOPPING=1")
	if code := d.code(); code != 4 {
		t.Errorf("exit code %d, want 4", code)
	}
	if err := unix.Mount("", d.dir, "", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	d.runUntilReady("--out", "all.log", "--format", "raw", "--max-size", "0")
	l.end()
	d.end()
	l.wantEach("all.log", d.read(d.file("all.log")))
}
