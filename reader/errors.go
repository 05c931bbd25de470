package reader

import "strings"

// OutputError says which output could not be opened: Open may fail over the ring
// as well, and a file that is missing is another thing there.
type OutputError struct {
	Path string // as Options.Outputs has it
	Err  error  // an error of logfile.Open
}

func (e *OutputError) Error() string {
	return "reader: output " + e.Path + ": " + strings.TrimPrefix(e.Err.Error(), "logfile: ")
}

func (e *OutputError) Unwrap() error { return e.Err }
