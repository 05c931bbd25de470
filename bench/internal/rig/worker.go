package rig

import (
	"encoding/json"
	"io"
	"log/slog"
	"runtime"

	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// Roles are what this program can be for this package.
var Roles = []role.Role{
	{Name: workerRole, Serve: serveWorker},
	{Name: readerRole, Serve: serveReader},
}

const workerRole = "ringlog-worker"

// How is the way a worker logs.
type How string

// Ways. Append logs texts, the others peer.Fields.
const (
	Append How = "append"
	Logger How = "logger"
	Slog   How = "slog"
)

// worker is what a worker process is told.
type worker struct {
	Ring   string
	How    How
	Lanes  int    // that it holds
	Size   int    // of the texts; 0: peer.Text
	Corpus string // or lines of this file
}

func serveWorker(settings []byte, in io.Reader, out io.Writer) error {
	var s worker
	if err := json.Unmarshal(settings, &s); err != nil {
		return err
	}
	texts, err := payload.Make(s.Size, s.Corpus)
	if err != nil {
		return err
	}
	var all []*writer.Writer
	for range s.Lanes {
		w, err := writer.Open(s.Ring, writer.Options{Timeout: patience})
		if err != nil {
			return err
		}
		defer w.Close()
		all = append(all, w)
	}
	return peer.Serve(in, out, logger(all, s.How, texts))
}

// turn is how many records one lane gets before the next one does, where there are
// several.
const turn = 32

func logger(all []*writer.Writer, how How, texts payload.Texts) peer.Logger {
	l := Calls(all[0], how, texts)
	if len(all) > 1 {
		var each []peer.Logger
		for _, w := range all {
			each = append(each, Calls(w, how, texts))
		}
		next := 0
		l.Log = func(n int) error {
			for n > 0 {
				m := min(n, turn)
				if err := each[next].Log(m); err != nil {
					return err
				}
				n, next = n-m, (next+1)%len(each)
			}
			return nil
		}
	}
	l.Lost = func() (lost uint64) {
		for _, w := range all {
			lost += w.Stats().Lost.Total()
		}
		return lost
	}
	return l
}

// Calls is a writer as a worker uses it.
func Calls(w *writer.Writer, how How, texts payload.Texts) peer.Logger {
	switch how {
	case Logger:
		l := w.Logger("trades")
		one := func(i int) {
			l.Info(peer.FieldsText, slog.Int("trial", i), slog.Float64("price", peer.Price), slog.String("symbol", peer.Symbol))
		}
		return peer.Logger{
			Log: func(n int) error {
				for i := range n {
					l.Info(peer.FieldsText, slog.Int("trial", i), slog.Float64("price", peer.Price), slog.String("symbol", peer.Symbol))
				}
				return nil
			},
			One: func(i int) error { one(i); return nil },
		}
	case Slog:
		return peer.SlogCalls(writer.NewHandler(w, writer.HandlerOptions{Logger: "trades"}))
	}
	if len(texts) == 1 {
		text := texts[0]
		return peer.Logger{
			Log: func(n int) error {
				for range n {
					if err := w.Append(record.LevelInfo, text); err != nil {
						return err
					}
				}
				return nil
			},
			One: func(int) error { return w.Append(record.LevelInfo, text) },
		}
	}
	next := 0
	one := func(int) error {
		text := texts[next]
		if next++; next == len(texts) {
			next = 0
		}
		return w.Append(record.LevelInfo, text)
	}
	return peer.Logger{One: one, Log: func(n int) error {
		for i := range n {
			if err := one(i); err != nil {
				return err
			}
		}
		return nil
	}}
}

// allocations is how many a process has made so far.
func allocations() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
