// Package config reads the file that says where lines go, how they look, and what
// happens to files that are full. Example shows all of it.
package config

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringlog/ringlog/reader"
)

// Config is what a configuration file says.
type Config struct {
	// Options have Outputs, MaxOpenFiles, Location, Sync, SyncEvery and Grace of the
	// file; what it does not say is zero, which is the default. They pass their Check.
	reader.Options
	// Metrics is the address, HOST:PORT, of the metrics' server; empty: there is none.
	Metrics string
	// LogFormat is that of ringlog's own lines on standard error: plain, text, logfmt or
	// json; empty: plain.
	LogFormat string
}

// Overrides are what flags say, which goes before the file. A zero field says nothing.
// They are not checked, but by Check of the Options that come of them.
type Overrides struct {
	// Outputs are there instead of those of the file, whose mistakes are mistakes all the
	// same. Their Path, Loggers, Attrs and, if it is not nil, Level count; all else is of
	// the file's defaults.
	Outputs []reader.Output

	// Of the file's defaults, which are for outputs that do not say their own:
	Format  string // format
	MaxSize *int64 // rotate.size; 0: none
	Keep    *int   // keep.count; 0: none

	Location  *time.Location
	Sync      *reader.Sync
	SyncEvery time.Duration
	Metrics   *string // empty: no server
	LogFormat string
}

// DefaultMaxSize is the size in bytes at which files are rotated if neither the file nor
// the flags say when.
const DefaultMaxSize = 100 << 20

// Load reads the file at path, or standard input, if path is "-". The error is that it
// cannot be read, or what is wrong with it: see Parse.
func Load(path string, o Overrides) (*Config, error) { return load(path, o, false) }

// Look is Load for who asks what is wrong with a file. It also looks whether this machine
// has what the file names, which is a mistake like others if not: outputs that are folders,
// or lie below what is none, and hooks whose program cannot be run. It opens no output and
// changes nothing.
func Look(path string) (*Config, error) { return load(path, Overrides{}, true) }

func load(path string, o Overrides, look bool) (*Config, error) {
	name, in := path, os.Stdin
	if path == "-" {
		name = "stdin"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		defer f.Close()
		in = f
	}
	// One byte more than there can be, and not all of what may have no end.
	text, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return read(name, text, o, look)
}

// Parse reads the text of a file, which is called name in errors. The error joins one
// *Error for each mistake, in the order in which they are in the file; of one that is not
// YAML, only the first is known. Nothing is opened, and neither outputs nor hooks are
// looked for. Time and memory are bounded, whatever the text is.
func Parse(name string, text []byte, o Overrides) (*Config, error) {
	return read(name, text, o, false)
}

func read(name string, text []byte, o Overrides, look bool) (*Config, error) {
	d := decoder{mistakes: mistakes{file: name}, look: look}
	root := d.parse(text)
	if root == nil {
		return nil, d.err()
	}
	f := d.file(root)
	c := f.config(&d.mistakes, o)
	if err := d.err(); err != nil {
		return nil, err
	}
	return c, nil
}

//go:embed example.yaml
var example []byte

// Example is a file that shows every key and says what it means. What is commented out,
// as in "#key: value", is as valid as the rest.
func Example() []byte { return bytes.Clone(example) }
