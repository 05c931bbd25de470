package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// program is walkforward as a process that has begun its first run, with a folder
// for temporary files and a name for its ring that no other process has.
type program struct {
	cmd    *exec.Cmd
	out    *os.File // end of a pipe, from which the first line was read
	said   strings.Builder
	temp   string
	inside string // rings in memory; a pattern
}

func begin(t *testing.T) *program {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	name := fmt.Sprintf("%s-%d", strings.ReplaceAll(t.Name(), "/", "-"), os.Getpid())
	p := &program{cmd: exec.Command(exe), out: out, temp: t.TempDir(), inside: filepath.Join(ring.DefaultDir(), name+"*")}
	p.cmd.Args = []string{name, "program", "--workers", "3"}
	p.cmd.Env = append(os.Environ(), "TMPDIR="+p.temp, writer.RingVariable+"=") // the ring is another test's
	p.cmd.Stdout, p.cmd.Stderr = in, &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := errors.Join(p.cmd.Start(), in.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return p
}

// left waits for the end and returns the exit code and the folder that is left.
func (p *program) left(t *testing.T) (code int, folder string) {
	t.Helper()
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() < 0 {
		t.Errorf("it ended with %v: want an exit code", err)
	}
	rings, err := filepath.Glob(p.inside)
	if err != nil || len(rings) > 0 {
		t.Errorf("left in memory: %q, %v", rings, err)
	}
	folders, err := filepath.Glob(filepath.Join(p.temp, "*"))
	if err != nil || len(folders) > 1 {
		t.Errorf("left: %q, %v", folders, err)
	}
	return p.cmd.ProcessState.ExitCode(), strings.Join(folders, "")
}

func TestASignalToTheGroupEndsTheRunAndTheFolderIsNamed(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := begin(t)
			for range 2 { // as timeout(1) does
				if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
					t.Fatal(err)
				}
			}
			code, folder := p.left(t)
			want := fmt.Sprintf("stopped by a signal (%v)\nWhat there is lies in %s; to remove it: rm -r %s\n", s, folder, folder)
			if said := p.said.String(); code != 128+int(s) || folder == "" || !strings.HasSuffix(said, want) || strings.Count(said, "stopped") != 1 {
				t.Errorf("exit code %d; said:\n%s\nwant %d, and an end of\n%s", code, said, 128+int(s), want)
			}
		})
	}
}

func TestNothingIsLeftWhenNobodyReadsTheOutput(t *testing.T) {
	t.Parallel()
	p := begin(t)
	p.out.Close()
	if code, folder := p.left(t); code != 141 || folder != "" || strings.Contains(p.said.String(), "walkforward:") {
		t.Errorf("exit code %d, left %q, said %q: want 141, and no more than the reader says", code, folder, &p.said)
	}
}

func TestAnOutputThatFailsEndsTheRunAndSaysWhy(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	ctx, out := newOutlet(t.Context(), full)
	fmt.Fprintln(out, "a line")
	if _, err := fmt.Fprintln(out, "another"); !errors.Is(err, syscall.ENOSPC) || ctx.Err() == nil || exitCode(err) != 1 {
		t.Errorf("%v; the run goes on: %v", err, ctx.Err() == nil)
	}
}

func TestExitCodesAreThoseOfAShell(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		1:   errBroken,
		2:   fmt.Errorf("flag: %w", errUsage),
		129: fmt.Errorf("first run: %w", errors.Join(stopped{syscall.SIGHUP}, errBroken)),
		130: stopped{syscall.SIGINT},
		141: stopped{syscall.SIGPIPE},
		143: stopped{syscall.SIGTERM},
	} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
	if exitCode(nil) != 0 || exitCode(flag.ErrHelp) != 0 {
		t.Error("neither nothing nor help is a failure")
	}
}
