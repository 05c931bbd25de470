// Package golog has the loggers of Go that ringlog is compared with, each as its
// documents set it up.
package golog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/peer"
)

// Kind is a logger and what it logs to.
type Kind struct {
	info peer.Info
	// file says whether it writes to one; the others write nowhere.
	file bool
	// socket says whether it sends to a collector, which writes the file.
	socket bool
	// open makes it. Path is of the file or the socket.
	open func(path string, texts payload.Texts) (peer.Logger, io.Closer, error)
}

// Peer is a Kind with what is logged.
type Peer struct {
	Kind
	Corpus string // lines of this file are logged in place of peer.Text; empty: none
}

// Info implements peer.Peer.
func (k Kind) Info() peer.Info { return k.info }

// Nowhere says whether what is logged goes nowhere.
func (k Kind) Nowhere() bool { return !k.file && !k.socket }

// Alone says whether it is a logger that can be measured in one process.
func (k Kind) Alone() bool {
	return slices.Contains(k.info.Payloads, peer.Fields) && k.info.Name != Nothing.info.Name
}

// Make makes the logger in this process, with its file in dir. It cannot be one that
// sends to a collector.
func (k Kind) Make(dir string) (peer.Logger, io.Closer, error) {
	texts, err := payload.Make(0, "")
	if err != nil {
		return peer.Logger{}, nil, err
	}
	return k.open(filepath.Join(dir, "a.log"), texts)
}

// Find returns the kind of that name.
func Find(name string) (Kind, error) {
	i := slices.IndexFunc(All, func(k Kind) bool { return k.info.Name == name })
	if i < 0 {
		return Kind{}, fmt.Errorf("there is no logger %q", name)
	}
	return All[i], nil
}

// Roles are what this program can be for this package.
var Roles = []role.Role{
	{Name: workerRole, Serve: serveWorker},
	{Name: collectorRole, Serve: serveCollector},
}

const workerRole = "go-worker"

// worker is what a worker process is told.
type worker struct{ Name, Path, Corpus string }

func serveWorker(settings []byte, in io.Reader, out io.Writer) error {
	var s worker
	if err := json.Unmarshal(settings, &s); err != nil {
		return err
	}
	k, err := Find(s.Name)
	if err != nil {
		return err
	}
	texts, err := payload.Make(0, s.Corpus)
	if err != nil {
		return err
	}
	l, closer, err := k.open(s.Path, texts)
	if err != nil {
		return err
	}
	return errors.Join(peer.Serve(in, out, l), closer.Close())
}

// session is some workers and their file.
type session struct {
	crew      peer.Crew
	file      string // "": none
	collector *collector
}

// Open implements peer.Peer.
func (p Peer) Open(ctx context.Context, dirs peer.Dirs, workers int, _ peer.Payload) (_ peer.Session, err error) {
	s := &session{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	path := filepath.Join(dirs.Logs, "a.log")
	if !p.Nowhere() {
		s.file = path
	}
	if p.socket {
		// Not in a folder, since a path may be too long for a socket.
		path = fmt.Sprintf("@ringlog-bench-%d-%d", os.Getpid(), time.Now().UnixNano())
		if s.collector, err = startCollector(ctx, path, s.file); err != nil {
			return nil, err
		}
	}
	for range workers {
		c, err := role.Command(ctx, "", workerRole, worker{p.info.Name, path, p.Corpus})
		if err != nil {
			return nil, err
		}
		w, err := peer.Start(c)
		if err != nil {
			return nil, err
		}
		s.crew = append(s.crew, w)
	}
	return s, nil
}

func (s *session) Crew() peer.Crew { return s.crew }

// Settle counts lines. Workers that write their file themselves have written when
// they answer.
func (s *session) Settle(context.Context) (all peer.Settled, err error) {
	all.At = time.Now()
	if s.collector != nil {
		if all.At, err = s.collector.wait(s.crew.Logged()); err != nil {
			return all, err
		}
	}
	if s.file == "" {
		all.Arrived = s.crew.Logged()
		return all, nil
	}
	all.Arrived, all.Bytes, err = peer.CountLines(s.file)
	return all, err
}

func (s *session) Close() error {
	err := s.crew.Close()
	if s.collector != nil {
		err = errors.Join(err, s.collector.Close())
	}
	return err
}

// appendTo opens a log file as every process has it that writes its own lines.
func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}
