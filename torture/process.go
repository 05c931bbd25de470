package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a worker or a reader.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	killed bool // set once ended: by SIGKILL, of ours or of its own, or by SIGTERM before it caught that
	code   int  // its exit code, once ended

	mu   sync.Mutex
	said []string // the last lines of its standard error
}

// launch starts a command, which is killed when the run is aborted. heard, if not nil,
// gets each line of its standard error.
func (r *run) launch(heard func(string), environment []string, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(), environment...)
	// Of its own group, so that the terminal's Ctrl-C is ours alone; and it ends with us.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stderr, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = w
	err = p.cmd.Start()
	w.Close()
	if err != nil {
		stderr.Close()
		return nil, err
	}
	cancel := context.AfterFunc(r.alive, func() { _ = p.cmd.Process.Kill() })
	r.note(p, "%s %q", strings.Join(args, " "), environment)
	go func() {
		p.follow(stderr, func(text string) {
			r.note(p, "%s", text)
			if heard != nil {
				heard(text)
			}
		})
		r.note(p, "%v", p.cmd.ProcessState)
		cancel()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) follow(stderr io.ReadCloser, heard func(string)) {
	defer stderr.Close()
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.mu.Lock()
		p.said = append(p.said[max(0, len(p.said)-40):], lines.Text())
		p.mu.Unlock()
		heard(lines.Text())
	}
	_ = p.cmd.Wait() // the state says it all
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	p.killed = status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM)
	p.code = p.cmd.ProcessState.ExitCode()
}

// note adds a line about p to the run's journal, which is what remains to be read of a
// run that went wrong.
func (r *run) note(p *process, format string, args ...any) {
	fmt.Fprintf(r.journal, "%s %d "+format+"\n", append([]any{time.Now().Format("15:04:05.000000"), p.cmd.Process.Pid}, args...)...)
}

// cleanEnvironment is ours without what steers ringlog.
func cleanEnvironment() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "RINGLOG_") {
			env = append(env, v)
		}
	}
	return env
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.said, "\n")
}

// wait waits up to d for the end.
func (p *process) wait(d time.Duration) bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(d):
		return false
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// stopped waits until all threads of the process are stopped; false if it ended, or if
// it was not stopped within d.
func (p *process) stopped(d time.Duration) bool {
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, p.pid(), &info, unix.WSTOPPED|unix.WNOHANG, nil)
		if err == nil && info.Signo == int32(syscall.SIGCHLD) {
			return true
		}
		if p.wait(time.Millisecond) {
			return false
		}
	}
	return false
}
