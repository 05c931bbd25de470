// Command ringlog makes rings, appends to them, drains them into log files and
// shows what is in them.
package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

func main() { os.Exit(cli.Main(rootCommand())) }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ringlog",
		Short: "Log from many processes through one ring file",
		Long: `Worker processes append records to a ring file in memory; one reader drains it
into rotating log files. A ring is named by --ring, by a PATH, or by RINGLOG_RING.

  ringlog create /dev/shm/study.ring
  export RINGLOG_RING=/dev/shm/study.ring
  ./study | ringlog append --worker trial-17 &
  ringlog drain --out logs/app.log`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("no command given: want one of %s", commandNames(cmd))
			}
			return cli.Usagef("unknown command %q: want one of %s", args[0], commandNames(cmd))
		},
	}
	root.AddCommand(createCommand(), appendCommand(), drainCommand(), statCommand(), levelCommand(), lsCommand(), rotateCommand(), configCommand(), runCommand())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = knownCommand
	}
	return root
}

// knownCommand refuses help for what there is not, which cobra takes for success.
func knownCommand(help *cobra.Command, args []string) error {
	if _, rest, err := help.Root().Find(args); err != nil || len(rest) > 0 {
		return cli.Usagef("no help for %q: want one of %s", strings.Join(args, " "), commandNames(help.Root()))
	}
	return nil
}

func commandNames(root *cobra.Command) string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" && c.Name() != "completion" {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, ", ")
}
