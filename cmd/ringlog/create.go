package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/ring"
)

func createCommand() *cobra.Command {
	var lanes int
	name, size := cli.DefaultName, cli.Size(ring.DefaultLaneSize)
	cmd := &cobra.Command{
		Use:   "create [PATH]",
		Short: "Make a ring and print its path",
		Long: `Create makes a ring, for this user alone, and prints its absolute path. Without PATH
it lies in memory, in this user's folder for rings. A file that exists is never
replaced.

Each attached process has a lane of its own, which takes its room when it is first
used. A record takes at most an eighth of a lane.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case lanes < 1 || lanes > ring.MaxLanes:
				return cli.Usagef("--lanes %d: want 1 to %d", lanes, ring.MaxLanes)
			case size < ring.MinLaneSize || size > ring.MaxLaneSize || size&(size-1) != 0:
				return cli.Usagef("--lane-size %s: want a power of two from 64KiB to 1GiB; MiB is 2^20 bytes, but M and MB are 10^6", &size)
			case name == "" || strings.ContainsRune(name, '/'):
				return cli.Usagef("--name %q: want a name without a slash", name)
			}
			path := strings.Join(args, "")
			if len(args) > 0 && path == "" {
				return cli.Usagef("PATH is empty: leave it out for a ring in memory")
			}
			if path == "" {
				var err error
				if path, err = ring.DefaultPath(name); err != nil {
					return err
				}
			}
			if err := cli.CreateRing(path, ring.CreateOptions{Lanes: lanes, LaneSize: uint64(size)}); err != nil {
				return err
			}
			// For RINGLOG_RING, which processes in other folders read too.
			absolute, err := filepath.Abs(path)
			if err != nil {
				return fmt.Errorf("finding %s: %w", path, err)
			}
			_, err = fmt.Println(absolute)
			return err
		},
	}
	cmd.Flags().Var(&size, "lane-size", "size of each lane: a power of two from 64KiB to 1GiB")
	cmd.Flags().IntVar(&lanes, "lanes", ring.DefaultLanes, "how many processes can be attached at once, 1 to 4096")
	cmd.Flags().StringVar(&name, "name", name, "begin of the file's name, where no PATH is given")
	return cmd
}
