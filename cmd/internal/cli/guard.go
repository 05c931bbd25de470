package cli

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic that was caught.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Guard runs f and turns a panic into a *PanicError. A panic that is not caught
// ends the process with 2, which means wrong usage here: so every goroutine of a
// command runs under a Guard.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
