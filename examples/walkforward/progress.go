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

// progress shows how far the study is: by a bar that is drawn again and again on a
// terminal, by a line each second elsewhere. It uses no colours.
type progress struct {
	out     io.Writer
	redraws bool
	every   time.Duration
	began   time.Time
	shown   time.Time
}

func newProgress(out io.Writer, redraws bool) *progress {
	p := &progress{out: out, redraws: redraws, every: time.Second, began: time.Now()}
	p.shown = p.began
	if redraws {
		p.every = 100 * time.Millisecond
	}
	return p
}

// redraws says that out is a terminal of a kind, as TERM names it, that can draw over
// what it shows.
func redraws(out io.Writer, kind string) bool {
	f, ok := out.(*os.File)
	return ok && kind != "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))
}

// show says that so many trials of a total are done. records is asked for the number
// of records only when there is something to draw.
func (p *progress) show(done, total int, records func() int) {
	now := time.Now()
	if now.Sub(p.shown) < p.every {
		return
	}
	p.shown = now
	share, rate := float64(done)/float64(total), float64(records())/now.Sub(p.began).Seconds()
	// With its bar no longer than the 80 columns of a narrow terminal.
	text := fmt.Sprintf("%3.0f %%  %s of %s trials, %s records/s", 100*share,
		humanize.Comma(int64(done)), humanize.Comma(int64(total)), humanize.Comma(int64(rate)))
	if !p.redraws {
		fmt.Fprintln(p.out, text)
		return
	}
	const width = 25
	full := int(share * width)
	fmt.Fprintf(p.out, "\r[%s%s] %s\x1b[K", strings.Repeat("#", full), strings.Repeat("-", width-full), text)
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	p.end()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// end clears the bar.
func (p *progress) end() {
	if p.redraws {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
