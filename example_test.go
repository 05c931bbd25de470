package ringlog_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// What stands between «if err» and the end of worker and drain also stands in
// README.md; a test holds the two together.

func worker(path string) error {
	w, err := writer.Open(path, writer.Options{Label: "worker-1"})
	if err != nil {
		return err
	}
	defer w.Close()

	// A message. No error means accepted: it reaches the log whatever happens
	// to this process now. Any other but writer.ErrClosed means lost and counted in the log.
	if err := w.Append(record.LevelInfo, []byte("trial 17 begins")); err != nil {
		return err
	}

	// A record with fields, through a logger that has a file of its own.
	err = w.Log(record.LevelWarning, &record.Entry{
		Logger:  "trades",
		Message: "filled in part",
		Attrs:   []slog.Attr{slog.String("side", "buy"), slog.Int("lots", 3)},
	})
	if err != nil {
		return err
	}

	// Whatever writes lines to an io.Writer.
	log.New(w.At(record.LevelError), "", 0).Print("connection lost")
	return nil
}

func drain(ctx context.Context, path, dir string) error {
	r, err := reader.Open(path, reader.Options{
		Outputs: []reader.Output{
			{Path: filepath.Join(dir, "app.log")},
			{Path: filepath.Join(dir, "trades.jsonl"), Logger: "trades", Format: "json"},
		},
		MaxSize: 100 << 20, // bytes; then the file is rotated
		Keep:    5,         // rotated files of each output
	})
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Run(ctx) // until ctx ends; then it drains what is there
}

func Example() {
	dir, err := os.MkdirTemp("", "ringlog")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "study.ring")
	if err := ring.Create(path, ring.CreateOptions{}); err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	drained := make(chan error)
	go func() { drained <- drain(ctx, path, dir) }()
	if err := worker(path); err != nil {
		log.Fatal(err)
	}
	stop()
	if err := <-drained; err != nil {
		log.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "app.log"))
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		_, text, _ := strings.Cut(line, " - ") // without the time
		fmt.Print(text)
	}
	// Output:
	// root - INFO - trial 17 begins
	// trades - WARNING - filled in part side=buy lots=3
	// root - ERROR - connection lost
}
