package ringlog_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// The bodies of worker and study also stand in README.md; a test holds the two
// together.

func worker(ctx context.Context) error {
	w, err := writer.Attach(writer.Options{Label: "worker-1"}) // to the ring that RINGLOG_RING names
	if err != nil {
		return err
	}
	defer w.Close()

	// The fast way: a name, a message, and slog's attributes. No error means accepted:
	// the record reaches the log whatever happens to this process now.
	trades := writer.Logger("trades").Trial("walk-forward", 17)
	if err := trades.Log(slog.LevelInfo, "filled in part", slog.String("side", "buy"), slog.Int("lots", 3)); err != nil {
		return err // lost, and counted in the log
	}
	trades.Warning("slow fill", slog.Duration("took", 250*time.Millisecond)) // for who need not know

	// The usual way: slog. The trial is that of the context.
	logger := slog.New(writer.NewHandler(w, writer.HandlerOptions{Logger: "app"}))
	ctx = writer.WithTrial(ctx, "walk-forward", 17)
	logger.InfoContext(ctx, "trial ends", "sharpe", 1.31)

	// Whatever writes lines to an io.Writer.
	log.New(w.At(record.LevelError), "", 0).Print("connection lost")
	return nil
}

func study(dir string, work func() error) error {
	logs, err := reader.Start(reader.StartOptions{Options: reader.Options{
		Outputs: []reader.Output{
			{Path: filepath.Join(dir, "app.log")}, // all that is logged
			{Path: filepath.Join(dir, "trades.jsonl"), Loggers: []string{"trades"}, Format: format.Options{Name: "json"}},
			{
				Path:     filepath.Join(dir, "trials/{study}/{trial}.log"), // a file for each trial
				Rotation: reader.Rotation{Size: 100 << 20},                 // bytes; then the file is set aside
			},
		},
	}})
	if err != nil {
		return err
	}
	// Processes that work starts find the ring by themselves. Close drains to the
	// last record and removes the ring. So do SIGINT, SIGTERM and SIGHUP, and then they
	// end the process: a program that handles them itself sets OwnSignals.
	return errors.Join(work(), logs.Close())
}

func Example() {
	dir, err := os.MkdirTemp("", "ringlog")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	err = study(dir, func() error { return worker(context.Background()) })
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"app.log", "trials/walk-forward/17.log"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name)
		for line := range strings.Lines(string(b)) {
			_, text, _ := strings.Cut(line, " - ") // without the time
			fmt.Print(text)
		}
	}
	// Output:
	// app.log
	// trades - INFO - filled in part study=walk-forward trial=17 side=buy lots=3
	// trades - WARNING - slow fill study=walk-forward trial=17 took=250ms
	// app - INFO - trial ends study=walk-forward trial=17 sharpe=1.31
	// root - ERROR - connection lost
	// trials/walk-forward/17.log
	// trades - INFO - filled in part study=walk-forward trial=17 side=buy lots=3
	// trades - WARNING - slow fill study=walk-forward trial=17 took=250ms
	// app - INFO - trial ends study=walk-forward trial=17 sharpe=1.31
}
