package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/config"
	"github.com/ringlog/ringlog/reader"
)

// draining is a reader at work in a goroutine of its own.
type draining struct {
	*attendant
	path   string
	finish context.CancelFunc // drain what is there, remove the ring, and end
	ended  chan struct{}

	// These are for use once ended is closed.
	why string // why the ring was not removed, though it was to be
	err error
}

// startDraining drains the ring at path until finish is called, and then removes it
// if it is to be removed.
func startDraining(path string, outs *outputFlags, c *config.Config, remove bool) (*draining, error) {
	a, err := openAttended(path, outs, c, reader.UntilStopped)
	if err != nil {
		return nil, err
	}
	a.ready()
	ctx, finish := context.WithCancel(context.Background())
	d := &draining{attendant: a, path: path, finish: finish, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		d.err = cli.Guard(func() error { return d.run(ctx, remove) })
	}()
	return d, nil
}

func (d *draining) run(ctx context.Context, remove bool) error {
	err := d.reader.Run(ctx)
	if err == nil && remove {
		_, d.why, err = d.reader.Remove(ctx)
	}
	// At once, so that another drain can go on if this one failed.
	return errors.Join(err, d.close())
}

// trouble is what the draining, which has ended, is to be blamed for.
func (d *draining) trouble() error {
	if damaged := d.reader.Stats().Damaged; d.err == nil && damaged > 0 {
		return cli.Exitf(cli.Damaged, "%s of %s were damaged; whole records came out", cli.Count(damaged, "part"), d.path)
	}
	if errors.Is(d.err, syscall.EPIPE) {
		return cli.Exit(cli.Failed, d.err) // of which others are silent; but here it was an output
	}
	return d.err
}
