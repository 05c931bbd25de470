package main

import (
	"fmt"
	"log/slog"
	"os"
)

// names are those of the loggers, in the order of a note.
var names = [...]string{"app", "orders", "trades"}

// note is how many records of each logger were accepted, in a file. One pwrite after
// each record costs more than the append itself, but survives SIGKILL: the bytes are
// the kernel's by then. A worker that dies between the two has had one more record
// accepted than it noted. Only a program that wants to be proved right needs this.
type note struct {
	file  *os.File
	count [len(names)]int
	text  []byte
}

// noteLayout has a fixed width, so that a note is never half of one and half of the
// next.
const noteLayout = "%010d %010d %010d\n"

func createNote(path string) (*note, error) {
	f, err := os.Create(path)
	return &note{file: f}, err
}

// total is how many records were accepted, of all loggers.
func (n *note) total() (sum int) {
	for _, c := range n.count {
		sum += c
	}
	return sum
}

// add notes one more record of a logger, by its index in names.
func (n *note) add(name int) error {
	n.count[name]++
	n.text = fmt.Appendf(n.text[:0], noteLayout, n.count[0], n.count[1], n.count[2])
	_, err := n.file.WriteAt(n.text, 0)
	return err
}

// readNote returns what is noted in path so far; nothing if there is no note yet.
func readNote(path string) (n note) {
	b, err := os.ReadFile(path)
	if err != nil {
		return n
	}
	if _, err := fmt.Sscanf(string(b), noteLayout, &n.count[0], &n.count[1], &n.count[2]); err != nil {
		return note{}
	}
	return n
}

// numbered is a logger that numbers a worker's records, over all of its loggers, and
// notes what was accepted.
type numbered struct {
	logger
	name int // index in names
	note *note
}

// Log implements logger.
func (l numbered) Log(level slog.Level, msg string, attrs ...slog.Attr) error {
	n := l.note.total() + 1
	if err := l.logger.Log(level, msg, append(attrs, slog.Int("n", n))...); err != nil {
		return fmt.Errorf("record %d was not accepted: %w", n, err)
	}
	// From here on it must reach a file, whatever happens to us.
	return l.note.add(l.name)
}
