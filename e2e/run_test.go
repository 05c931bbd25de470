package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// listen: says its pid, then what it gets: interrupts, with their number, and lines
// of its input, which it appends to the ring that it finds. Ends with 7 when its input
// does.
func listen([]string) error {
	interrupts := make(chan os.Signal, 16)
	signal.Notify(interrupts, os.Interrupt)
	w, err := writer.Open("", writer.Options{Label: "listener"})
	if err != nil {
		return err
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines <- in.Text()
		}
	}()
	fmt.Println("pid", os.Getpid())
	for n := 0; ; {
		select {
		case <-interrupts:
			n++
			fmt.Println("interrupt", n)
		case text, more := <-lines:
			if !more {
				if err := w.Close(); err != nil {
					return err
				}
				fmt.Println("interrupts", n)
				os.Exit(7)
			}
			if err := w.Append(record.LevelInfo, []byte(text)); err != nil {
				return err
			}
			fmt.Println("accepted", text)
		}
	}
}

// underRun is a process of ringlog run, in a folder of its own.
type underRun struct {
	process
	dir, ring, log string
	stdin          io.Writer
}

// runRinglog prepares `ringlog run` of a command, with a ring and a log in its own
// folder.
func runRinglog(t *testing.T, flags []string, command ...string) *underRun {
	t.Helper()
	ringlog := build(t, "ringlog")
	dir := t.TempDir()
	r := &underRun{dir: dir, ring: filepath.Join(dir, "r.ring"), log: filepath.Join(dir, "x.log")}
	args := append([]string{"run", "--ring", r.ring, "--lane-size", "64KiB", "--out", r.log, "--format", "raw"}, flags...)
	r.process = process{Cmd: exec.Command(ringlog, append(append(args, "--"), command...)...), ended: make(chan struct{})}
	r.Dir = dir
	// Not a pipe, which the processes that outlive r would keep open.
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	r.Stderr = stderr
	t.Cleanup(func() { stderr.Close() })
	r.Env = append(os.Environ(), roleVariable+"=listen", "PATH="+filepath.Dir(ringlog)+":"+os.Getenv("PATH"))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.said(t))
		}
	})
	return r
}

// said is what r wrote to standard error, unless that is a terminal.
func (r *underRun) said(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "stderr"))
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

// withPipe starts r with its input held open, in a session that has no terminal.
func (r *underRun) withPipe(t *testing.T) (closeInput func()) {
	t.Helper()
	stdin, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	t.Cleanup(func() { w.Close() })
	r.Stdin, r.stdin = stdin, w
	r.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	r.start(t)
	t.Cleanup(func() { _ = syscall.Kill(-r.Process.Pid, syscall.SIGKILL) })
	return func() { w.Close() }
}

// withTerminal starts r in the foreground of a new terminal, which shows no echo.
func (r *underRun) withTerminal(t *testing.T) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	r.Stdin, r.Stdout, r.Stderr = slave, slave, slave
	r.stdin, r.out = master, bufio.NewReader(master)
	r.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = r.Cmd.Wait()
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-r.Process.Pid, syscall.SIGKILL)
		<-r.ended
	})
}

// send writes to r's input.
func (r *underRun) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(r.stdin, text); err != nil {
		t.Fatal(err)
	}
}

