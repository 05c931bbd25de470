//go:build linux

package reader_test

import (
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/writer"
)

// Loggers may be package variables: they find the ring when there is one.
var trades = writer.Logger("trades")

// worker is what a child process does, and what this example does in its own.
func worker() error {
	w, err := writer.Attach(writer.Options{Label: "worker-1"})
	if err != nil {
		return err
	}
	defer w.Close()
	trades.Trial("walk", 17).Info("filled", slog.String("side", "buy"), slog.Int("lots", 3))
	return nil
}

func ExampleStart() {
	dir, err := os.MkdirTemp("", "ringlog")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	h, err := reader.Start(reader.StartOptions{Options: reader.Options{Outputs: []reader.Output{
		{Path: filepath.Join(dir, "app.log")},
		{Path: filepath.Join(dir, "17.jsonl"), Format: format.Options{Name: "json"}, Attrs: []reader.AttrMatch{{Key: "trial", Value: "17"}}},
	}}})
	if err != nil {
		log.Fatal(err)
	}
	// Here a program starts its workers, with exec.Command for example, and waits
	// for them. They find the ring through the environment.
	if err := worker(); err != nil {
		log.Fatal(err)
	}
	if err := h.Close(); err != nil { // drains to the last record, and removes the ring
		log.Fatal(err)
	}

	b, err := os.ReadFile(filepath.Join(dir, "app.log"))
	if err != nil {
		log.Fatal(err)
	}
	_, line, _ := strings.Cut(string(b), " - ") // without the time
	fmt.Print(line)
	// Output: trades - INFO - filled study=walk trial=17 side=buy lots=3
}
