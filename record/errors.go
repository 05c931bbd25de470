package record

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed is what every [MalformedError] is.
	ErrMalformed = errors.New("record: malformed payload")

	// ErrTooLong is returned by Size where a logger's name, a key, a source file's
	// name or the whole payload is longer than the format can say. Wrapping errors
	// name the part.
	ErrTooLong = errors.New("record: too long")

	// ErrUnprepared is returned by Size where an attribute still needs user code to
	// become plain, or where groups nest deeper than [MaxDepth]. [Entry.Prepared] cures both.
	ErrUnprepared = errors.New("record: attribute not prepared")

	// ErrSizeChanged is returned by Encode when what it encodes no longer has the
	// length of the slice it was given. The slice's content is then worthless.
	ErrSizeChanged = errors.New("record: entry changed between Size and Encode")
)

// Made once, because a record that is refused must not cost an allocation either.
var (
	errLogger  = fmt.Errorf("%w: logger name over %d bytes", ErrTooLong, MaxLogger)
	errKey     = fmt.Errorf("%w: attribute key over %d bytes", ErrTooLong, MaxKey)
	errFile    = fmt.Errorf("%w: source file name over %d bytes", ErrTooLong, MaxFile)
	errPayload = fmt.Errorf("%w: payload over %d bytes", ErrTooLong, int64(MaxPayload))
)

// MalformedError says where a payload breaks the format, and how.
// errors.Is(err, ErrMalformed) holds for it.
type MalformedError struct {
	Offset int    // in bytes from the payload's start; that of the field's header for a field
	Cause  string // what is wrong there
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("%v: at byte %d: %s", ErrMalformed, e.Offset, e.Cause)
}

// Unwrap returns ErrMalformed.
func (e *MalformedError) Unwrap() error { return ErrMalformed }
