package native

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ringlog/ringlog/bench/peer"
)

// spdlog is its asynchronous logger with a file: callers format and put the text in a
// queue of this process, one thread writes.
type spdlog struct {
	program *program
	name    string
	policy  string // as spdlog names it
	full    string // what it does, in words
}

func (s *spdlog) Info() peer.Info {
	return peer.Info{
		Name:      s.name,
		Language:  "C++",
		Setting:   fmt.Sprintf("%s, basic file sink, one thread, queue of 8192 records, %s", s.program.version("spdlog"), s.full),
		Payloads:  []peer.Payload{peer.Message, peer.Fields},
		Processes: 1,
	}
}

func (s *spdlog) Open(ctx context.Context, dirs peer.Dirs, workers int, what peer.Payload) (peer.Session, error) {
	if workers != 1 {
		return nil, fmt.Errorf("%s with %d workers: want 1, as its files belong to one process", s.name, workers)
	}
	file := filepath.Join(dirs.Logs, "spdlog.log")
	c, err := s.program.command(ctx, file, argument(what), s.policy)
	if err != nil {
		return nil, err
	}
	w, err := peer.Start(c)
	if err != nil {
		return nil, err
	}
	return &spdlogSession{file, peer.Crew{w}}, nil
}

type spdlogSession struct {
	file string
	crew peer.Crew
}

func (s *spdlogSession) Crew() peer.Crew { return s.crew }

// Settle ends when the thread has written all, which is what the program's flush waits
// for.
func (s *spdlogSession) Settle(context.Context) (peer.Settled, error) {
	if err := s.crew.Flush(); err != nil {
		return peer.Settled{}, err
	}
	settled := peer.Settled{At: time.Now()}
	var err error
	settled.Arrived, settled.Bytes, err = peer.CountLines(s.file)
	return settled, err
}

func (s *spdlogSession) Close() error { return s.crew.Close() }
