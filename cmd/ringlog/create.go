package main

import (
	"fmt"
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
used. A record takes at most an eighth of a lane. Lanes are made smaller where there
is little room, unless --lane-size is given; that is said on standard error.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
			o := ring.CreateOptions{Lanes: lanes}
			if cmd.Flags().Changed("lane-size") {
				o.LaneSize = uint64(size)
			}
			made, err := makeRing(path, name, o)
			if err != nil {
				return err
			}
			_, err = fmt.Println(made)
			return err
		},
	}
	cmd.Flags().Var(&size, "lane-size", "size of each lane: a power of two from 64KiB to 1GiB")
	cmd.Flags().IntVar(&lanes, "lanes", ring.DefaultLanes, "how many processes can be attached at once, 1 to 4096")
	cmd.Flags().StringVar(&name, "name", name, "begin of the file's name, where no PATH is given")
	return cmd
}
