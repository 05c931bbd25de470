//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// session is the drain behind the Handles of this process, in a goroutine of its own.
type session struct {
	hosted *hosted
	reader *Reader
	log    *slog.Logger
	linger time.Duration

	exported bool // RINGLOG_RING is to be unset
	remove   bool // the ring is to be removed, if nothing is left of it

	leave   context.CancelFunc // end when nobody is attached any more
	abandon context.CancelFunc // end now
}

// open opens the ring and the outputs, and shows the ring to children.
func (s *session) open(o Options) (err error) {
	if s.reader, err = Open(s.hosted.ring, o); err != nil {
		return err
	}
	// This process's loggers may be attached to another ring, or may have tried this
	// one in vain.
	err = guarded(s.hosted.ring, writer.Detach)
	if named, _ := filepath.Abs(os.Getenv(writer.RingVariable)); err == nil && named != s.hosted.ring {
		s.exported = true
		err = os.Setenv(writer.RingVariable, s.hosted.ring)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("reader: leading loggers to %s: %w", s.hosted.ring, err), s.reader.Close())
	}
	return nil
}

func (s *session) start() {
	var ctx, leave context.Context
	ctx, s.abandon = context.WithCancel(context.Background())
	leave, s.leave = context.WithCancel(context.Background())
	go func() {
		defer close(s.hosted.done)
		err := s.run(ctx, leave)
		if err != nil {
			s.log.Error(err.Error())
		}
		s.hosted.err = err
	}()
}

// run drains, and removes the ring. Its errors say what to do.
func (s *session) run(ctx, leave context.Context) error {
	var why string
	var err error
	for {
		if err = s.reader.runUntil(ctx, leave); err == nil {
			why, err = s.part(ctx)
		}
		if err != nil || why == "" || ctx.Err() != nil {
			break
		}
		time.Sleep(partAgain) // somebody came at the last moment: there is time for him
	}
	err = errors.Join(err, s.reader.Close())
	switch {
	case errors.Is(err, ring.ErrTruncated):
		return err // and nothing can be done with it any more
	case err != nil:
		return fmt.Errorf("%w; what is not in the outputs is in the ring, go on with: ringlog drain --ring %s --out FILE", err, s.hosted.ring)
	case why != "":
		return fmt.Errorf("%w: %s; go on with: ringlog drain --ring %s --out FILE", ErrRingStays, printable(why), s.hosted.ring)
	}
	return nil
}

// partAgain is how long after an attempt to part from the ring the next one comes.
const partAgain = 10 * time.Millisecond

// part removes the ring, if that is to be. Why is not empty if there may be more to
// drain.
func (s *session) part(ctx context.Context) (why string, err error) {
	if s.remove {
		_, why, err = s.reader.Remove(ctx)
		return why, err
	}
	err = s.reader.consumer.Guard(func() error {
		if owners := s.reader.consumer.Attached(); len(owners) > 0 {
			why = attached(owners)
		} else {
			why = s.reader.consumer.Undrained()
		}
		return nil
	})
	return why, err
}

// sayWaiting is how long Close waits before it says so.
const sayWaiting = 500 * time.Millisecond

// finish ends the session: what the last Handle.Close does.
func (s *session) finish() error {
	var err error
	if s.exported && os.Getenv(writer.RingVariable) == s.hosted.ring {
		// First, so that nobody finds the ring any more.
		_ = os.Unsetenv(writer.RingVariable) // fails for no name such as this one
		err = guarded(s.hosted.ring, writer.Detach)
	} else {
		// The variable goes on naming the ring: no logger may come back to it.
		err = guarded(s.hosted.ring, writer.Default().Close)
	}
	s.leave()
	late := time.AfterFunc(max(s.linger, 0), s.abandon)
	slow := time.AfterFunc(sayWaiting, func() {
		s.log.Info(fmt.Sprintf("draining %s to its end, and waiting up to %v for workers that are still attached", s.hosted.ring, max(s.linger, 0)))
	})
	<-s.hosted.done
	late.Stop()
	slow.Stop()
	s.abandon()
	return errors.Join(err, s.hosted.err)
}

// guarded calls what closes this process's own lane. In a ring that somebody
// truncated that faults, which is fatal to a worker, but not to the process that is to
// report it.
func guarded(path string, closeLane func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch v := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }:
			err = fmt.Errorf("reader: closing this process's lane: %w: %s changed its size", ring.ErrTruncated, path)
		default:
			panic(v)
		}
	}()
	return closeLane()
}

// printable is s without what could move a terminal's cursor: names of workers are
// as they gave them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
