// Package service tells systemd how a drain is that it started: that it runs, loads its
// configuration anew, ends, and has not hung. The protocol is sd_notify(3)'s, by package
// daemon of go-systemd. A unit for it is docs/systemd/ringlog@.service.
package service

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// Service is this process as systemd sees it. Without NOTIFY_SOCKET in the environment,
// which means that nobody wants to know, its methods do nothing. All but Alive may be
// called by any number of goroutines.
type Service struct {
	log    *slog.Logger
	failed sync.Once

	order  sync.Mutex
	ending bool // guarded by order: Stopping has been told, behind which nothing else is true

	watched bool          // whether signs of life are waited for
	every   time.Duration // how old the last one is to be before there is another
	last    time.Time     // when Alive gave the last one
	sending atomic.Bool   // it is still on its way
}

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
	s.tellBeforeTheEnd(daemon.SdNotifyReady + "\n" + statusLine(status))
}

// Reloading says that the configuration is being loaded anew; Ready must follow, also if
// it is the old one that holds.
func (s *Service) Reloading() {
	s.tellBeforeTheEnd(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// Stopping says that the end has begun.
func (s *Service) Stopping() {
	s.order.Lock()
	defer s.order.Unlock()
	s.ending = true
	s.tell(daemon.SdNotifyStopping)
}

// Status says how things are, in a few words, for systemctl status.
func (s *Service) Status(text string) { s.tell(statusLine(text)) }

// Alive says that the drain has not hung. The draining goroutine calls it about once a
// second; systemd hears of it as often as its watchdog needs. It never waits, whatever
// systemd does.
func (s *Service) Alive() {
	if !s.due(time.Now()) || s.sending.Swap(true) {
		return
	}
	go func() {
		defer s.sending.Store(false)
		s.tell(daemon.SdNotifyWatchdog)
	}()
}

// due says whether systemd is to hear that all is well now.
func (s *Service) due(now time.Time) bool {
	if !s.watched || !s.last.IsZero() && now.Sub(s.last) < s.every {
		return false
	}
	s.last = now
	return true
}

// statusLine is one assignment, whatever is in text.
func statusLine(text string) string { return "STATUS=" + cli.Clean(text) }

func (s *Service) tellBeforeTheEnd(lines string) {
	s.order.Lock()
	defer s.order.Unlock()
	if !s.ending {
		s.tell(lines)
	}
}

// tell sends assignments, one a line.
func (s *Service) tell(lines string) {
	if _, err := daemon.SdNotify(false, lines); err != nil {
		s.failed.Do(func() {
			s.log.Warn(fmt.Sprintf("systemd is not to be reached: %v; it will take this for a start that failed or a drain that hangs", err))
		})
	}
}
