//go:build linux

package logfile

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// zstdWindow is how far back zstd looks, in bytes. Lines of a log resemble those just
	// before; a larger one takes more memory and makes no smaller archives of them.
	zstdWindow = 1 << 20
	// zstdMaxWindow is what the format's description asks of every decoder.
	zstdMaxWindow = 8 << 20
)

func (c Compression) other() Compression {
	if c == Gzip {
		return Zstd
	}
	return Gzip
}

// writer compresses to w, in the caller's goroutine.
func (c Compression) writer(w io.Writer) (io.WriteCloser, error) {
	if c == Gzip {
		return gzip.NewWriterLevel(w, 6) // as gzip(1) does
	}
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(zstdWindow))
}

// reader is the reverse.
func (c Compression) reader(r io.Reader) (io.ReadCloser, error) {
	if c == Gzip {
		return gzip.NewReader(r)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdMaxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// holds reports whether an archive is whole and of the very content of file. An archive
// that cannot be read is not; an error is one of the file.
func (c Compression) holds(archive *os.File, file io.Reader) (bool, error) {
	// Nothing at all is no archive of an empty file, though zstd's decoder takes it for one.
	if st, err := archive.Stat(); err != nil || st.Size() == 0 {
		return false, err
	}
	content, err := c.reader(archive)
	if err != nil {
		return false, nil
	}
	same := comparer{file: file}
	_, err = io.Copy(&same, content)
	if err = errors.Join(err, content.Close()); err == nil {
		_, err = io.ReadFull(file, make([]byte, 1))
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		same.err = err
	}
	return false, same.err
}

// comparer takes what file has, and nothing else.
type comparer struct {
	file io.Reader
	buf  [32 << 10]byte
	err  error // of file
}

var errDiffers = errors.New("another content")

func (c *comparer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		want := p[n:min(len(p), n+len(c.buf))]
		switch got, err := io.ReadFull(c.file, c.buf[:len(want)]); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return n, errDiffers
		case err != nil:
			c.err = err
			return n, err
		case !bytes.Equal(c.buf[:got], want):
			return n, errDiffers
		}
		n += len(want)
	}
	return n, nil
}
