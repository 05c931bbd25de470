package dump

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

const (
	laneSize    = 64 << 10
	lanesOffset = 448 << 10 // of a ring with a few lanes
)

// newRing makes a ring with small lanes.
func newRing(t testing.TB, lanes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: laneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

// attach takes a lane that is given back at the test's end at the latest.
func attach(t testing.TB, path, label string) *ring.Producer {
	t.Helper()
	p, err := ring.Attach(path, ring.AttachOptions{Label: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func closeLane(t testing.TB, p *ring.Producer) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// say appends raw records label-from … label-(to-1), of different sizes.
func say(t testing.TB, p *ring.Producer, label string, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		m := fmt.Appendf(nil, "%s-%d%s", label, i, bytes.Repeat([]byte{'.'}, i*7%50))
		if err := p.Append(m, 0, ring.KindRaw); err != nil {
			t.Fatal(err)
		}
	}
}

// drain drains what is in the ring into out, as raw lines.
func drain(path, out string) (reader.Stats, error) {
	r, err := reader.Open(path, reader.Options{
		Outputs: []reader.Output{{Path: out, Format: format.Options{Name: "raw"}}}, Until: reader.UntilEmpty,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return reader.Stats{}, err
	}
	err = r.Run(context.Background())
	if closing := r.Close(); err == nil {
		err = closing
	}
	return r.Stats(), err
}

// image is the ring's bytes. A ring of these bytes has no owner alive: whoever had
// a lane is dead in it.
func image(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func inspect(t testing.TB, path string) *ring.Inspector {
	t.Helper()
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// inspectBytes looks at an image.
func inspectBytes(b []byte) (*ring.Inspector, error) {
	return ring.NewInspector("image", bytes.NewReader(b), int64(len(b)))
}

// messages are the messages of d's records, in order.
func messages(d *Dump) []string {
	var list []string
	for l := range d.Lines() {
		if l.Marker == nil {
			list = append(list, string(l.Record.Message()))
		}
	}
	return list
}
