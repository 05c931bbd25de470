//go:build linux

package reader

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/ring"
)

func TestOpenRefusesAnOutputWithoutAPath(t *testing.T) {
	t.Parallel()
	_, err := Open(newRing(t, 1), Options{Outputs: []Output{{Path: "-"}, {Loggers: []string{"trades"}}}})
	const want = `reader: output 2 of 2 has no path; name a file, "-" for standard output, or "stderr" for standard error`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestDrainDeliversEveryRecordOfTwoWritersInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "r.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 4, LaneSize: 64 << 10}); err != nil {
		t.Fatal(err)
	}
	var producers []*ring.Producer
	for i := range 2 {
		p, err := ring.Attach(path, ring.AttachOptions{Label: fmt.Sprint("w", i)})
		if err != nil {
			t.Fatal(err)
		}
		producers = append(producers, p)
	}
	out := filepath.Join(dir, "out.log")
	r, err := Open(path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}, Until: UntilDetached})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- r.Run(context.Background()) }()
	const n = 20000
	for w, p := range producers {
		go func() {
			for i := range n {
				for {
					err := p.Append(fmt.Appendf(nil, "%d %d", w, i), 0, ring.KindRaw)
					if err == nil {
						break
					}
					p.Wait(p.Consumed(), 1e8)
				}
			}
			p.Close()
		}()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(out)
	next := [2]int{}
	for line := range strings.Lines(string(b)) {
		var w, i int
		fmt.Sscan(line, &w, &i)
		if next[w] != i {
			t.Fatalf("worker %d: %d after %d", w, i, next[w]-1)
		}
		next[w]++
	}
	if next != [2]int{n, n} {
		t.Fatal(next)
	}
	t.Logf("%+v", r.Stats())
}
