package reader

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/pathtemplate"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/selector"
)

// Paths of outputs that are not files.
const (
	stdoutPath = "-"
	stderrPath = "stderr"
)

const (
	// MaxOpen is the largest Options.MaxOpenFiles. Each takes two descriptors.
	MaxOpen     = 1024
	defaultOpen = 256

	// maxOutputs is how many outputs a reader has at most, and how many files one batch
	// writes to.
	maxOutputs = 64
)

// rule is what an Output says, in a form that records can be held against.
type rule struct {
	selector selector.Selector
	lowest   record.Level
	format   format.Formatter
	template *pathtemplate.Template // nil: the path has no fields
	path     string                 // the path, if it has no fields
	markers  bool                   // the reader's own lines go here, too
}

func newRule(o *Output, loc *time.Location) (rule, error) {
	u := rule{selector: selector.Selector{Loggers: o.Loggers, Attrs: o.Attrs}, lowest: math.MinInt16}
	if o.Level != nil {
		u.lowest, _ = record.FromSlog(o.Level.Level())
		if exact, ok := o.Level.(record.Level); ok { // as Python's levels may need
			u.lowest = exact
		}
	}
	lines := o.Format
	if lines.Location == nil {
		lines.Location = loc
	}
	var err error
	if u.format, err = format.New(lines); err != nil {
		return rule{}, err
	}
	if err := u.parsePath(o.Path); err != nil {
		return rule{}, err
	}
	// Raw outputs hold the workers' bytes and nothing else; and of what a trial's file
	// does not get, only some concerns it.
	u.markers = u.template == nil && u.selector.Empty() && u.lowest <= record.LevelWarning && lines.Name != "raw"
	return u, nil
}

func (u *rule) parsePath(text string) error {
	t, err := pathtemplate.Parse(text)
	if err != nil {
		return err
	}
	if path, ok := t.Fixed(); ok {
		u.path = path
		return nil
	}
	if !filepath.IsAbs(text) {
		// The files are opened when records come, wherever the process is then.
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		// The folder's own braces are no fields.
		dir = strings.NewReplacer("{", "{{", "}", "}}").Replace(dir)
		if t, err = pathtemplate.Parse(filepath.Join(dir, text)); err != nil {
			return err
		}
	}
	u.template = &t
	return nil
}

// wants says whether l's record belongs to the output, as far as its path does not say.
func (u *rule) wants(l *format.Line) bool { return l.Level >= u.lowest && u.selector.Wants(&l.Record) }

// Check says what is wrong with o as far as can be known without a ring and without
// touching a file: the first fault, with the number and the path of the output.
func (o *Options) Check() error {
	_, err := o.rules()
	return err
}

// rules are those of o's outputs.
func (o *Options) rules() ([]rule, error) {
	switch {
	case len(o.Outputs) == 0 || len(o.Outputs) > maxOutputs:
		return nil, fmt.Errorf("reader: %d outputs; a reader has 1 to %d", len(o.Outputs), maxOutputs)
	case o.Sync < SyncNone || o.Sync > SyncBatch || o.SyncEvery < 0:
		return nil, fmt.Errorf("reader: sync policy %v every %v; want none, interval or batch, and no time below zero", o.Sync, o.SyncEvery)
	case o.MaxOpenFiles < 0 || o.MaxOpenFiles > MaxOpen:
		return nil, fmt.Errorf("reader: %d open files; want 1 to %d, or 0 for %d", o.MaxOpenFiles, MaxOpen, defaultOpen)
	}
	rules := make([]rule, len(o.Outputs))
	templates := 0
	for i := range o.Outputs {
		out := &o.Outputs[i]
		if out.Path == "" {
			return nil, fmt.Errorf("reader: output %d of %d has no path; name a file, %q for standard output, or %q for standard error", i+1, len(o.Outputs), stdoutPath, stderrPath)
		}
		u, err := newRule(out, o.Location)
		if err == nil {
			err = out.checkRotation(&u)
		}
		if err != nil {
			return nil, fmt.Errorf("reader: output %d of %d (%s): %w", i+1, len(o.Outputs), out.Path, err)
		}
		if rules[i] = u; u.template != nil {
			templates++
		}
	}
	if templates > o.maxOpenFiles() {
		return nil, fmt.Errorf("reader: %d outputs whose paths have fields, and %d files that may be open; a record may go to all of them at once, so allow as many", templates, o.maxOpenFiles())
	}
	return rules, nil
}

func (o *Options) maxOpenFiles() int { return cmp.Or(o.MaxOpenFiles, defaultOpen) }

// setDefaults puts the defaults in the place of zero values.
func (o *Options) setDefaults() {
	o.Grace = cmp.Or(o.Grace, time.Millisecond)
	o.SyncEvery = cmp.Or(o.SyncEvery, time.Second)
	o.MaxOpenFiles = o.maxOpenFiles()
	if o.Location == nil {
		o.Location = time.Local
	}
}

func (o *Output) checkRotation(u *rule) error {
	keep := o.Rotated.Keep
	switch {
	case o.Rotation.Size < 0 || keep.Count < 0 || keep.Age < 0 || keep.Size < 0 || o.Rotated.Hook.Timeout < 0:
		return errors.New("a size, count or time below zero; want 0 for no bound")
	case u.path != stdoutPath && u.path != stderrPath:
		return nil
	case o.Rotation != Rotation{}:
		return errors.New("only files are rotated")
	}
	return nil
}
