//go:build linux

package reader

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// Start is about whole processes: their environment, their signals, their end. So
// the tests start this test's binary again, as a host that does what it is told
// line by line, or as a worker.

const roleVariable = "RINGLOG_READER_ROLE"

// init, since it comes before whatever TestMain there is.
func init() {
	switch os.Getenv(roleVariable) {
	case "host":
		obey(os.Stdin)
	case "worker":
		work(os.Args[1])
	default:
		return
	}
	os.Exit(0)
}

// obey carries out the commands of a host, and answers each with one line.
func obey(commands io.Reader) {
	var handles []*Handle // the last is the one that commands are about
	var h *Handle
	signals := make(chan os.Signal, 10)
	var workers []*exec.Cmd
	text := func(err error) string {
		if err == nil {
			return "ok"
		}
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		answer := "ok"
		switch verb {
		case "start":
			var o StartOptions
			if err := json.Unmarshal([]byte(rest), &o); err != nil {
				panic(err)
			}
			again, err := Start(o)
			if answer = text(err); err == nil {
				answer = "started " + again.Ring()
				handles, h = append(handles, again), again
			}
		case "log": // as the loggers of this process do
			answer = text(writer.Default().Append(record.LevelInfo, []byte(rest)))
		case "work": // NOTE
			cmd := exec.Command(os.Args[0], rest)
			cmd.Env = append(os.Environ(), roleVariable+"=worker")
			if err := cmd.Start(); err != nil {
				panic(err)
			}
			workers = append(workers, cmd)
		case "kill": // the last worker
			cmd := workers[len(workers)-1]
			cmd.Process.Kill()
			cmd.Wait()
		case "closes": // by so many goroutines
			n, _ := strconv.Atoi(rest)
			said := make([]string, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() { said[i] = text(h.Close()) })
			}
			wg.Wait()
			answer = strings.Join(said, "|")
			if n := len(handles); n > 1 {
				handles, h = handles[:n-1], handles[n-2]
			}
		case "stats":
			b, _ := json.Marshal(h.Stats())
			answer = string(b)
		case "done":
			<-h.Done()
			answer = text(h.Err())
		case "env":
			answer = os.Getenv(writer.RingVariable)
		case "setenv":
			os.Setenv(writer.RingVariable, rest)
		case "catch": // signals, as a program that handles them itself
			signal.Notify(signals, syscall.SIGTERM)
		case "caught":
			answer = (<-signals).String()
		default:
			panic(verb)
		}
		fmt.Println(answer)
	}
}

// work appends 1, 2, 3 … until it is killed, and notes each number in a file once
// it was accepted.
func work(note string) {
	f, err := os.OpenFile(note, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	w, err := writer.Open("", writer.Options{Label: filepath.Base(note), Timeout: time.Minute})
	if err != nil {
		panic(err)
	}
	var b [8]byte
	for n := uint64(1); ; n++ {
		if err := w.Append(record.LevelInfo, fmt.Appendf(nil, "%s %d", filepath.Base(note), n)); err != nil {
			panic(err)
		}
		binary.LittleEndian.PutUint64(b[:], n)
		if _, err := f.WriteAt(b[:], 0); err != nil {
			panic(err)
		}
	}
}

// host is a process that obeys.
type host struct {
	*exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	errors journal
	ended  chan struct{}
	status syscall.WaitStatus // once ended is closed
}

// startHost starts a host, in a process group of its own, without a ring in its
// environment but for env.
func startHost(t *testing.T, env ...string) *host {
	t.Helper()
	return startHostBy(t, exec.Command(os.Args[0]), env...)
}

// startHostBy starts a host by a command that becomes this test's binary.
func startHostBy(t *testing.T, cmd *exec.Cmd, env ...string) *host {
	t.Helper()
	h := &host{Cmd: cmd, ended: make(chan struct{})}
	h.Env = append(os.Environ(), writer.RingVariable+"=", roleVariable+"=host")
	h.Env = append(h.Env, env...)
	h.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	h.Stderr = struct{ io.Writer }{&h.errors} // not the journal's ReadFrom, which takes no lock
	var err error
	if h.in, err = h.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe() // Wait would close that of StdoutPipe
	if err != nil {
		t.Fatal(err)
	}
	h.Stdout, h.out = w, bufio.NewScanner(r)
	err = h.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = h.Wait()
		h.status, _ = h.ProcessState.Sys().(syscall.WaitStatus)
		close(h.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-h.Process.Pid, syscall.SIGKILL)
		<-h.ended
		r.Close()
		if t.Failed() {
			t.Logf("the host said: %s", h.errors.String())
		}
	})
	return h
}

// tell sends a command without waiting for the answer.
func (h *host) tell(t *testing.T, command string) {
	t.Helper()
	if _, err := io.WriteString(h.in, command+"\n"); err != nil {
		t.Fatal(err)
	}
}

// do sends a command and returns the answer.
func (h *host) do(t *testing.T, command string) string {
	t.Helper()
	h.tell(t, command)
	if !h.out.Scan() {
		t.Fatalf("no answer to %s: %s", command, h.errors.String())
	}
	return h.out.Text()
}

// want does a command whose answer is known.
func (h *host) want(t *testing.T, command, answer string) {
	t.Helper()
	if got := h.do(t, command); got != answer {
		t.Fatalf("%s: %q, want %q", command, got, answer)
	}
}

// begin tells the host to Start, for the first time, and returns the ring.
func (h *host) begin(t *testing.T, o StartOptions) string {
	t.Helper()
	ring, ok := strings.CutPrefix(h.do(t, "start "+encode(t, o)), "started ")
	if !ok {
		t.Fatalf("not started: %s", ring)
	}
	t.Cleanup(func() { os.Remove(ring) })
	return ring
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stats are those of the host's Handle.
func (h *host) stats(t *testing.T) (s Stats) {
	t.Helper()
	if err := json.Unmarshal([]byte(h.do(t, "stats")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// noted is the last number that a worker noted.
func noted(t *testing.T, note string) uint64 {
	t.Helper()
	b, err := os.ReadFile(note)
	if err != nil || len(b) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

// checkNumbers fails unless out holds 1, 2, 3 … of the worker once and in order, to
// what it noted, or the one that it was killed over.
func checkNumbers(t *testing.T, out, note string) {
	t.Helper()
	last := uint64(0)
	for line := range strings.Lines(readFile(t, out)) {
		number, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), filepath.Base(note)+" ")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || n != last+1 {
			t.Fatalf("%s: %q after %d", filepath.Base(note), line, last)
		}
		last = n
	}
	if n := noted(t, note); last != n && last != n+1 {
		t.Errorf("%s: %d in the file, %d accepted", filepath.Base(note), last, n)
	}
}
