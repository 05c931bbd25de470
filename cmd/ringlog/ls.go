package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

func lsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List this user's rings",
		Long: `Ls lists the rings in this user's folder for rings, which is
` + ring.DefaultDir() + `, and the one that RINGLOG_RING names.

A ring is live (a reader or a worker has it), undrained (nobody has it, and a drain
would find something), left over (nobody has it, and it holds nothing) or unusable.

--json prints one array of objects with the members path, state, undrained_bytes,
work (what else a drain has to do), size_bytes, allocated_bytes, created_at,
reader_pid (0: none) and error.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var others []string
			if path := os.Getenv(writer.RingVariable); path != "" {
				others = append(others, path)
			}
			list, err := status.List(ring.DefaultDir(), others...)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.WriteJSON(os.Stdout, list)
			}
			return status.PrintList(os.Stdout, list)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON array instead of a table")
	return cmd
}
