package rig

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
)

// Unread is workers of a ring that nobody reads.
type Unread struct {
	consumer *ring.Consumer
	crew     peer.Crew
	// Burst is how many records of 100 B fit a lane that was emptied.
	Burst int
}

// OpenUnread makes a ring in dir, and starts workers that append to it.
func OpenUnread(ctx context.Context, dir string, workers int) (_ *Unread, err error) {
	path := filepath.Join(dir, "unread.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: workers}); err != nil {
		return nil, err
	}
	u := &Unread{Burst: ring.DefaultLaneSize / 4 * 3 / Stride}
	if u.consumer, err = ring.OpenConsumer(path); err != nil {
		return nil, err
	}
	u.crew, err = startWorkers(ctx, workers, worker{Ring: path, How: Append, Lanes: 1})
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	return u, nil
}

// startWorkers starts some processes that are told the same. Where one does not begin
// the others are ended.
func startWorkers(ctx context.Context, n int, what worker) (all peer.Crew, err error) {
	for range n {
		c, err := role.Command(ctx, "", workerRole, what)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		w, err := peer.Start(c)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all = append(all, w)
	}
	return all, nil
}

// Empty gives the lanes' memory back.
func (u *Unread) Empty() error {
	for lane := range u.crew {
		if err := discard(u.consumer, lane); err != nil {
			return err
		}
	}
	return nil
}

// Crew implements peer.Session.
func (u *Unread) Crew() peer.Crew { return u.crew }

// Settle implements peer.Session: nothing ever arrives.
func (u *Unread) Settle(context.Context) (peer.Settled, error) { return peer.Settled{}, nil }

// Close implements peer.Session.
func (u *Unread) Close() error { return errors.Join(u.crew.Close(), u.consumer.Close()) }
