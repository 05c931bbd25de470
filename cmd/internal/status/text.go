package status

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

const layout = "2006-01-02 15:04:05"

// Print writes r for people.
func (r *Ring) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "ring\t%s\n", cli.Clean(r.Path))
	fmt.Fprintf(t, "id\t%s\n", r.ID)
	fmt.Fprintf(t, "created\t%s\n", r.Created.Local().Format(layout))
	fmt.Fprintf(t, "size\t%s: %d lanes of %s; %s allocated\n", humanize.IBytes(r.Size), r.LaneCount, humanize.IBytes(r.LaneSize), humanize.IBytes(r.Allocated))
	fmt.Fprintf(t, "reader\t%s\n", r.readerLine())
	if r.Reader.LastError != "" && r.Reader.LastErrorAt != nil {
		fmt.Fprintf(t, "last error\t%s ago, of %d: %s\n", age(r.Now, r.Reader.LastErrorAt), r.Reader.Errors, cli.Clean(r.Reader.LastError))
	}
	if r.Intent != "none" {
		fmt.Fprintf(t, "batch\t%s\n", r.Intent)
	}
	if r.Retired {
		fmt.Fprint(t, "retired\tthe ring is being removed\n")
	}
	if levels := r.Levels.line(); levels != "" {
		fmt.Fprintf(t, "levels\t%s\n", levels)
	}
	if len(r.Lanes) == 0 {
		fmt.Fprint(t, "lanes\tnone used yet\n")
	}
	if err := t.Flush(); err != nil || len(r.Lanes) == 0 {
		return err
	}
	fmt.Fprintln(t, "\nlane\tstate\tworker\tpid\tattached\tbacklog\tof lane\thigh water\tdelivered\tlost (+ from WARNING)\ttorn\tdamaged")
	for _, l := range r.Lanes {
		attached := "-"
		if l.Attached != nil {
			attached = l.Attached.Local().Format(layout)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%s\t%.1f%%\t%s\t%d\t%s\t%d\t%d\n", l.Lane, l.State, cli.Clean(l.Worker), l.PID, attached,
			humanize.IBytes(l.Backlog), 100*float64(l.Backlog)/float64(r.LaneSize), humanize.IBytes(l.HighWater),
			l.Delivered, l.lostText(), l.Torn, l.Damaged)
	}
	for _, l := range r.Lanes {
		if l.Trouble != "" {
			fmt.Fprintf(t, "lane %d: %s\n", l.Lane, cli.Clean(l.Trouble))
		}
	}
	return t.Flush()
}

func (r *Ring) readerLine() string {
	switch {
	case r.Reader.Running:
		return fmt.Sprintf("running, pid %d, for %s, last sign of life %s ago", r.Reader.PID, age(r.Now, r.Reader.Since), age(r.Now, r.Reader.Heartbeat))
	case r.Reader.PID == 0:
		return "none yet"
	}
	return fmt.Sprintf("none; the last one was pid %d, last sign of life %s ago", r.Reader.PID, age(r.Now, r.Reader.Heartbeat))
}

// age is how long before now t was.
func age(now time.Time, t *time.Time) string {
	if t == nil {
		return "an unknown time"
	}
	d := now.Sub(*t)
	if d < time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// lostText is the number of lost records by reason: "12+3 full", the second
// number being WARNING and above.
func (l *Lane) lostText() string {
	var parts []string
	for reason, n := range l.Lost {
		parts = append(parts, fmt.Sprintf("%d+%d %s", n.Below, n.Above, strings.ReplaceAll(reason, "_", " ")))
	}
	if len(parts) == 0 {
		return "0"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
