package golog

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ringlog/ringlog/bench/internal/role"
)

const collectorRole = "collector"

// collect is what a collector process is told.
type collect struct{ Socket, Out string }

// A sender waits where the socket's queue is full, so nothing is ever lost.
func serveCollector(settings []byte, in io.Reader, out io.Writer) error {
	var s collect
	if err := json.Unmarshal(settings, &s); err != nil {
		return err
	}
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.Socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	file, err := os.Create(s.Out)
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	var arrived atomic.Uint64
	done := make(chan error, 1)
	go func() { done <- receive(socket, file, &arrived) }()
	err = role.Answer(in, out, func(question string) (string, error) {
		n, err := strconv.ParseUint(strings.TrimPrefix(question, "wait "), 10, 64)
		if err != nil {
			return "", fmt.Errorf("%q: want wait N", question)
		}
		for begin := time.Now(); arrived.Load() < n; {
			if time.Since(begin) > patience {
				return "", fmt.Errorf("%d records have come within %v, of %d", arrived.Load(), patience, n)
			}
			select {
			case err := <-done:
				return "", errors.Join(errors.New("the collector ended"), err)
			case <-time.After(200 * time.Microsecond):
			}
		}
		return strconv.FormatInt(time.Now().UnixNano(), 10), nil
	})
	return errors.Join(err, socket.Close(), <-done, file.Close())
}

// patience is how long records may take that were sent.
const patience = 30 * time.Second

// idle is how often a collector writes what it has, however little that is.
const idle = time.Millisecond

func receive(socket *net.UnixConn, file io.Writer, arrived *atomic.Uint64) error {
	to, buf, n := bufio.NewWriterSize(file, 256<<10), make([]byte, 64<<10), uint64(0)
	if err := socket.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	for {
		size, err := socket.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := to.Flush(); err != nil {
				return err
			}
			arrived.Store(n)
			if err := socket.SetReadDeadline(time.Now().Add(idle)); err != nil {
				return nil // closed meanwhile, and all is written
			}
		case errors.Is(err, net.ErrClosed):
			return to.Flush()
		case err != nil:
			return err
		default:
			n++
			if _, err := to.Write(buf[:size]); err != nil {
				return err
			}
		}
	}
}

// collector is such a process.
type collector struct{ *role.Process }

func startCollector(ctx context.Context, socket, out string) (*collector, error) {
	p, err := role.Start(ctx, "", collectorRole, collect{socket, out})
	if err != nil {
		return nil, err
	}
	return &collector{p}, nil
}

// wait returns when n records are in the file, and says when that was.
func (c *collector) wait(n uint64) (time.Time, error) {
	answer, err := c.Ask("wait " + strconv.FormatUint(n, 10))
	if err != nil {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(answer, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the collector answers %q: want a time", answer)
	}
	return time.Unix(0, at), nil
}
