package reader

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// begin opens the ring that o and the environment name, and drains it unless
// another process does.
func (h *Handle) begin(o StartOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if o.Linger == 0 {
		o.Linger = DefaultLinger
	}
	o.Until = UntilStopped
	named, running, err := environment()
	if err != nil {
		return err
	}
	if running {
		h.ring = named
	} else if err := h.host(o, named); err != nil {
		return err
	}
	if o.OwnSignals {
		close(h.over)
	} else {
		h.watch()
	}
	return nil
}

// environment returns the ring that RINGLOG_RING names, if there is one, and
// whether it has a reader.
func environment() (path string, running bool, err error) {
	path = os.Getenv(writer.RingVariable)
	if path == "" {
		return "", false, nil
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
func (h *Handle) host(o StartOptions, named string) error {
	s := &session{handle: h, log: o.Log, linger: o.Linger}
	made := false
	if o.Ring == "" && named != "" {
		h.ring = named // somebody else's, and so it stays
	} else {
		var err error
		if h.ring, made, err = makeRing(o); err != nil {
			return err
		}
		s.remove = true
	}
	switch err := s.open(o.Options); {
	case err == nil:
	case !s.remove && errors.Is(err, ring.ErrReaderRunning):
		return nil // another process of the same kind was faster
	case made:
		return errors.Join(err, discard(h.ring))
	default:
		return err
	}
	h.finish, h.stats = s.finish, s.reader.Stats
	s.start()
	return nil
}
