package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
)

func statCommand() *cobra.Command {
	var asJSON bool
	var ringPath cli.RingPath
	cmd := &cobra.Command{
		Use:   "stat [PATH]",
		Short: "Show the state of a ring, its reader and its lanes",
		Long: `Stat shows a ring, its reader, and every lane that was ever used. It never writes
to the ring. PATH, which can also be given by --ring, defaults to $RINGLOG_RING.

A lane is live (its owner runs), dead (its owner ended without closing it, and the
reader has not yet reported it), closed, free, damaged (out of use) or unknown.
Backlog is what is not drained. High water is the largest backlog a reader met.
Delivered, lost and torn are counts of the lane's last owner; damaged counts since
the ring was made. Lost is by reason: "12+3 full" are 12 below WARNING and 3 at
WARNING and above. Levels are the minimum levels that ringlog level has set.

--json prints one object with the members path, id, created_at, size_bytes,
allocated_bytes, lane_count, lane_size_bytes, retired, reader (running, pid,
started_at, heartbeat_at, errors, last_error, last_error_at), intent, levels (prefix,
level), levels_unsettled, lanes (lane, state, worker, pid, attached_at, backlog_bytes,
high_water_bytes, delivered, lost (by reason: below_warning, warning_and_above),
lost_unmarked, torn, damaged, trouble) and now. Times are in UTC, null where there is none.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && ringPath != "" {
				return cli.Usagef("PATH and --ring exclude each other")
			}
			path, err := cli.Named(strings.Join(args, "") + string(ringPath))
			if err != nil {
				return err
			}
			r, err := status.Read(path)
			if err != nil {
				return cli.Opening(err)
			}
			if asJSON {
				return cli.WriteJSON(os.Stdout, r)
			}
			return r.Print(os.Stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of a table")
	cmd.Flags().Var(&ringPath, "ring", "path of the ring, as PATH")
	return cmd
}
