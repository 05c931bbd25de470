package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/reader"
)

// outcome is what came of draining a ring.
type outcome struct {
	reader.Stats
	unmarked  uint64 // records lost of which no log says so yet
	undrained uint64 // bytes
}

// outcomeOf adds to a reader's counts what is left in the ring at path, if that is
// still there: what was lost behind the last drained record only the ring knows.
func outcomeOf(s reader.Stats, path string) outcome {
	r, err := status.Read(path)
	if err != nil {
		return outcome{Stats: s}
	}
	return outcome{s, r.Unmarked(), r.Undrained()}
}

func (o *outcome) lost() uint64 { return o.Lost + o.unmarked }

// flawless says that all that workers logged is in the outputs, and none of them died.
func (o *outcome) flawless() bool {
	return o.lost()+o.Vanished+o.Torn+o.Damaged+o.Unrouted+o.undrained+o.Retries == 0
}

// left is what has not come to any output, if there is such: ", 2 taken by no
// output, 1.2 MiB not drained".
func (o *outcome) left() (text string) {
	if o.Unrouted > 0 {
		text += fmt.Sprintf(", %s taken by no output", comma(o.Unrouted))
	}
	if o.undrained > 0 {
		text += fmt.Sprintf(", %s not drained", humanize.IBytes(o.undrained))
	}
	return text
}

// files is what happened to the outputs: "2 rotations, 1 output moved by others, 3
// failed attempts".
func (o *outcome) files() (texts []string) {
	if o.Rotations > 0 {
		texts = append(texts, counted(o.Rotations, "rotation"))
	}
	if o.Removed > 0 {
		texts = append(texts, counted(o.Removed, "rotated file")+" removed")
	}
	if o.Moved > 0 {
		texts = append(texts, counted(o.Moved, "output")+" moved by others")
	}
	if o.Retries > 0 {
		texts = append(texts, counted(o.Retries, "failed attempt"))
	}
	return texts
}

// drainSummary is the one line that a drain ends with.
func drainSummary(path string, o outcome, took time.Duration) string {
	files := o.files()
	if o.Rotations == 0 {
		files = append([]string{counted(0, "rotation")}, files...)
	}
	return fmt.Sprintf("%s: %s of %s in %v (%s), %s vanished, %s lost, %s torn, %s damaged%s, %s",
		cli.Clean(path), counted(o.Records, "record"), counted(o.Workers, "worker"), took.Round(time.Millisecond), rate(o.Records, took),
		comma(o.Vanished), comma(o.lost()), comma(o.Torn), comma(o.Damaged), o.left(), strings.Join(files, ", "))
}

func rate(n uint64, took time.Duration) string {
	return humanize.Comma(int64(float64(n)/max(took.Seconds(), 1e-6))) + " records/s"
}

// runSummary says what was drained in the given time, and where it is.
func runSummary(o outcome, took time.Duration, outs []reader.Output) string {
	noun, names := "file", make([]string, len(outs))
	for i, out := range outs {
		names[i] = cli.Clean(out.Path)
		if out.Path == "-" {
			noun, names[i] = "output", "standard output"
		}
	}
	line := fmt.Sprintf("%s of %s in %v, %s vanished, %s lost, %s%s, in %s: %s",
		counted(o.Records, "record"), counted(o.Workers, "worker"), took.Round(time.Millisecond),
		comma(o.Vanished), comma(o.lost()), counted(o.Torn+o.Damaged, "gap"), o.left(), counted(uint64(len(outs)), noun), strings.Join(names, ", "))
	if files := o.files(); len(files) > 0 {
		line += " (" + strings.Join(files, ", ") + ")"
	}
	return line
}

func comma(n uint64) string { return humanize.Comma(int64(n)) }

// counted is n with a noun, for people: "12,345 records".
func counted(n uint64, noun string) string {
	_, noun, _ = strings.Cut(cli.Count(n, noun), " ")
	return comma(n) + " " + noun
}
