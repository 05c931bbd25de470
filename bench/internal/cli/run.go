package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/host"
	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/python"
	"github.com/ringlog/ringlog/bench/internal/repo"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/internal/tables"
	"github.com/ringlog/ringlog/bench/native"
	"github.com/ringlog/ringlog/bench/peer"
)

// options are the flags.
type options struct {
	parts       []string
	only        string
	rounds      int
	time        time.Duration
	sizes       []int
	corpus      string
	rate        float64
	disk        string
	python      string
	json        string
	docs, smoke bool
}

// pythonPart is not made of lines: it is another program.
const pythonPart = "python"

// check completes o, and says what is wrong with it. Changed says which flags were given.
func (o *options) check(changed func(string) bool) error {
	if o.smoke {
		o.rounds, o.time = 1, time.Millisecond
		if !changed("sizes") {
			o.sizes = []int{16, 8192}
		}
	}
	switch {
	case o.rounds < 1:
		return fmt.Errorf("--rounds %d: want 1 or more", o.rounds)
	case o.time <= 0:
		return fmt.Errorf("--time %v: want more than 0", o.time)
	case o.rate < 1 || o.rate > 1e7:
		return fmt.Errorf("--rate %g: want 1 to 10,000,000 calls a second", o.rate)
	case o.docs && o.smoke:
		return errors.New("--docs with --smoke: figures of a moment are not for the page")
	case len(o.sizes) == 0:
		return errors.New("--sizes: want some, in bytes")
	}
	slices.Sort(o.sizes)
	o.sizes = slices.Compact(o.sizes)
	if o.sizes[0] < 1 || o.sizes[len(o.sizes)-1] > 256<<10 {
		return fmt.Errorf("--sizes %v: want 1 to %d bytes", o.sizes, 256<<10)
	}
	if o.corpus != "" {
		if _, err := payload.Make(0, o.corpus); err != nil {
			return fmt.Errorf("--corpus: %w", err)
		}
	}
	if o.json != "" { // now, and not in eight minutes
		f, err := os.OpenFile(o.json, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return fmt.Errorf("--json: %w", err)
		}
		f.Close()
	}
	if o.docs {
		if _, err := repo.Root(); err != nil {
			return fmt.Errorf("--docs: %w", err)
		}
	}
	return nil
}

// choose returns the parts that are to be run, with the lines that are.
func (o *options) choose(all []rounds.Part) (chosen []rounds.Part, withPython bool, err error) {
	names := []string{pythonPart}
	for _, p := range all {
		names = append(names, p.Name)
	}
	if err := known(o.parts, names); err != nil {
		return nil, false, err
	}
	pattern, err := regexp.Compile(o.only)
	if err != nil {
		return nil, false, fmt.Errorf("--only: %w", err)
	}
	for _, p := range all {
		if len(o.parts) > 0 && !slices.Contains(o.parts, p.Name) {
			continue
		}
		p.Lines = slices.DeleteFunc(p.Lines, func(l rounds.Line) bool { return !pattern.MatchString(l.Name) })
		if len(p.Lines) > 0 {
			chosen = append(chosen, p)
		}
	}
	withPython = slices.Contains(o.parts, pythonPart) || len(o.parts) == 0 && o.only == ""
	if len(chosen) == 0 && !withPython {
		return nil, false, fmt.Errorf("--only %q matches no line of these parts", o.only)
	}
	return chosen, withPython, nil
}

