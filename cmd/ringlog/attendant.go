package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/metrics"
	"github.com/ringlog/ringlog/cmd/internal/service"
	"github.com/ringlog/ringlog/config"
	"github.com/ringlog/ringlog/reader"
)

// attendant is what a drain has about it: metrics for whoever scrapes them, a word to
// systemd, and other outputs when SIGHUP asks for them.
type attendant struct {
	outs    *outputFlags
	now     *config.Config // what holds
	log     *slog.Logger
	service *service.Service
	reader  *reader.Reader
	metrics *metrics.Server // nil: nobody wants them
	begin   sync.Once
	begun   chan struct{} // closed: the drain has begun, and outputs can be exchanged
	reloads chan struct{} // at most one is waiting
	done    chan struct{} // closed: no reload is to come any more
	stopped chan struct{} // closed: none will
	ending  atomic.Bool   // a signal has asked for the end
}

// openAttended opens the ring at path, and the outputs of c, which the flags gave, with
// all that is about them. What is wrong says what to do.
func openAttended(path string, outs *outputFlags, c *config.Config, until reader.Until) (*attendant, error) {
	log, err := newLog(c.LogFormat)
	if err != nil {
		return nil, err
	}
	messages = log
	a := &attendant{
		outs: outs, now: c, log: log, service: service.New(log),
		begun: make(chan struct{}), reloads: make(chan struct{}, 1), done: make(chan struct{}), stopped: make(chan struct{}),
	}
	o := c.Options
	o.Log, o.Alive, o.Until = log, a.alive, until
	a.reader, err = reader.Open(path, o)
	var output *reader.OutputError
	switch {
	case errors.As(err, &output):
		return nil, err
	case err != nil:
		return nil, cli.Opening(err)
	}
	if c.Metrics != "" {
		if a.metrics, err = metrics.Serve(c.Metrics, path, a.reader, log); err != nil {
			return nil, errors.Join(err, a.reader.Close())
		}
		log.Info(fmt.Sprintf("metrics at http://%s/metrics", a.metrics.Addr())) // port 0 is one that the system chooses
	}
	go func() {
		defer close(a.stopped)
		select {
		case <-a.begun: // before that the reader refuses to reload, and a signal would be for nothing
		case <-a.done:
			return
		}
		for {
			select {
			case <-a.reloads:
				a.reload()
			case <-a.done:
				return
			}
		}
	}()
	return a, nil
}

// alive is told by the draining goroutine that it has not hung.
func (a *attendant) alive() {
	a.begin.Do(func() { close(a.begun) })
	a.service.Alive()
}

// ready says that nothing is in the way of draining any more.
func (a *attendant) ready() { a.service.Ready(a.status()) }

// stopping says that the end has begun. It is to be called before the drain is ended, so
// that a reload that is refused for that knows why.
func (a *attendant) stopping() {
	a.ending.Store(true)
	a.service.Stopping()
}

func (a *attendant) status() string {
	return "draining to " + counted(uint64(len(a.now.Outputs)), "output")
}

// askReload has the outputs opened again, and the configuration loaded anew, without
// waiting for it: a drain whose disk is full has to come to the end of its batch first.
func (a *attendant) askReload() {
	select {
	case a.reloads <- struct{}{}:
	default: // what is waiting does for both
	}
}

func (a *attendant) reload() {
	if a.ending.Load() {
		return
	}
	a.service.Reloading()
	defer a.ready()
	c := a.now
	if a.outs.rereads() {
		var err error
		if c, err = a.outs.load(); err != nil {
			a.refuse(err)
			return
		}
	}
	if err := a.reader.Reload(c.Options); err != nil {
		a.refuse(err)
		return
	}
	for what, changed := range map[string]bool{"metrics": c.Metrics != a.now.Metrics, "log_format": c.LogFormat != a.now.LogFormat} {
		if changed {
			a.log.Warn(fmt.Sprintf("%s has changed in %s, which takes a restart of the drain", what, a.outs.config))
		}
	}
	a.now = c
	a.log.Info("reloaded: " + a.status())
}

// refuse says why a reload was not made: each mistake on a line of its own. One that came
// too late, which is no mistake, is not worth a word.
func (a *attendant) refuse(err error) {
	if a.ending.Load() {
		return
	}
	for _, one := range mistakes(err) {
		a.log.Error(one.Error())
	}
	a.log.Error("not reloaded: outputs and settings stay as they were")
}

// mistakes are the errors that err joins.
func mistakes(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// metricsPatience is how long a scrape that is under way at the end is waited for.
const metricsPatience = time.Second

// close ends what is about the drain, and then the drain itself, which is not running.
func (a *attendant) close() error {
	close(a.done)
	<-a.stopped
	var err error
	if a.metrics != nil {
		ctx, cancel := context.WithTimeout(context.Background(), metricsPatience)
		defer cancel()
		if closing := a.metrics.Close(ctx); closing != nil && !errors.Is(closing, context.DeadlineExceeded) {
			err = closing
		}
	}
	err = errors.Join(err, a.reader.Close())
	a.service.Flush()
	return err
}

// terminal is whether this process has a controlling terminal.
func terminal() bool {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	return unix.Close(tty) == nil
}

// hangups tells the two meanings of SIGHUP apart: a terminal that is gone takes what was
// started in it along; to a daemon it says that there is something new to load.
type hangups struct{ hadTerminal bool }

func (h hangups) isReload(s syscall.Signal) bool {
	return s == syscall.SIGHUP && (!h.hadTerminal || terminal())
}
