package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// messages gets what this process has to say, but for the error that it ends with.
var messages = cli.NewLog(os.Stderr)

// newLog is a logger for messages in one of the formats of configuration files.
func newLog(name string) (*slog.Logger, error) {
	if name == "" || name == "plain" {
		return cli.NewLog(os.Stderr), nil
	}
	f, err := format.New(format.Options{Name: name})
	if err != nil {
		return nil, err
	}
	return cli.NewFormattedLog(os.Stderr, f), nil
}

// say writes a line to standard error.
func say(format string, args ...any) { messages.Info(fmt.Sprintf(format, args...)) }

// report says what came of the run, and what it leaves behind.
func (r *run) report(outs []reader.Output, abandoned bool) {
	stats := r.draining.reader.Stats()
	if r.capture == nil && stats.Records == 0 && r.view.attachments() == 0 {
		say("no process attached, so nothing was logged: the command must append to the ring that RINGLOG_RING names (package writer, or ringlog append); --capture takes what it prints")
	} else {
		say("%s", runSummary(outcomeOf(stats, r.view.Path()), time.Since(r.began), outs))
	}
	if why := r.whyRingStays(abandoned); why != "" {
		until := "--once"
		if r.view.attached() {
			until = "--until-detached"
		}
		sayRingStays(r.view.Path(), why, until, r.resume)
	}
	sayLeftOver(r.view.Path())
}

// sayRingStays says why the ring at path was not removed, and how to go on: with a
// drain that ends as the flags in until say, and has the same outputs, by resume.
func sayRingStays(path, why, until string, resume []string) {
	words := append([]string{"ringlog", "drain", until, "--ring", cli.Quote(path)}, resume...)
	say("the ring stays: %s; go on with: %s", cli.Clean(why), strings.Join(words, " "))
}

// whyRingStays is empty if the ring is removed, or was to stay and holds nothing.
func (r *run) whyRingStays(abandoned bool) string {
	switch {
	case abandoned:
		// The draining goes on meanwhile, and may have come to its end.
		if _, err := os.Lstat(r.view.Path()); errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		return "it was not drained to its end"
	case errors.Is(r.draining.err, ring.ErrTruncated):
		return "" // and nothing can be done with it any more
	case r.draining.err != nil:
		return "what could not be drained is in it"
	case !r.made && r.view.attached():
		return "a worker is still attached"
	}
	return r.draining.why
}

// sayLeftOver mentions rings, other than the one at own, that nobody uses any more.
func sayLeftOver(own string) {
	list, err := status.List(ring.DefaultDir())
	if err != nil {
		return // ringlog ls says so to those who want to know
	}
	var idle, undrained uint64
	for _, i := range list {
		switch {
		case i.Path == own:
		case i.State == "undrained":
			idle++
			undrained++
		case i.State == "left over":
			idle++
		}
	}
	if idle > 0 {
		say("left over from earlier runs: %s, %d not drained; ringlog ls says what to do", counted(idle, "ring"), undrained)
	}
}
