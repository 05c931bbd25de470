package cli

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Size is a flag's number of bytes, written like 4MiB, 100MB or 65536.
type Size uint64

func (s *Size) String() string {
	// Whole units only: the default in a help text must be what it says.
	for _, unit := range []struct {
		bytes Size
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if *s >= unit.bytes && *s%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", *s/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d", uint64(*s))
}

// Set implements pflag.Value.
func (s *Size) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return fmt.Errorf("%q is not a size: write 4MiB, 100MB or a number of bytes", text)
	}
	*s = Size(n)
	return nil
}

// Type implements pflag.Value.
func (s *Size) Type() string { return "size" }
