package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals returns a channel of the signals that ask a command to end. Those that
// who started it had it ignore, as nohup does and a shell for what it runs in the
// background, stay ignored.
func Signals() <-chan os.Signal {
	signals := make(chan os.Signal, 4)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	return signals
}
