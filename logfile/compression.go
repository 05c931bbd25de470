package logfile

import (
	"fmt"
	"slices"
)

// Compression is how rotated files are compressed.
type Compression int

const (
	None Compression = iota // they stay as they are
	Gzip                    // file.gz
	Zstd                    // file.zst
)

var compressionNames = [...]string{None: "none", Gzip: "gzip", Zstd: "zstd"}

// String is none, gzip or zstd.
func (c Compression) String() string {
	if c < 0 || int(c) >= len(compressionNames) {
		return fmt.Sprintf("Compression(%d)", int(c))
	}
	return compressionNames[c]
}

// ParseCompression is the Compression of that name.
func ParseCompression(name string) (Compression, error) {
	i := slices.Index(compressionNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("logfile: unknown compression %q; want none, gzip or zstd", name)
	}
	return Compression(i), nil
}
