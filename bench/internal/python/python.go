// Package python runs the benchmark of the Python client, which is a program of its own.
package python

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ringlog/ringlog/bench/internal/repo"
)

// Options of one run of it.
type Options struct {
	Command string // the interpreter
	Rounds  int
	Smoke   bool
}

// grace is how long it may take to end in good order.
const grace = 30 * time.Second

// Run returns what it prints. Skipped is why it cannot be run here.
func Run(ctx context.Context, o Options) (printed, skipped string, err error) {
	root, err := repo.Root()
	if err != nil {
		return "", err.Error(), nil
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "ringlog")); err != nil {
		return "", "no bin/ringlog: make build", nil
	}
	if _, err := exec.LookPath(o.Command); err != nil {
		return "", fmt.Sprintf("no %s: apt-get install python3, or name one by --python", o.Command), nil
	}
	args := []string{filepath.Join(root, "bench", "python", "bench.py"), "--rounds", strconv.Itoa(o.Rounds)}
	if o.Smoke {
		args = append(args[:1], "--smoke")
	}
	c := exec.CommandContext(ctx, o.Command, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = grace
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return "", "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, said.String())
	}
	return out.String(), "", nil
}
