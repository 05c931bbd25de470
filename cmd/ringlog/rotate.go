package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/ring"
)

func rotateCommand() *cobra.Command {
	var path cli.RingPath
	timeout := 10 * time.Second
	cmd := &cobra.Command{
		Use:   "rotate [RING]",
		Short: "Have a ring's drain rotate its log files now",
		Long: `Rotate asks whoever drains the ring to set aside the files that it has open, but for
empty ones, and waits until that is done. What is then done with them, such as
compression, goes on in the background. RING, which can also be given by --ring,
defaults to $RINGLOG_RING.

It exits with 4 if nobody drains the ring, and with 1 if a file could not be rotated:
that one goes on as it is.`,
		Example: `  ringlog rotate /dev/shm/study.ring`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				if path != "" {
					return cli.Usagef("%q and --ring %s: want one ring", args[0], path)
				}
				path = cli.RingPath(args[0])
			}
			named, err := cli.Named(string(path))
			if err != nil {
				return err
			}
			return rotate(named, timeout)
		},
	}
	cmd.Flags().Var(&path, "ring", "path of the ring")
	cmd.Flags().DurationVar(&timeout, "timeout", timeout, "how long to wait")
	return cmd
}

func rotate(path string, timeout time.Duration) error {
	before, err := status.Read(path)
	if err != nil {
		return cli.Opening(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	switch err := ring.Rotate(ctx, path); {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the reader of %s, pid %d, has not rotated within %v, and will when it can; ringlog stat says what keeps it", path, before.Reader.PID, timeout)
	case errors.Is(err, ring.ErrNoReader):
		return cli.Exit(cli.Refused, err)
	case err != nil:
		return cli.Opening(err)
	}
	after, err := status.Read(path)
	if err != nil {
		return cli.Opening(err)
	}
	if after.Reader.Errors > before.Reader.Errors {
		return fmt.Errorf("trouble while rotating: %s", after.Reader.LastError)
	}
	return nil
}
