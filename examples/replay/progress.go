package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"
)

// progress shows how far the replay is: by a bar that is drawn again and again on
// a terminal, by a line each second elsewhere. It uses no colours.
type progress struct {
	out      io.Writer
	terminal bool
	total    int
	began    time.Time
	shown    time.Time
}

func newProgress(out io.Writer, total int) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, terminal: ok && term.IsTerminal(int(f.Fd())), total: total, began: time.Now(), shown: time.Now()}
}

// show says that n of the total are done.
func (p *progress) show(n int) {
	now := time.Now()
	every := time.Second
	if p.terminal {
		every = 100 * time.Millisecond
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	share := min(1, float64(n)/float64(p.total))
	text := fmt.Sprintf("%3.0f %%  %s of about %s lines, %s lines/s", 100*share, humanize.Comma(int64(n)), humanize.Comma(int64(p.total)),
		humanize.Comma(int64(float64(n)/now.Sub(p.began).Seconds())))
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	const width = 30
	full := int(share * width)
	fmt.Fprintf(p.out, "\r[%s%s] %s\x1b[K", strings.Repeat("#", full), strings.Repeat("-", width-full), text)
}

// say prints a line of its own.
func (p *progress) say(text string) {
	p.end()
	fmt.Fprintln(p.out, text)
}

// end clears the bar.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
