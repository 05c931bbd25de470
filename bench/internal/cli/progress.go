package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// progress says what is going on: on a terminal in one line that changes, else in a
// line for each part.
type progress struct {
	out      io.Writer
	terminal bool
	part     string // that was named last
}

func newProgress(out io.Writer) *progress {
	f, ok := out.(*os.File)
	if ok {
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		ok = err == nil
	}
	return &progress{out: out, terminal: ok}
}

func (p *progress) show(part string, round, of int, line string) {
	switch {
	case p.terminal:
		where := part
		if of > 0 {
			where = fmt.Sprintf("%s, round %d of %d", part, max(round, 0), of)
		}
		fmt.Fprintf(p.out, "\r%s: %s\x1b[K", where, line)
	case part != p.part:
		fmt.Fprintf(p.out, "measuring %s\n", part)
	}
	p.part = part
}

// done says how long a part took, and makes room for what is printed next.
func (p *progress) done(part string, began time.Time) {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	fmt.Fprintf(p.out, "%s: %.0f s\n", part, time.Since(began).Seconds())
}
