package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

func levelCommand() *cobra.Command {
	var path cli.RingPath
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "level [RING] [[PREFIX=]LEVEL | PREFIX=]...",
		Short: "Show or change the minimum levels of running workers, by logger",
		Long: `Level shows the minimum levels that a ring has by logger, or changes them and shows
what they are then. Running workers obey at their next records, and those that
attach later do too. RING, which can also be given by --ring, defaults to
$RINGLOG_RING if it is left out or empty.

  ringlog level RING trades=debug app=warning   these loggers and those below them
  ringlog level RING info                       all loggers
  ringlog level RING trades= =                  no rule for trades, none for all

A first argument that reads as a level, or has a "=" and no slash, is a rule, unless
a file has that name.

"trades" is also for "trades.fx", not for "tradesman"; of the rules that fit a logger
the longest counts. Where none fits, the worker's own minimum holds. A level is debug,
info, warning, error or critical, or one of them with a step, such as info+2. Rules
that are not named stay as they are. They are for loggers: what ringlog append or a
writer's Append takes has no minimum.

--json prints one object with the members levels (prefix, which is empty for all
loggers, and level) and levels_unsettled (true while they are being changed).`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 && path == "" && !isRule(args[0]) {
				path, args = cli.RingPath(args[0]), args[1:]
			}
			var changes []levelChange
			for _, arg := range args {
				c, err := parseLevelChange(arg)
				if err != nil {
					return err
				}
				changes = append(changes, c)
			}
			named, err := cli.Named(string(path))
			if err != nil {
				return err
			}
			if len(changes) > 0 {
				if err := changeLevels(named, changes); err != nil {
					return err
				}
			}
			levels, err := status.ReadLevels(named)
			if err != nil {
				return cli.Opening(err)
			}
			if asJSON {
				return cli.WriteJSON(os.Stdout, levels)
			}
			return levels.Print(os.Stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of a table")
	cmd.Flags().Var(&path, "ring", "path of the ring; then all arguments are rules")
	return cmd
}

// isRule says whether arg, where a ring may stand, is a rule.
func isRule(arg string) bool {
	if st, err := os.Stat(arg); err == nil && st.Mode().IsRegular() {
		return false
	}
	_, err := record.ParseLevel(arg)
	return err == nil || strings.Contains(arg, "=") && !strings.Contains(arg, "/")
}

// levelChange sets or removes the rule of one prefix.
type levelChange struct {
	ring.LevelRule
	remove bool
}

// parseLevelChange reads LEVEL, PREFIX=LEVEL or PREFIX=.
func parseLevelChange(arg string) (c levelChange, err error) {
	level := arg
	// The last one: a logger's name may have the sign in it, a level has not.
	if i := strings.LastIndexByte(arg, '='); i >= 0 {
		c.Prefix, level = arg[:i], arg[i+1:]
		c.remove = level == ""
	}
	if c.remove {
		return c, nil
	}
	l, err := record.ParseLevel(level)
	if err != nil {
		return c, cli.Usage(err)
	}
	c.Level = int16(l)
	return c, nil
}

func changeLevels(path string, changes []levelChange) error {
	err := ring.SetLevels(path, func(rules []ring.LevelRule) []ring.LevelRule {
		for _, c := range changes {
			i := slices.IndexFunc(rules, func(r ring.LevelRule) bool { return r.Prefix == c.Prefix })
			switch {
			case c.remove && i >= 0:
				rules = slices.Delete(rules, i, i+1)
			case c.remove:
			case i >= 0:
				rules[i] = c.LevelRule
			default:
				rules = append(rules, c.LevelRule)
			}
		}
		return rules
	})
	if errors.Is(err, ring.ErrBusy) {
		return cli.Exit(cli.Refused, err)
	}
	return cli.Opening(err)
}