// hear reads lines until one is as wanted; it fails at one that begins with the
// same word and is another.
func (r *underRun) hear(t *testing.T, want string) {
	t.Helper()
	word, _, _ := strings.Cut(want, " ")
	for {
		switch got := r.line(t); {
		case got == want:
			return
		case strings.HasPrefix(got, word+" "):
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

// pid reads the listener's pid.
func (r *underRun) pid(t *testing.T) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimPrefix(r.line(t), "pid "))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// code waits for the exit code.
func (r *underRun) code(t *testing.T) int {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		t.Fatal("ringlog run does not end")
	}
	var exit *exec.ExitError
	if errors.As(r.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// logged is what the log has, and whether the ring is there still.
func (r *underRun) logged(t *testing.T) (lines string, ring bool) {
	t.Helper()
	b, err := os.ReadFile(r.log)
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(r.ring)
	return strings.Join(strings.Fields(string(b)), " "), err == nil
}

func TestCtrlCReachesTheCommandOnceAndRunEndsWithIt(t *testing.T) {
	t.Parallel()
	r := runRinglog(t, nil, os.Args[0])
	r.withTerminal(t)
	r.pid(t)
	const times = 5
	for n := range times {
		r.send(t, "\x03")
		r.hear(t, fmt.Sprint("interrupt ", n+1))
	}
	r.send(t, "last\n")
	r.hear(t, "accepted last")
	r.send(t, "\x04")
	r.hear(t, fmt.Sprint("interrupts ", times))
	if code := r.code(t); code != 7 {
		t.Errorf("exit code %d, want the command's, 7", code)
	}
	if lines, ring := r.logged(t); lines != "last" || ring {
		t.Errorf("logged %q; is the ring there? %v", lines, ring)
	}
}

func TestCtrlCEndsACommandThatDoesNotCatchItAndItsRecordsAreDrained(t *testing.T) {
	t.Parallel()
	r := runRinglog(t, nil, "sh", "-c", `echo one | ringlog append; echo ready; exec sleep 1000`)
	r.withTerminal(t)
	r.hear(t, "ready")
	r.send(t, "\x03")
	if code := r.code(t); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if lines, ring := r.logged(t); lines != "one" || ring {
		t.Errorf("logged %q; is the ring there? %v", lines, ring)
	}
}

func TestAnInterruptWithoutATerminalIsPassedOn(t *testing.T) {
	t.Parallel()
	r := runRinglog(t, nil, os.Args[0])
	closeInput := r.withPipe(t)
	r.pid(t)
	for n := range 3 {
		r.signal(t, syscall.SIGINT)
		r.hear(t, fmt.Sprint("interrupt ", n+1))
	}
	closeInput()
	r.hear(t, "interrupts 3")
	if code := r.code(t); code != 7 {
		t.Errorf("exit code %d, want the command's, 7", code)
	}
}

func TestAKilledRunLeavesTheCommandAliveAndTheRingToTheNextDrain(t *testing.T) {
	t.Parallel()
	r := runRinglog(t, nil, os.Args[0])
	closeInput := r.withPipe(t)
	pid := r.pid(t)
	r.send(t, "one\n")
	r.hear(t, "accepted one")
	r.kill()
	r.send(t, "two\n")
	r.hear(t, "accepted two")
	closeInput()
	r.hear(t, "interrupts 0")
	until(t, "the command's end", func() bool { s := state(pid); return s == "" || s == "Z" })
	drain := exec.Command(r.Path, "drain", "--once", "--ring", r.ring, "--out", r.log, "--format", "raw")
	if out, err := drain.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if lines, _ := r.logged(t); lines != "one two" {
		t.Errorf("logged %q", lines)
	}
}

func TestASignalEndsTheLingeringAfterTheCommand(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			// The listener is in the background, where a shell gives it no input of its own.
			r := runRinglog(t, []string{"--linger", "1h"}, "sh", "-c", `exec 3<&0; echo pid $$; "$0" <&3 & read line`, os.Args[0])
			closeInput := r.withPipe(t)
			command := r.pid(t)
			listener := r.pid(t)
			r.send(t, "end\n") // either of the two reads it
			until(t, "the command's end", func() bool {
				if state(command) != "" {
					r.send(t, "more\n")
				}
				return state(command) == ""
			})
			// Before, the signal could be the one that has ended the command.
			until(t, "the lingering", func() bool { return strings.Contains(r.said(t), "waiting up to ") })
			r.signal(t, s)
			if code := r.code(t); code != 0 {
				t.Errorf("exit code %d, want the command's, 0", code)
			}
			if _, ring := r.logged(t); !ring || !strings.Contains(r.said(t), fmt.Sprintf("worker listener (pid %d) is still attached; go on with: ringlog drain", listener)) {
				t.Errorf("the ring is there: %v; it says %q", ring, r.said(t))
			}
			closeInput()
		})
	}
}
