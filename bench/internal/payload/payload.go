// Package payload makes the texts that are logged.
package payload

import (
	"bytes"
	"fmt"
	"os"

	"github.com/ringlog/ringlog/bench/peer"
)

// Texts are logged one after the other, and then again.
type Texts [][]byte

// Make returns the one text of peer.Message, or where size is not 0 one of that many
// bytes, or where corpus is not empty the lines of that file.
func Make(size int, corpus string) (Texts, error) {
	switch {
	case corpus != "":
		return load(corpus)
	case size > 0:
		return Texts{bytes.Repeat([]byte(peer.Text), size/len(peer.Text)+1)[:size]}, nil
	}
	return Texts{[]byte(peer.Text)}, nil
}

// longest is what a line may have: of a lane of 64 KiB, a record may take an eighth.
const longest = 8000

func load(path string) (Texts, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read a corpus: %w", err)
	}
	var texts Texts
	for line := range bytes.Lines(b) {
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			texts = append(texts, line[:min(len(line), longest)])
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s: there is no line in it; want a log file", path)
	}
	return texts, nil
}

// MeanSize is the mean length of a text in bytes.
func (t Texts) MeanSize() float64 {
	sum := 0
	for _, text := range t {
		sum += len(text)
	}
	return float64(sum) / float64(len(t))
}
