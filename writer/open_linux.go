package writer

import (
	"errors"

	"github.com/ringlog/ringlog/ring"
)

// openError is an error of ring.Attach that is also one of this package's own:
// package ring, and so its sentinels, exist on Linux only.
type openError struct {
	sentinel error
	cause    error // has the whole text
}

func (e *openError) Error() string   { return e.cause.Error() }
func (e *openError) Unwrap() []error { return []error{e.sentinel, e.cause} }

var openErrors = [...]struct{ ring, writer error }{
	{ring.ErrNotRing, ErrNotRing},
	{ring.ErrVersion, ErrVersion},
	{ring.ErrNoFreeLane, ErrNoFreeLane},
	{ring.ErrNoSpace, ErrNoSpace},
	{ring.ErrNetworkFS, ErrNetworkFS},
	{ring.ErrRetired, ErrRetired},
}

func asOpenError(err error) error {
	for _, e := range openErrors {
		if errors.Is(err, e.ring) {
			return &openError{e.writer, err}
		}
	}
	return err
}
