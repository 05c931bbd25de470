package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// Exit codes of shells for commands that did not run.
const (
	notExecutable = 126
	notFound      = 127
)

// lookUp finds the program that the command names.
func lookUp(args []string) (*exec.Cmd, error) {
	c := exec.Command(args[0], args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Again, since Command leaves it to Start to look at a path.
	switch _, err := exec.LookPath(args[0]); {
	case errors.Is(err, exec.ErrDot):
		c.Err = nil // whoever has "." in PATH wants it
	case err != nil:
		return nil, noCommand(args[0], err)
	}
	return c, nil
}

// noCommand is the error of a command that cannot be run.
func noCommand(name string, err error) error {
	code := notExecutable
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code = notFound
	}
	var named *exec.Error
	var path *fs.PathError
	switch { // each says the name in its own way
	case errors.As(err, &named):
		err = named.Err
	case errors.As(err, &path):
		err = path.Err
	}
	return cli.Exit(code, fmt.Errorf("running %s: %w", name, err))
}

// notRun is the error of a run that failed before there was a command.
func notRun(err error) error {
	switch {
	case cli.Code(err) == cli.BadUsage:
		return err // which says that nothing was done
	case cli.OutputInUse(err):
		err = fmt.Errorf("%w; put one ringlog run around all that log there, or name another --out", err)
	}
	return cli.Exit(cli.NotRun, fmt.Errorf("%w; the command was not run", err))
}

// catchSignals returns a channel of the signals that concern the command or the end
// of the run. Those that were ignored stay so, for the command as well.
func catchSignals() <-chan os.Signal {
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2,
	} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	// cli.Main ignores it, and what is ignored the command inherits; what is caught,
	// it does not, and writing to a closed pipe is still an error for us.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return signals
}

// await passes signals on to the command, which has begun, until it ends; failed is
// called if the draining ends before. The code is the run's exit code.
func (r *run) await(failed func()) (code int, err error) {
	ended := make(chan error, 1)
	go func() { ended <- cli.Guard(r.command.Wait) }()
	drained := r.draining.ended
	for {
		select {
		case s := <-r.signals:
			if ofTerminal(s) {
				break
			}
			if s == syscall.SIGHUP {
				r.draining.askReload()
			}
			err := r.command.Process.Signal(s)
			if errors.Is(err, os.ErrProcessDone) && asksToEnd(s) {
				r.linger = 0
			}
		case <-drained:
			drained = nil
			failed()
		case err := <-ended:
			return exitStatus(r.command.ProcessState), notJustExit(err)
		}
	}
}

// ofTerminal says whether s came from the keyboard, as far as that can be known: a
// terminal sends it to every process in its foreground, to the command too.
func ofTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// asksToEnd says whether s, when there is no command any more, asks the run to end.
func asksToEnd(s os.Signal) bool { return s != syscall.SIGUSR1 && s != syscall.SIGUSR2 }

// exitStatus is the exit code of a process as shells have it.
func exitStatus(p *os.ProcessState) int {
	status, ok := p.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return p.ExitCode()
	}
	// A shell is silent about these two as well.
	if s := status.Signal(); s != syscall.SIGINT && s != syscall.SIGPIPE {
		core := ""
		if status.CoreDump() {
			core = ", core dumped"
		}
		say("the command was ended by signal %d (%v%s)", int(s), s, core)
	}
	return cli.Signalled + int(status.Signal())
}

// notJustExit is err, unless it says no more than the exit code does.
func notJustExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