func (o *options) run(ctx context.Context, out io.Writer, show *progress, changed func(string) bool) (err error) {
	if err := o.check(changed); err != nil {
		return usageError{err}
	}
	about := parts.Options{Rate: o.rate, Sizes: o.sizes, Corpus: o.corpus, Native: native.Peers(), Smoke: o.smoke}
	chosen, withPython, err := o.choose(parts.All(about))
	if err != nil {
		return usageError{err}
	}
	plan := rounds.Plan{Rounds: o.rounds, Time: o.time, Progress: show.show}
	size := o.size()
	memory := host.MemoryDir(size)
	for _, dir := range []struct {
		in   string
		made *string
	}{{memory, &plan.Memory}, {o.disk, &plan.Disk}} {
		if free := host.Free(dir.in); free < size {
			return fmt.Errorf("%s has %d MiB free, and the files of one line may have %d MiB: make room, name another folder with --disk or TMPDIR, or ask for less --time", dir.in, free>>20, size>>20)
		}
		made, remove, e := makeFolder(dir.in)
		if e != nil {
			return e
		}
		defer func() { err = errors.Join(err, remove()) }()
		*dir.made = made
	}
	r := &result.Report{Started: time.Now(), Host: host.This(), Settings: result.Settings{
		Parts: o.parts, Rounds: o.rounds, Time: o.time, Rate: o.rate, Sizes: o.sizes, Corpus: o.corpus,
		Memory: place(memory), Disk: place(o.disk),
	}}
	if r.Clock, err = parts.Clock(plan.Memory); err != nil {
		return err
	}
	for _, p := range append([]peer.Peer{rig.Peer{Format: "text"}}, parts.Peers(about)...) {
		i := p.Info()
		r.Peers = append(r.Peers, result.Peer{Name: i.Name, Language: i.Language, Setting: i.Setting})
	}
	for _, line := range tables.Heading(r) {
		fmt.Fprintln(out, line)
	}
	failed := o.measure(ctx, chosen, plan, r, out, show)
	if withPython && ctx.Err() == nil {
		show.show(pythonPart, 0, 0, "some minutes")
		failed = errors.Join(failed, o.runPython(ctx, r, out, show))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(failed, o.finish(r, out))
}

// size is how many bytes the files of a line may have, its ring included: those of raw
// records in memory have the most.
func (o *options) size() uint64 {
	const atRest, perSecond = 128 << 20, 16 << 30
	return atRest + uint64(perSecond*o.time.Seconds())
}

// measure runs the parts and prints their tables as they are done. The error has what
// failed, without which the rest was measured.
func (o *options) measure(ctx context.Context, chosen []rounds.Part, plan rounds.Plan, r *result.Report, out io.Writer, show *progress) error {
	meter := host.NewMeter()
	plan.Between = meter.Look
	var failed error
	for _, p := range chosen {
		began := time.Now()
		failed = errors.Join(failed, p.Run(ctx, plan, r))
		show.done(p.Name, began)
		if ctx.Err() != nil {
			return failed
		}
		for _, t := range tables.Of(p.Name, r) {
			failed = errors.Join(failed, t.Text(out))
		}
	}
	r.Noise = meter.Noise()
	return failed
}

func (o *options) runPython(ctx context.Context, r *result.Report, out io.Writer, show *progress) error {
	began := time.Now()
	printed, skipped, err := python.Run(ctx, python.Options{Command: o.python, Rounds: max(1, o.rounds/8), Smoke: o.smoke})
	show.done(pythonPart, began)
	if skipped != "" {
		r.Skipped = append(r.Skipped, result.Skip{Part: pythonPart, Line: "bench.py", Why: skipped})
	}
	r.Python = printed
	fmt.Fprintf(out, "\n%s", printed)
	return err
}

// finish prints what is to be said of all parts, and saves them.
func (o *options) finish(r *result.Report, out io.Writer) error {
	r.Took = time.Since(r.Started)
	for _, t := range []tables.Table{tables.Skipped(r), tables.Targets(r)} {
		if len(t.Rows) == 0 {
			continue
		}
		if err := t.Text(out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n%s\n", tables.Noise(r))
	if o.json != "" {
		if err := r.Save(o.json); err != nil {
			return err
		}
	}
	if o.docs {
		return writeDocs(r)
	}
	return nil
}

func place(dir string) string { return dir + " (" + host.FileSystem(dir) + ")" }
