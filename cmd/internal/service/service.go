// Package service tells systemd how a drain is that it started: that it runs, loads its
// configuration anew, ends, and has not hung. The protocol is sd_notify(3)'s, by package
// daemon of go-systemd. A unit for it is docs/systemd/ringlog@.service.
package service

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// Service is this process as systemd sees it. Without NOTIFY_SOCKET in the environment,
// which means that nobody wants to know, its methods do nothing. They never wait for
// systemd, which may be busy or hang itself, but for Flush, which has an end. All but Alive
// may be called by any number of goroutines.
type Service struct {
	log    *slog.Logger
	failed sync.Once

	watched bool          // whether signs of life are waited for
	every   time.Duration // how old the last one is to be before there is another
	last    time.Time     // when Alive gave the last one

	mu     sync.Mutex    // never held while something is sent
	states []string      // to be told, in this order
	alive  bool          // a sign of life is to be given, or on its way
	ending bool          // Stopping has been called, behind which no other state is true
	told   chan struct{} // closed when all has been told; nil: it is already
}

// maxStates is how many states may wait for systemd.
const maxStates = 8

// flushTime is how long Flush waits at most.
const flushTime = time.Second

// alivePeriod is the longest time from one call of Alive to the next, as long as all is
// well.
const alivePeriod = time.Second

// New returns the Service that the environment describes. That systemd cannot be told
// something is said to log, once.
func New(log *slog.Logger) *Service {
	s := &Service{log: log}
	timeout, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn(fmt.Sprintf("systemd's watchdog: %v; it gets no sign of life", err))
	}
	// As sd_watchdog_enabled(3) has it, half of the time must never pass without a sign.
	s.watched, s.every = timeout > 0, max(0, timeout/2-alivePeriod)
	return s
}

// Ready says that the start, or the reload, is complete, and how things are, in a few
// words. A reload that is complete when the end has begun is not worth a word.
func (s *Service) Ready(status string) {
	s.state(daemon.SdNotifyReady+"\nSTATUS="+cli.Clean(status), false) // one line, whatever is in it
}

// Reloading says that the configuration is being loaded anew; Ready must follow, also if
// it is the old one that holds.
func (s *Service) Reloading() {
	s.state(daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec(), false)
}

// Stopping says that the end has begun.
func (s *Service) Stopping() { s.state(daemon.SdNotifyStopping, true) }

// Alive says that the drain has not hung. The draining goroutine calls it about once a
// second; systemd hears of it as often as its watchdog needs.
func (s *Service) Alive() {
	if !s.due(time.Now()) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = true // as it may be already: one does for both
	s.send()
}

// Flush waits until systemd has been told everything, for a second at most. It is for the
// end of the process, which would come before the news of it.
func (s *Service) Flush() {
	s.mu.Lock()
	told := s.told
	s.mu.Unlock()
	if told == nil {
		return
	}
	select {
	case <-told:
	case <-time.After(flushTime):
	}
}

// due says whether systemd is to hear that all is well now.
func (s *Service) due(now time.Time) bool {
	if !s.watched || !s.last.IsZero() && now.Sub(s.last) < s.every {
		return false
	}
	s.last = now
	return true
}

// state has a state told, unless the end has begun.
func (s *Service) state(lines string, ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return
	}
	s.ending = ending
	if len(s.states) == maxStates {
		// Reloading and Ready take turns, and go on to do so without two that are old.
		s.states = s.states[2:]
	}
	s.states = append(s.states, lines)
	s.send()
}

// send has what waits be sent, by one goroutine, so that the order stays. mu is held.
func (s *Service) send() {
	if s.told != nil {
		return
	}
	s.told = make(chan struct{})
	go func() {
		for lines, ok := s.next(); ok; lines, ok = s.next() {
			s.tell(lines)
			if lines == daemon.SdNotifyWatchdog {
				s.mu.Lock()
				s.alive = false
				s.mu.Unlock()
			}
		}
	}()
}

// next returns what is to be sent next. ok is false if that is nothing.
func (s *Service) next() (lines string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.states) > 0:
		lines, s.states = s.states[0], s.states[1:]
		return lines, true
	case s.alive:
		return daemon.SdNotifyWatchdog, true
	}
	told := s.told
	s.told = nil
	close(told)
	return "", false
}

// tell sends assignments, one a line, and waits until systemd's socket has room for them.
func (s *Service) tell(lines string) {
	if _, err := daemon.SdNotify(false, lines); err != nil {
		s.failed.Do(func() {
			s.log.Warn(fmt.Sprintf("systemd is not to be reached: %v; it will take this for a start that failed or a drain that hangs", err))
		})
	}
}
