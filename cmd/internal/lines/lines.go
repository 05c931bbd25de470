// Package lines cuts a stream into lines of any length in bounded memory.
package lines

import (
	"bufio"
	"errors"
	"io"
)

// Reader reads lines. It belongs to one goroutine.
type Reader struct {
	in   *bufio.Reader
	keep int
	long []byte // a line that did not fit in's buffer
}

// New returns a Reader of in that keeps the first keep bytes of each line.
func New(in io.Reader, keep int) *Reader {
	return &Reader{in: bufio.NewReaderSize(in, 64<<10), keep: keep}
}

// Next returns the next line without its "\n" and nothing else taken away. Of a
// line longer than keep bytes it returns at least the first keep, and skips the
// rest. The line is valid until the next call.
//
// What follows the last "\n" is a line too, unless it is empty. After the last
// line the error is io.EOF; other errors are those of the stream, and come after
// the bytes that were read before them.
func (r *Reader) Next() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], nil
	}
	r.long = r.long[:0]
	for {
		if err == nil {
			line = line[:len(line)-1]
		}
		r.long = append(r.long, line[:min(len(line), r.keep-len(r.long))]...)
		switch {
		case err == nil:
			return r.long, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if len(r.long) > 0 {
				return r.long, nil // the error comes again
			}
			return nil, err
		}
		line, err = r.in.ReadSlice('\n')
	}
}
