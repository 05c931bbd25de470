package status

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// Level is a minimum level of the ring. The names of its members in JSON are stable.
type Level struct {
	Prefix string `json:"prefix"` // name of a logger; empty: all loggers
	Level  string `json:"level"`
}

// Levels are the minimum levels of a ring, by prefix. The names of its members in
// JSON are stable.
type Levels struct {
	Rules []Level `json:"levels"`
	// Unsettled: they are being changed, or who changed them died in the middle, so
	// that workers keep the rules they had. Rules are then those that are whole.
	Unsettled bool `json:"levels_unsettled"`
}

// ReadLevels reads the minimum levels of the ring at path. Errors: those of
// ring.Inspect.
func ReadLevels(path string) (Levels, error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return Levels{}, err
	}
	defer in.Close()
	return readLevels(in), nil
}

func readLevels(in *ring.Inspector) Levels {
	rules, ok := in.Levels()
	l := Levels{Rules: []Level{}, Unsettled: !ok}
	slices.SortFunc(rules, func(a, b ring.LevelRule) int { return strings.Compare(a.Prefix, b.Prefix) })
	for _, r := range rules {
		l.Rules = append(l.Rules, Level{Prefix: r.Prefix, Level: record.Level(r.Level).String()})
	}
	return l
}

// Print writes l for people.
func (l Levels) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(l.Rules) > 0 {
		fmt.Fprintln(t, "logger\tminimum level")
	} else {
		fmt.Fprintln(t, "no rules: each worker's own minimum level holds")
	}
	for _, r := range l.Rules {
		fmt.Fprintf(t, "%s\t%s\n", r.logger(), r.Level)
	}
	if l.Unsettled {
		fmt.Fprintln(t, "not settled: workers keep the rules they had; if this stays, set a rule again")
	}
	return t.Flush()
}

// logger says which loggers the rule is for.
func (l Level) logger() string {
	if l.Prefix == "" {
		return "(all)"
	}
	return cli.Clean(l.Prefix)
}

// line is all rules in one line: "(all) WARNING, trades DEBUG"; empty if there is
// nothing to say.
func (l Levels) line() string {
	var parts []string
	for _, r := range l.Rules {
		parts = append(parts, r.logger()+" "+r.Level)
	}
	if l.Unsettled {
		parts = append(parts, "(not settled)")
	}
	return strings.Join(parts, ", ")
}
