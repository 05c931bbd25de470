package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// role returns the work of a process that this program started from itself.
func role(args []string) (task func() error, ok bool) {
	if len(args) != 2 {
		return nil, false
	}
	switch args[1] {
	case "worker":
		return func() error { return work(os.Stdin, os.Stdout) }, true
	case "reader":
		return func() error { return read(os.Stdin) }, true
	}
	return nil, false
}

// process is one that was started, a worker or a reader, with JSON lines going in
// and coming out.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	tell *json.Encoder // writes to in
	hear *json.Decoder
}

// start starts this program again in a role and tells it its job. The ring is in the
// environment. The process ends when its standard input does, and so with us, however
// we end.
func start(role, name string, job any) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &process{name: name, cmd: exec.Command(exe, role)}
	p.cmd.Stderr = os.Stderr
	// Ctrl-C, a terminal that hangs up and timeout(1) signal a whole process group. Its
	// own keeps this process out of that: it is for us to end it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err1 := p.cmd.StdinPipe()
	out, err2 := p.cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.in, p.tell, p.hear = in, json.NewEncoder(in), json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := p.tell.Encode(job); err != nil {
		return nil, errors.Join(fmt.Errorf("telling %s its job: %w", name, err), p.kill())
	}
	return p, nil
}

// kill sends SIGKILL, which no process can answer. It does nothing to one that has
// ended.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	return nil
}

// wait waits for the end of the process, once all that it wrote was read. To have
// been killed by a signal is no error: it was ours, or the kernel's, which so ends
// processes that take too much memory.
func (p *process) wait() (killed bool, err error) {
	if err = p.cmd.Wait(); err == nil {
		return false, nil
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return true, nil
		}
	}
	return false, fmt.Errorf("%s: %w", p.name, err)
}
