package main

import (
	"os"
	"syscall"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// notTold is the --ready-fd of a drain of which nobody wants to know that it runs.
const notTold = -1

// starter is the pipe to who started this process and waits until it runs: nil if
// nobody does.
type starter struct{ pipe *os.File }

// tell returns the starter behind descriptor fd.
func tell(fd int) (starter, error) {
	if fd == notTold {
		return starter{}, nil
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); fd <= 2 || err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return starter{}, cli.Usagef("--ready-fd %d: want the number, above 2, of a descriptor of a pipe", fd)
	}
	syscall.CloseOnExec(fd)
	return starter{os.NewFile(uintptr(fd), "--ready-fd")}, nil
}

// ready says that nothing is in the way any more. That nobody listens is no reason to
// stop: who started this may have died, and what others log is still to be drained.
func (s starter) ready() {
	if s.pipe != nil {
		_, _ = s.pipe.WriteString("ready\n")
		_ = s.pipe.Close()
	}
}

// failed says what is in the way, and returns it as the error to end with. It is not
// said twice: who started this shows it to his user as he likes.
func (s starter) failed(err error) error {
	if s.pipe == nil {
		return err
	}
	code := cli.Code(err)
	if _, failed := s.pipe.WriteString(cli.Message(err) + "\n"); failed != nil {
		return err
	}
	_ = s.pipe.Close()
	return cli.Exit(code, nil)
}
