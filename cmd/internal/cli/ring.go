package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// DefaultName is the name of rings that were given none.
const DefaultName = "ringlog"

// RingPath is the value of a flag that names a ring.
type RingPath string

// Set implements pflag.Value. An empty path is a variable that a script forgot to
// set, and not a wish for the default.
func (p *RingPath) Set(path string) error {
	if path == "" {
		return errors.New("it is empty: name a ring, or leave the flag out")
	}
	*p = RingPath(path)
	return nil
}

func (p *RingPath) String() string { return string(*p) }

// Type implements pflag.Value.
func (p *RingPath) Type() string { return "path" }

// Named returns the ring that path names, or where it is empty, RINGLOG_RING.
func Named(path string) (string, error) {
	if path == "" {
		path = os.Getenv(writer.RingVariable)
	}
	if path == "" {
		return "", Usagef("no ring named: give its path, or set %s to it", writer.RingVariable)
	}
	return path, nil
}

// NamedOrNew is Named if create is false. Otherwise it makes the ring if it is not
// there; one that has no name gets the default one, which is said.
func NamedOrNew(path string, create bool) (string, error) {
	named, err := Named(path)
	if !create {
		return named, err
	}
	if err != nil {
		if named, err = ring.DefaultPath(DefaultName); err != nil {
			return "", err
		}
		fmt.Fprintf(os.Stderr, "ringlog: the ring is %s\n", Clean(named))
	}
	if err := CreateRing(named, ring.CreateOptions{}); !errors.Is(err, ring.ErrExists) {
		return named, err
	}
	return named, nil
}

// CreateRing makes a ring and says what is doubtful about its place.
func CreateRing(path string, o ring.CreateOptions) error {
	if err := ring.Create(path, o); err != nil {
		return err
	}
	if w := ring.Warning(path); w != "" {
		fmt.Fprintf(os.Stderr, "ringlog: %s\n", Clean(w))
	}
	return nil
}
