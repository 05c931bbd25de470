package rig

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
)

// Peer is ringlog: a ring in memory, worker processes, and a reader process that
// drains to one file.
type Peer struct {
	How      How
	Format   string // of the file
	Size     int    // bytes of the texts that are appended; 0: peer.Text
	Corpus   string // or lines of this file
	Lanes    int    // that each worker holds; 0: 1
	LaneSize uint64 // 0: the default
	Program  string // another build of this program, as the reader
}

// Info implements peer.Peer.
func (p Peer) Info() peer.Info {
	i := peer.Info{
		Name: "ringlog, " + p.Format, Language: "Go", Payloads: []peer.Payload{peer.Message},
		Setting: "a ring in memory, with lanes of 4 MiB for each process; one reader process drains to one file",
	}
	switch p.How {
	case Logger:
		i.Name, i.Payloads = "ringlog Logger", []peer.Payload{peer.Fields}
		i.Setting = "the same, by writer.Logger"
	case Slog:
		i.Name, i.Payloads = "ringlog slog.Handler", []peer.Payload{peer.Fields}
		i.Setting = "the same, by log/slog"
	case Append:
	}
	return i
}

// Open implements peer.Peer.
func (p Peer) Open(ctx context.Context, dirs peer.Dirs, workers int, _ peer.Payload) (peer.Session, error) {
	return p.Start(ctx, dirs, workers)
}

// Start is Open, for whoever asks more of a session than peers can answer.
func (p Peer) Start(ctx context.Context, dirs peer.Dirs, workers int) (_ *Session, err error) {
	s := &Session{Ring: filepath.Join(dirs.Work, "a.ring")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	lanes := max(1, p.Lanes)
	if err := ring.Create(s.Ring, ring.CreateOptions{Lanes: lanes * max(1, workers), LaneSize: p.LaneSize}); err != nil {
		return nil, err
	}
	if s.Reader, err = StartReader(ctx, p.Program, s.Ring, p.Format, filepath.Join(dirs.Logs, "a.log")); err != nil {
		return nil, err
	}
	if s.crew, err = startWorkers(ctx, workers, worker{Ring: s.Ring, How: p.How, Lanes: lanes, Size: p.Size, Corpus: p.Corpus}); err != nil {
		return nil, err
	}
	return s, nil
}

// Session is ringlog at work.
type Session struct {
	Ring   string // its path
	Reader *Reader
	crew   peer.Crew
}

// Crew implements peer.Session.
func (s *Session) Crew() peer.Crew { return s.crew }

// Settle implements peer.Session.
func (s *Session) Settle(context.Context) (peer.Settled, error) {
	at, err := s.Reader.Wait(s.crew.Logged())
	if err != nil {
		return peer.Settled{}, err
	}
	u, err := s.Reader.Usage()
	return peer.Settled{At: at, Arrived: u.Records, Bytes: u.Bytes}, err
}

// Close implements peer.Session.
func (s *Session) Close() error {
	err := s.crew.Close()
	if s.Reader != nil {
		err = errors.Join(err, s.Reader.Close())
	}
	return err
}
