package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/ringlog/ringlog/bench/peer"
)

// program is a worker's program, which is compiled when it is first started.
type program struct {
	name     string // of the program itself
	sources  fs.FS
	file     string // of sources
	compiler string
	flags    []string
	library  string // as pkg-config names it
	install  string // the command that installs all of this

	mu sync.Mutex
	// binary is open and has no name, since nobody is told when the last session of
	// a peer has ended: it is gone when this process is.
	binary *os.File
}

// command is one that runs the program until ctx ends. It may be called concurrently.
func (p *program) command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	binary, err := p.compiled(ctx)
	if err != nil {
		return nil, err
	}
	// The first of the extra files is number 3 in the new process.
	c := exec.CommandContext(ctx, "/proc/self/fd/3", args...)
	c.Args[0] = p.name
	c.ExtraFiles = []*os.File{binary}
	return c, nil
}

// compiled returns the program, and a *peer.Missing error where something that it is
// made of is not installed. Other failures are not remembered.
func (p *program) compiled(ctx context.Context) (_ *os.File, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.binary != nil {
		return p.binary, nil
	}
	for _, tool := range []string{p.compiler, "pkg-config"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, &peer.Missing{What: tool, Install: p.install}
		}
	}
	flags, err := exec.CommandContext(ctx, "pkg-config", "--cflags", "--libs", p.library).Output()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &peer.Missing{What: p.library, Install: p.install}
	}
	dir, err := os.MkdirTemp("", "ringlog-bench-"+p.name+"-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(filepath.Join(dir, "src"), p.sources); err != nil {
		return nil, err
	}
	out := filepath.Join(dir, p.name)
	args := append([]string{"-O2", "-o", out, filepath.Join(dir, "src", p.file), "-I", filepath.Join(dir, "src")}, p.flags...)
	// Libraries come after what uses them, or the linker forgets them.
	c := exec.CommandContext(ctx, p.compiler, append(args, strings.Fields(string(flags))...)...)
	c.Env = append(os.Environ(), "LC_ALL=C") // absent reads English
	if said, err := c.CombinedOutput(); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if what := absent(string(said)); err != nil && what != "" {
		return nil, &peer.Missing{What: what, Install: p.install}
	} else if err != nil {
		return nil, fmt.Errorf("compile %s with %s: %w\n%s", p.file, p.compiler, err, said)
	}
	p.binary, err = os.Open(out)
	return p.binary, err
}

// version is name with the version of the library, which is left out where that is not
// installed.
func (p *program) version(name string) string {
	v, err := exec.Command("pkg-config", "--modversion", p.library).Output()
	if err != nil {
		return name
	}
	return name + " " + strings.TrimSpace(string(v))
}

// absent is what a compiler or linker says that it does not find: pkg-config knows
// only of the library itself, and a C compiler can be installed without C's headers.
func absent(said string) string {
	m := regexp.MustCompile(`fatal error: ([^:\n]+): No such file|cannot find (-l[^:\s]+)`).FindStringSubmatch(said)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}
