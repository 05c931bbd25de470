package parts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/golog"
	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/rig"
	"github.com/ringlog/ringlog/bench/internal/rounds"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
)

// Where files lie. Names of lines end in it.
const (
	ToMemory = " → memory"
	ToDisk   = " → disk"
)

// The names of lines that others look up.
const (
	DrainFields = "text, 3 attributes"
	BigWrites   = "write(2) of 256 KiB"
	SpdlogDrain = "spdlog async"
)

func workers(o Options) []rounds.Line {
	peers := []peer.Peer{rig.Peer{Format: "text", Corpus: o.Corpus}, rig.Peer{Format: "raw", Corpus: o.Corpus}}
	for _, p := range Peers(o) {
		if has(p, peer.Message) {
			peers = append(peers, p)
		}
	}
	var lines []rounds.Line
	for _, p := range peers {
		i := p.Info()
		if o.Corpus != "" && !ours(p) {
			lines = append(lines, rounds.Line{Name: i.Name, Never: "not run: it logs one text, not the lines of a file"})
			continue
		}
		for _, n := range []int{1, 2, 4, 8} {
			if i.Processes != 0 && n > i.Processes {
				continue
			}
			l := load{peer: p, workers: n, what: peer.Message, warm: fewest, times: 2, smoke: o.Smoke}
			if _, ok := p.(rig.Peer); ok {
				l.warm = fill(ring.DefaultLaneSize, len(peer.Text))
			}
			lines = append(lines, rounds.Line{Name: i.Name, X: float64(n), Each: l.each})
		}
		if i.Processes != 0 {
			lines = append(lines, rounds.Line{
				Name:  i.Name + ", in several processes",
				Never: fmt.Sprintf("not run: it is made for %d process; its users do not have more", i.Processes),
			})
		}
	}
	return append(lines, rounds.Line{
		Name:  "lumberjack in each process",
		Never: "not run: lumberjack is made for one process; several rotate the file away under each other, and lines are lost",
	})
}

// ours says whether the workers of a peer are this program, and so have its payloads.
func ours(p peer.Peer) bool {
	switch p.(type) {
	case rig.Peer, golog.Peer:
		return true
	}
	return false
}

func has(p peer.Peer, what peer.Payload) bool { return slices.Contains(p.Info().Payloads, what) }

// drains is one producer and one reader, or what others have for it, to memory and to
// disk.
func drains(o Options) []rounds.Line {
	var lines []rounds.Line
	add := func(name string, each rounds.Each) {
		lines = append(lines, rounds.Line{Name: name + ToMemory, Each: each}, rounds.Line{Name: name + ToDisk, Each: each, Disk: true})
	}
	ringlog := func(p rig.Peer, workers, size int) rounds.Each {
		l := load{peer: p, workers: workers, warm: fill(ring.DefaultLaneSize, size), times: 3, smoke: o.Smoke}
		return l.each
	}
	add(DrainFields, ringlog(rig.Peer{How: rig.Logger, Format: "text"}, 1, len(peer.Text)))
	add("raw, 100 B", ringlog(rig.Peer{Format: "raw"}, 1, len(peer.Text)))
	add("json, 3 attributes", ringlog(rig.Peer{How: rig.Logger, Format: "json"}, 1, len(peer.Text)))
	add("text, 100 B, 2 processes", ringlog(rig.Peer{Format: "text"}, 2, len(peer.Text)))
	if o.Corpus != "" {
		add("text, lines of "+filepath.Base(o.Corpus), ringlog(rig.Peer{Format: "text", Corpus: o.Corpus}, 1, 50))
		add("raw, lines of "+filepath.Base(o.Corpus), ringlog(rig.Peer{Format: "raw", Corpus: o.Corpus}, 1, 50))
	}
	add(BigWrites, bigWrites(3))
	zerolog, err := golog.Find("zerolog → file")
	if err == nil {
		add("zerolog in the caller", (&load{peer: golog.Peer{Kind: zerolog}, workers: 1, what: peer.Fields, warm: fewest, times: 3, smoke: o.Smoke}).each)
	}
	for _, p := range o.Native {
		if has(p, peer.Fields) {
			add(p.Info().Name, (&load{peer: p, workers: 1, what: peer.Fields, warm: fewest, times: 3, smoke: o.Smoke}).each)
		}
	}
	return lines
}

// bigWrites is what the file system takes at most: nothing is made but the writes.
func bigWrites(times time.Duration) rounds.Each {
	block := bytes.Repeat([]byte(peer.Text+"\n"), (256<<10)/(len(peer.Text)+1)+1)[:256<<10]
	return func(ctx context.Context, dirs peer.Dirs, d time.Duration, to *rounds.Sink) error {
		f, err := os.Create(filepath.Join(dirs.Logs, "a.log"))
		if err != nil {
			return err
		}
		n, took := 0, time.Duration(0)
		for begin := time.Now(); took < d*times && ctx.Err() == nil; took = time.Since(begin) {
			if _, err := f.Write(block); err != nil {
				return errors.Join(err, f.Close())
			}
			n++
		}
		to.Add(Bytes, 0, result.Megabytes, float64(n*len(block))/1e6/took.Seconds())
		return f.Close()
	}
}

// sizes is the same against the size of the records.
func sizes(o Options) []rounds.Line {
	var lines []rounds.Line
	for _, where := range []string{ToMemory, ToDisk} {
		for _, format := range []string{"raw", "text", "json"} {
			for _, size := range o.Sizes {
				l := load{peer: rig.Peer{Format: format, Size: size}, workers: 1, warm: fill(ring.DefaultLaneSize, size), times: 2, smoke: o.Smoke}
				lines = append(lines, rounds.Line{Name: format + where, X: float64(size), Each: l.each, Disk: where == ToDisk})
			}
			if o.Corpus != "" {
				texts, err := payload.Make(0, o.Corpus)
				if err != nil {
					continue // was looked at when the run began
				}
				l := load{peer: rig.Peer{Format: format, Corpus: o.Corpus}, workers: 1, warm: fill(ring.DefaultLaneSize, int(texts.MeanSize())), times: 2, smoke: o.Smoke}
				lines = append(lines, rounds.Line{Name: format + ", lines of " + filepath.Base(o.Corpus) + where, X: texts.MeanSize(), Each: l.each, Disk: where == ToDisk})
			}
		}
		lines = append(lines, rounds.Line{Name: BigWrites + where, Each: bigWrites(2), Disk: where == ToDisk})
	}
	return lines
}

// LaneMemory is what all lanes of a ring have together in that part, so that each
// line works on as much memory as the others.
const LaneMemory = 64 << 20

// lanes is the same load on more and more lanes, all of one process.
func lanes(o Options) []rounds.Line {
	var lines []rounds.Line
	for _, n := range []int{1, 4, 16, 64, 256} {
		size := uint64(LaneMemory / n)
		l := load{
			peer: rig.Peer{Format: "text", Lanes: n, LaneSize: size}, workers: 1,
			warm: fill(LaneMemory, len(peer.Text)), times: 4, smoke: o.Smoke,
		}
		lines = append(lines, rounds.Line{Name: "text, 100 B", X: float64(n), Each: l.each})
	}
	return lines
}
