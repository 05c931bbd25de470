package reader

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// begin opens the ring that o and the environment name, and drains it unless
// another process does.
func (h *hosted) begin(o StartOptions) error {
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	o.Until = UntilStopped
	named, running, err := environment()
	if err != nil {
		return err
	}
	if running {
		if err := h.join(named); err != nil {
			return err
		}
		o.Log.Info(fmt.Sprintf("%s is drained by another process, to its own outputs", named))
	} else if err := h.host(o, named); err != nil {
		return err
	}
	if o.OwnSignals {
		go func() {
			<-h.gone
			h.depart()
		}()
	} else {
		h.watch(o.Log)
	}
	return nil
}

// join uses a ring that another process drains.
func (h *hosted) join(path string) error {
	h.ring = path
	h.finish = func() error {
		defer close(h.done)
		if h.signalled.Load() {
			// Nobody may attach again, to vanish with the process.
			return guarded(path, writer.Default().Close)
		}
		return guarded(path, writer.Detach)
	}
	return guarded(path, writer.Detach) // the loggers may be attached to another one
}

// environment returns the ring that RINGLOG_RING names, if there is one, and
// whether it has a reader.
func environment() (path string, running bool, err error) {
	path = os.Getenv(writer.RingVariable)
	if path == "" {
		return "", false, nil
	}
	if path, err = filepath.Abs(path); err != nil { // as o.Ring is
		return "", false, fmt.Errorf("reader: finding the ring: %w", err)
	}
	in, err := ring.Inspect(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil // of a run that is over
	case err != nil:
		return "", false, fmt.Errorf("reader: opening the ring that %s names: %w", writer.RingVariable, err)
	}
	running = in.Reader().Running
	if running && in.Retired() {
		path, running = "", false
	}
	return path, running, in.Close()
}

// host drains a ring in this process: that of o, else the one called named, else a
// new one.
func (h *hosted) host(o StartOptions, named string) error {
	s := &session{hosted: h, log: o.Log, linger: o.Linger}
	made := false
	if o.Ring == "" && named != "" {
		h.ring = named // somebody else's, and so it stays
	} else {
		var err error
		if h.ring, made, err = makeRing(o); err != nil {
			return err
		}
		s.remove = true
		if o.Ring == "" {
			sayLeftOver(h.ring, o.Log)
		}
	}
	switch err := s.open(o.Options); {
	case err == nil:
	case !s.remove && errors.Is(err, ring.ErrReaderRunning):
		return h.join(h.ring) // another process of the same kind was faster
	case made:
		return errors.Join(err, ring.Discard(h.ring))
	default:
		return err
	}
	h.finish, h.stats, h.drains = s.finish, s.reader.Stats, true
	s.start()
	return nil
}
