package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

// Exit codes of all commands.
const (
	OK         = 0
	Failed     = 1   // something else failed
	BadUsage   = 2   // a flag or an argument; nothing was done
	NotRing    = 3   // no usable ring: none there, another file, another version, damaged header, truncated
	Refused    = 4   // the ring or an output is in use, full or not ours
	Lost       = 5   // records were lost
	Damaged    = 6   // damage was found; what is whole came out
	Broken     = 70  // a mistake in the program
	NotRun     = 125 // of ringlog run: something failed before the command was started
	ClosedPipe = 141 // who read our standard output has gone; as a program killed by SIGPIPE ends
	Signalled  = 128 // plus the signal's number
)

const exitCodes = `
Exit codes:
  0    ok
  1    something failed
  2    usage: a flag or an argument is wrong; nothing was done
  3    not a usable ring: none, another file, another version, truncated, damaged header
  4    refused: ring or output in use, no permission, no lane free, no space, ring exists
  5    records were lost
  6    damage was found; whole records came out
  70   a mistake in the program
  125  ringlog run: something failed before the command was started
  126  ringlog run: the command cannot be executed
  127  ringlog run: there is no such command
  128+ ended by that signal (130 SIGINT, 141 closed pipe, 143 SIGTERM)
`

// exit is an error with an exit code of its own.
type exit struct {
	code int
	err  error // nil: there is nothing to say
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// Exit gives err an exit code. A nil err ends the program without a message.
func Exit(code int, err error) error { return &exit{code, err} }

// Exitf is Exit with a message.
func Exitf(code int, format string, args ...any) error {
	return Exit(code, fmt.Errorf(format, args...))
}

var errUsage = errors.New("usage")

// usage marks an error as one of usage without changing its text.
type usage struct{ error }

func (u usage) Is(target error) bool { return target == errUsage }
func (u usage) Unwrap() error        { return u.error }

// Usage says that err is about a flag or an argument.
func Usage(err error) error { return usage{err} }

// Usagef is Usage with a message.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// Code is the exit code for err.
func Code(err error) int {
	var e *exit
	var damage *ring.DamageError
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return OK
	case errors.As(err, &e):
		return e.code
	case is(syscall.EPIPE):
		return ClosedPipe
	case is(errUsage, ring.ErrInvalid):
		return BadUsage
	case is(ring.ErrNotRing, ring.ErrVersion, ring.ErrUnsupported, ring.ErrTruncated), errors.As(err, &damage):
		return NotRing
	case is(ring.ErrReaderRunning, ring.ErrNoFreeLane, ring.ErrRetired, ring.ErrNoSpace, ring.ErrNetworkFS, ring.ErrExists,
		logfile.ErrLocked, logfile.ErrRaced, syscall.ENOSPC, syscall.EDQUOT, fs.ErrPermission):
		return Refused
	}
	return Failed
}

// OutputInUse says whether err is that another process has an output.
func OutputInUse(err error) bool { return errors.Is(err, logfile.ErrLocked) }

// Opening marks an error of opening a ring: what does not exist is the ring then,
// where elsewhere it may be any file.
func Opening(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return Exit(NotRing, err)
	}
	return err
}
