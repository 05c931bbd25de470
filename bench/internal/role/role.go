// Package role lets this program be other processes as well: a worker, a reader, a
// collector. What a process is to be is in its environment.
package role

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// variable has a role's name, a space, and its settings as JSON.
const variable = "RINGLOG_BENCH_ROLE"

// Role is one thing that this program can be.
type Role struct {
	Name string
	// Serve does what it is told on in, until there is no more. Settings are as they
	// were given to Command.
	Serve func(settings []byte, in io.Reader, out io.Writer) error
}

// Command is this program in a role; another build of it where program is not empty.
// It is killed when ctx ends.
func Command(ctx context.Context, program, name string, settings any) (*exec.Cmd, error) {
	b, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	c := exec.CommandContext(ctx, program)
	c.Env = append(os.Environ(), variable+"="+name+" "+string(b))
	c.Stderr = os.Stderr
	return c, nil
}

// Main does not return if this process has a role. It is the first thing a program
// does, and a test's TestMain.
func Main(all ...Role) {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	if err := serve(value, all); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(value string, all []Role) error {
	for _, r := range all {
		if len(value) > len(r.Name) && value[:len(r.Name)] == r.Name && value[len(r.Name)] == ' ' {
			return r.Serve([]byte(value[len(r.Name)+1:]), os.Stdin, os.Stdout)
		}
	}
	return fmt.Errorf("%s=%s: there is no such role", variable, value)
}
