package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/writer"
)

// work is a worker process: it attaches to the ring, replays its lines, and notes
// each one that was accepted.
func work(j job) error {
	sources, err := loadSources(j.Logs)
	if err != nil {
		return err
	}
	src := sources[j.Source]

	// Should the reader fall behind, an append waits for room. A reader that is
	// gone costs this process one such wait, and then it ends with an error.
	w, err := writer.Open(j.Ring, writer.Options{Label: j.Name, Timeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer w.Close()
	accepted, err := createNote(j.Note)
	if err != nil {
		return err
	}
	defer accepted.Close()

	entry := record.Entry{Logger: src.logger, Attrs: make([]slog.Attr, 1)}
	for n := 1; j.Lines == 0 || n <= j.Lines; n++ {
		entry.Message = src.line(n)
		entry.Attrs[0] = slog.Int("line", n)
		if err := w.Log(record.LevelInfo, &entry); err != nil {
			return fmt.Errorf("line %d was not accepted: %w", n, err)
		}
		// From here on it must reach a file, whatever happens to us.
		if err := accepted.set(n); err != nil {
			return err
		}
	}
	return w.Close()
}

// note is a number in a file. One pwrite after each record costs more than the
// append itself, but survives SIGKILL: the bytes are the kernel's by then. A worker
// that dies between the two has had one more line accepted than it noted.
type note struct {
	*os.File
	digits []byte
}

const noteDigits = 12

func createNote(path string) (*note, error) {
	f, err := os.Create(path)
	return &note{File: f}, err
}

func (n *note) set(count int) error {
	n.digits = fmt.Appendf(n.digits[:0], "%0*d", noteDigits, count)
	_, err := n.WriteAt(n.digits, 0)
	return err
}

// readNote returns what was noted in path so far; 0 if nothing was.
func readNote(path string) int {
	b, err := os.ReadFile(path)
	if err != nil || len(b) != noteDigits {
		return 0
	}
	var n int
	if _, err := fmt.Sscanf(string(b), "%d", &n); err != nil {
		return 0
	}
	return n
}
