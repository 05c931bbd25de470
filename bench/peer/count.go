package peer

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// CountLines counts the lines of a file, and its bytes. A last line without an end
// is none.
func CountLines(path string) (lines, size uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for buf := make([]byte, 1<<20); ; {
		n, err := f.Read(buf)
		lines += uint64(bytes.Count(buf[:n], []byte("\n")))
		size += uint64(n)
		if errors.Is(err, io.EOF) {
			return lines, size, nil
		} else if err != nil {
			return 0, 0, err
		}
	}
}
