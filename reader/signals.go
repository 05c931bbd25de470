//go:build linux

package reader

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// watch ends h at the first SIGINT or SIGTERM, and then the process. Signals that
// were ignored when the process began stay ignored.
func (h *Handle) watch() {
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			go func() { _ = h.end() }() // what went wrong is in the log
			select {
			case <-h.gone:
			case s = <-signals:
			}
			die(s)
		case <-h.gone:
		}
		signal.Stop(signals)
		select {
		case s := <-signals:
			die(s) // it came at the last moment
		default:
			close(h.over)
		}
	}()
}

// die ends the process by s.
func die(s os.Signal) {
	n, _ := s.(syscall.Signal)
	// The first process of a container is not killed by a signal of its own.
	if os.Getpid() != 1 {
		signal.Reset(s)
		if err := syscall.Kill(os.Getpid(), n); err == nil {
			time.Sleep(time.Second) // it may be another thread that takes it
		}
	}
	os.Exit(128 + int(n))
}
