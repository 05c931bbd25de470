package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringlog/ringlog/ring"
)

// child is a command under test with its input held open.
type child struct {
	*exec.Cmd
	t      *testing.T
	ring   string
	stdin  io.WriteCloser
	stderr bytes.Buffer
}

// start starts a shell command line in which $RINGLOG_RING is a small ring.
func start(t *testing.T, line string) *child {
	t.Helper()
	dir := t.TempDir()
	c := &child{Cmd: exec.Command("sh", "-c", line), t: t, ring: filepath.Join(dir, "r.ring")}
	if err := ring.Create(c.ring, ring.CreateOptions{Lanes: 4, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	c.Dir, c.Env, c.Stderr = dir, append(c.Environ(), "RINGLOG_RING="+c.ring), &c.stderr
	var err error
	if c.stdin, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	return c
}

// write gives the child text, which it reads at once if it has at most 4 KiB.
func (c *child) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.stdin, text); err != nil {
		c.t.Fatal(err)
	}
}

// lines are the messages in the ring.
func (c *child) lines() []string {
	c.t.Helper()
	out, err := exec.Command("ringdump", "--format", "raw", c.ring).Output()
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// until waits until the condition holds.
func (c *child) until(what string, holds func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); {
		if time.Now().After(deadline) {
			c.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// untilIn waits until message is in the ring.
func (c *child) untilIn(message string) {
	c.t.Helper()
	c.until(message+" is in the ring", func() bool {
		l := c.lines()
		return len(l) > 0 && l[len(l)-1] == message
	})
}

func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// code is the exit code; s is sent again and again until there is one, since
// equal signals that are sent in a row may arrive as one.
func (c *child) code(s syscall.Signal) int {
	done := make(chan int, 1)
	go func() {
		err := c.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			done <- exit.ExitCode()
			return
		}
		done <- 0
	}()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case code := <-done:
			return code
		case <-again.C:
			if s != 0 {
				c.Process.Signal(s) // it may have ended by now
			}
		}
	}
}

func TestAppendReadsOnAfterTheFirstInterrupt(t *testing.T) {
	t.Parallel()
	c := start(t, "exec ringlog append")
	c.write("one\n")
	c.untilIn("one")
	c.signal(syscall.SIGINT)
	c.write("two\n")
	c.untilIn("two")
	c.write("three\n")
	c.stdin.Close()
	if code := c.code(0); code != 0 || c.stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", code, &c.stderr)
	}
	if got := strings.Join(c.lines(), " "); got != "one two three" {
		t.Errorf("in the ring: %s", got)
	}
}

func TestAppendCountsAHalfLineWhenTheSecondInterruptEndsIt(t *testing.T) {
	t.Parallel()
	c := start(t, "exec ringlog append")
	c.write("one\ntwo\nhal")
	c.untilIn("two")
	if code := c.code(syscall.SIGINT); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if got, want := c.stderr.String(), "ringlog: not in the ring: 1 of 3 lines read, for which the end came too soon\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := strings.Join(c.lines(), " "); got != "one two" {
		t.Errorf("in the ring: %s", got)
	}
}

func TestAppendFinishesTheLinesThatItReadWhenAskedToEnd(t *testing.T) {
	t.Parallel()
	for s, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c := start(t, "exec ringlog append")
			c.write(strings.Repeat("x\n", 1000))
			c.until("a line is in the ring", func() bool { return len(c.lines()) > 0 })
			c.signal(s)
			if code := c.code(0); code != want || c.stderr.Len() > 0 {
				t.Errorf("exit code %d, want %d, %s", code, want, &c.stderr)
			}
			if n := len(c.lines()); n != 1000 {
				t.Errorf("%d lines in the ring, want 1000", n)
			}
		})
	}
}

func TestAppendSaysHowManyLinesFoundNoRoomWhenItWasEnded(t *testing.T) {
	t.Parallel()
	c := start(t, "exec ringlog append --timeout 1h")
	const given = 2048 // of 40 bytes each in the ring: more than the lane holds
	c.write(strings.Repeat("x\n", given))
	c.until("a line is in the ring", func() bool { return len(c.lines()) > 0 })
	if code := c.code(syscall.SIGTERM); code != 143 {
		t.Errorf("exit code %d, want 143", code)
	}
	in := len(c.lines())
	want := fmt.Sprintf("ringlog: not in the ring: %d of %d lines read, for which the end came too soon\n", given-in, given)
	if got := c.stderr.String(); got != want || in == 0 || in == given {
		t.Errorf("%d in the ring, and it says %q, want %q", in, got, want)
	}
}

func TestAppendLeavesIgnoredSignalsIgnored(t *testing.T) {
	t.Parallel()
	c := start(t, `trap "" INT HUP; exec ringlog append`)
	c.write("one\n")
	c.untilIn("one")
	for range 3 {
		c.signal(syscall.SIGHUP)
		c.signal(syscall.SIGINT)
	}
	c.write("two\n")
	c.untilIn("two")
	c.stdin.Close()
	if code := c.code(0); code != 0 {
		t.Errorf("exit code %d, %s", code, &c.stderr)
	}
}

// appendLine has another process append a line, and waits until it is drained.
func (c *child) appendLine(text string) {
	c.t.Helper()
	cmd := exec.Command("ringlog", "append", "--ring", c.ring)
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	c.until(text+" is drained", func() bool { return len(c.lines()) == 0 })
}

func TestDrainGoesOnWhenNobodyReadsItsMessages(t *testing.T) {
	t.Parallel()
	for name, stderr := range map[string]string{"a pipe without a reader": "2>&1 >/dev/null | sleep 0", "closed": "2>&-"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// It has something to say before it drains: of the half line.
			c := start(t, "printf half >x.log; { read go; ringlog drain --until-detached --out x.log; echo $? >code; } <&0 "+stderr+"; wait")
			c.write("go\n")
			c.appendLine("one")
			if code := c.code(0); code != 0 {
				t.Errorf("the shell ended with %d", code)
			}
			if code, err := os.ReadFile(filepath.Join(c.Dir, "code")); err != nil || string(code) != "0\n" {
				t.Errorf("drain ended with %q, %v", code, err)
			}
		})
	}
}

func TestDrainLeavesIgnoredSignalsIgnored(t *testing.T) {
	t.Parallel()
	c := start(t, `trap "" INT HUP; exec ringlog drain --out x.log`)
	c.appendLine("one")
	for _, text := range []string{"two", "three"} {
		c.signal(syscall.SIGHUP)
		c.signal(syscall.SIGINT)
		c.appendLine(text) // a drain that ends takes no line that comes later
	}
	c.signal(syscall.SIGTERM)
	if code := c.code(0); code != 0 || !strings.Contains(c.stderr.String(), "3 records of ") {
		t.Errorf("exit code %d, %s", code, &c.stderr)
	}
}
