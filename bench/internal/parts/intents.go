package parts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/internal/overlay"
	"github.com/ringlog/ringlog/ring"
)

// intents measure what the drain pays for exactly-once: the same drain by a reader
// that is built without the intent stands behind each. Both are built, so that nothing
// but the edits tells them apart.
func intents(o Options) []rounds.Line {
	var lines []rounds.Line
	with, without := &build{}, &build{edits: noIntent}
	for _, format := range []string{"raw", "text", "json"} {
		lines = append(
			lines,
			rounds.Line{Name: WithIntent(format), Keep: with.open(format, o.Smoke)},
			rounds.Line{Name: WithoutIntent(format), Keep: without.open(format, o.Smoke)},
		)
	}
	return lines
}

// WithIntent and WithoutIntent are the names of two lines to compare.
func WithIntent(format string) string    { return "drain " + format + ", with the intent" }
func WithoutIntent(format string) string { return "drain " + format + ", without the intent" }

// noIntent takes the intent out of the drain: the checksums of what it is about to
// write, the record of it in the ring, the copy of each piece, the look at the files
// afterwards. A killed reader would then lose or repeat what it was at.
var noIntent = []overlay.Edit{
	{
		File: "reader/batch.go",
		Old:  "	if err := r.consumer.Prepare(b); err != nil {\n		return err\n	}\n",
	},
	{File: "reader/batch.go", Old: "	r.consumer.MarkApplied()\n"},
	{File: "reader/batch.go", Old: "	r.consumer.ClearIntent()\n"},
	{File: "reader/batch.go", Old: "r.consumer.SetWindow(i, piece, p)"},
	{File: "reader/batch.go", Old: "err = o.file.Check(o.before + int64(len(o.buf)))"},
	{
		File: "reader/batch.go",
		Old:  "	c := ring.OutputChange{",
		New:  "	if o.file != nil {\n		return ring.OutputChange{}\n	}\n	c := ring.OutputChange{",
	},
}

// build is this program, built with edits at the first use.
type build struct {
	edits   []overlay.Edit
	once    sync.Once
	program string
	err     error
}

// drained is a line whose reader is such a program.
type drained struct {
	load
	dir string
}

// open builds into the folder in which the lines' own folders lie.
func (b *build) open(format string, smoke bool) func(context.Context, string) (rounds.Measurement, error) {
	return func(ctx context.Context, dir string) (rounds.Measurement, error) {
		b.once.Do(func() {
			if dir, err := os.MkdirTemp(filepath.Dir(dir), "build-"); err != nil {
				b.err = err
			} else {
				b.program = filepath.Join(dir, "reader")
				b.err = buildSelf(ctx, dir, b.program, b.edits)
			}
		})
		if b.err != nil {
			return nil, b.err
		}
		l := load{peer: rig.Peer{Format: format, Program: b.program}, workers: 2, warm: fill(ring.DefaultLaneSize, len(peer.Text)), times: 1, smoke: smoke}
		return &drained{l, dir}, nil
	}
}

func (i *drained) Run(ctx context.Context, d time.Duration, to *rounds.Sink) error {
	return i.each(ctx, peer.Dirs{Work: i.dir, Logs: i.dir}, d, to)
}

func (i *drained) Close() error { return nil }

// buildSelf builds this program from its source with edits. Where there is no source,
// or no go command, the error is a rounds.ErrSkipped.
func buildSelf(ctx context.Context, dir, program string, edits []overlay.Edit) error {
	const module = "github.com/ringlog/ringlog"
	where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+"/bench", module+"/ring").Output()
	found := strings.Split(strings.TrimSpace(string(where)), "\n")
	if err != nil || len(found) != 2 {
		return fmt.Errorf("%w: it needs the go command and the source: run it in the repository", rounds.ErrSkipped)
	}
	replaced, err := overlay.Write(filepath.Dir(found[1]), dir, edits)
	if errors.Is(err, overlay.ErrOutdated) {
		return fmt.Errorf("%w: the reader has changed: %w", rounds.ErrSkipped, err)
	} else if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "go", "build", "-overlay", replaced, "-o", program, ".")
	c.Dir = found[0]
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build a reader: %w: %s", err, said)
	}
	return nil
}
