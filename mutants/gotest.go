package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// finding is how a run of tests ended.
type finding int

const (
	passed finding = iota
	failed
	hung     // no test failed within the timeout
	unbuilt  // the code does not compile
	nothing  // no test of the package has a name that fits
	abandons // interrupted
)

// observation is what one run of tests brought.
type observation struct {
	finding finding
	what    string        // the first test that failed, or what the go command said
	after   time.Duration // from the start of its build to the end of that test
}

// event is what `go test -json` and `go build -json` write, as far as it is used.
type event struct {
	Action, Test, Output string
}

// slack is how long the build before the tests, and the end after them, may take.
const slack = 3 * time.Minute

// observe runs a suite's tests in the module at root. What its processes leave
// behind, files or other processes, is for the caller to end and to remove.
func observe(parent context.Context, root string, s suite, environ []string, timeout time.Duration) (observation, error) {
	ctx, cancel := context.WithTimeout(parent, timeout+slack)
	defer cancel()
	begin := time.Now()
	c := exec.CommandContext(ctx, "go", s.arguments(timeout)...)
	c.Dir, c.Env = root, environ
	// The go command, the tests and what they start end together.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = 5 * time.Second
	var stderr strings.Builder
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return observation{}, err
	}
	if err := c.Start(); err != nil {
		return observation{}, fmt.Errorf("start the go command: %w", err)
	}
	o := observation{}
	tests := 0
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // all of them have ended
		}
		var e event
		if json.Unmarshal(line, &e) != nil {
			continue // a test's process wrote between the lines
		}
		if e.Action == "run" {
			tests++
		}
		if o.finding == passed {
			o.note(e, time.Since(begin))
		}
		if o.finding == failed && s.confined {
			cancel() // the rest can tell nothing new
		}
	}
	err = c.Wait()
	var exit *exec.ExitError
	switch {
	case errors.Is(parent.Err(), context.Canceled):
		o.finding = abandons
	case o.finding == failed:
	case o.finding == passed && ctx.Err() != nil:
		o.finding = hung
	case err == nil && o.finding == passed && tests == 0:
		o.finding, o.what = nothing, "no test fits "+s.String()
	case errors.As(err, &exit) && o.finding == passed:
		return o, fmt.Errorf("%s failed without a test that failed: %w: %s", s, err, strings.TrimSpace(stderr.String()))
	case err != nil && exit == nil:
		return o, fmt.Errorf("run %s: %w", s, err)
	}
	return o, nil
}

// note takes what e says about the outcome, if anything. Of a panic outside of a
// test's own goroutine only the output tells, and of a build that failed as well.
func (o *observation) note(e event, after time.Duration) {
	switch {
	case e.Action == "fail" && e.Test != "":
		o.finding, o.what = failed, e.Test
	case e.Action == "build-output":
		if o.what == "" && !strings.HasPrefix(e.Output, "#") {
			o.what = strings.TrimSpace(e.Output)
		}
	case e.Action == "build-fail":
		o.finding = unbuilt
	case e.Action != "output":
	case strings.HasPrefix(e.Output, "panic: test timed out"):
		o.finding = hung
	case strings.HasPrefix(e.Output, "panic: "), strings.HasPrefix(e.Output, "fatal error: "):
		o.finding, o.what = failed, strings.TrimSpace(e.Output)
		if e.Test != "" {
			o.what = e.Test
		}
	}
	o.after = after
}
