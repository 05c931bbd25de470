//go:build linux

package reader

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// watch ends h at the first SIGINT, SIGTERM or SIGHUP, and then the process. Signals
// that were ignored when the process began stay ignored.
func (h *hosted) watch(log *slog.Logger) {
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		defer h.depart()
		select {
		case s := <-signals:
			h.signalled.Store(true)
			go func() { _ = h.end() }() // what went wrong is in the log
			select {
			case <-h.gone:
			case s = <-signals:
			}
			raise(s, signals, log)
			<-h.gone
		case <-h.gone:
			signal.Stop(signals)
			select {
			case s := <-signals:
				raise(s, signals, log) // it came at the last moment
			default:
			}
		}
	}()
}

// raise sends s to this process once more, now that nobody but the program itself
// catches it. It returns only if the program does.
func raise(s os.Signal, signals chan os.Signal, log *slog.Logger) {
	signal.Stop(signals)
	n, _ := s.(syscall.Signal)
	if err := syscall.Kill(os.Getpid(), n); err != nil {
		os.Exit(128 + int(n))
	}
	time.Sleep(100 * time.Millisecond) // it may be another thread that takes it
	log.Warn(fmt.Sprintf("the program goes on after the signal %v: what it logs now goes to standard error; a program that handles signals itself sets StartOptions.OwnSignals", s))
}
