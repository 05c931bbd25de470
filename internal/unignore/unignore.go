// Package unignore is for tests that send signals to the processes that they start.
package unignore

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals has the processes that this one starts from now on heed SIGHUP and SIGINT as if
// they were begun from a terminal, also if this process was made to ignore them, by nohup or
// by a shell that has it in the background: to exec, what is caught here is not ignored.
func Signals() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}
