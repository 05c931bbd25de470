package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/config"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check a configuration file, or print one to begin with",
		Long: `A configuration file says where lines go, how they look, and what happens to files
that are full. ringlog drain and ringlog run read the one that --config names.

  ringlog config example > ringlog.yaml
  ringlog config check ringlog.yaml
  ringlog drain --config ringlog.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("no command given: want one of %s", commandNames(cmd))
			}
			return cli.Usagef("unknown command %q: want one of %s", args[0], commandNames(cmd))
		},
	}
	cmd.AddCommand(configCheckCommand(), configExampleCommand())
	return cmd
}

func configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong with configuration files",
		Long: `Check reads configuration files; "-" is standard input. For each that is right it
prints its name and how many outputs it has. For others it prints, on standard error,
a line for each mistake, with its place:

  ringlog.yaml:12:5: unknown key "formt" in output 2: did you mean "format"?

It also looks whether outputs are folders, and whether hooks can be run, but opens no
output and changes nothing. It exits with 2 if there are mistakes, else with 1 if a
file cannot be read.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			code := cli.OK
			for _, file := range files {
				c, err := config.Look(file)
				if file == "-" {
					file = "stdin"
				}
				var mistake *config.Error
				switch {
				case err == nil:
					if _, err := fmt.Printf("%s: ok: %s\n", cli.Clean(file), cli.Count(uint64(len(c.Outputs)), "output")); err != nil {
						return err
					}
				case errors.As(err, &mistake):
					for line := range strings.SplitSeq(err.Error(), "\n") {
						fmt.Fprintln(os.Stderr, cli.Clean(line))
					}
					code = cli.BadUsage
				default:
					fmt.Fprintf(os.Stderr, "ringlog: %s\n", cli.Message(err))
					code = max(code, cli.Failed)
				}
			}
			if code != cli.OK {
				return cli.Exit(code, nil)
			}
			return nil
		},
	}
}

func configExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a configuration file that shows every key",
		Long: `Example prints a configuration file that shows every key and says what it means. A
line such as "#key: value", with nothing between # and the key, is a key that is left
out: take the # away to have it.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := os.Stdout.Write(config.Example())
			return err
		},
	}
}
