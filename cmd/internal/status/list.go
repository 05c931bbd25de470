package status

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/ringlog/ringlog/cmd/internal/cli"
)

// Item is a ring of a list. The names of its members in JSON are stable.
type Item struct {
	Path      string     `json:"path"`
	State     string     `json:"state"` // live, undrained, left over or unusable
	Undrained uint64     `json:"undrained_bytes"`
	Work      string     `json:"work"` // what else a drain has to do; empty: nothing
	Size      uint64     `json:"size_bytes"`
	Allocated uint64     `json:"allocated_bytes"`
	Created   *time.Time `json:"created_at"`
	ReaderPID int        `json:"reader_pid"` // 0: none is running
	Error     string     `json:"error"`      // why it is unusable
}

// List returns the rings in the folder dir, and the others named.
func List(dir string, others ...string) ([]Item, error) {
	names, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the folder of rings: %w", err)
	}
	var paths []string
	for _, n := range names {
		if filepath.Ext(n.Name()) == ".ring" {
			paths = append(paths, filepath.Join(dir, n.Name()))
		}
	}
	seen := map[string]bool{}
	list := []Item{}
	for _, p := range append(paths, others...) {
		key, err := filepath.Abs(p)
		if err != nil || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, item(p))
	}
	return list, nil
}

func item(path string) Item {
	r, err := Read(path)
	if err != nil {
		return Item{Path: path, State: "unusable", Error: cli.Message(err)}
	}
	i := Item{
		Path: path, State: "left over", Size: r.Size, Allocated: r.Allocated, Created: &r.Created,
		Undrained: r.Undrained(), Work: r.Work(),
	}
	if r.Reader.Running {
		i.ReaderPID = r.Reader.PID
	}
	switch {
	case r.Live():
		i.State = "live"
	case i.Undrained > 0 || i.Work != "":
		i.State = "undrained"
	}
	return i
}

// undrained is what a drain would find, for people.
func (i *Item) undrained() string {
	if i.Undrained == 0 && i.Work != "" {
		return i.Work
	}
	return humanize.IBytes(i.Undrained)
}

// PrintList writes list for people, with what to do about each ring that nobody
// drains.
func PrintList(w io.Writer, list []Item) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no rings")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ring\tstate\tundrained\tsize\tallocated\tage\treader pid\twhat to do")
	for _, i := range list {
		path := cli.Clean(i.Path)
		if i.State == "unusable" {
			fmt.Fprintf(t, "%s\t%s\t-\t-\t-\t-\t-\t%s\n", path, i.State, i.Error)
			continue
		}
		reader, advice := "-", "-"
		if i.ReaderPID != 0 {
			reader = strconv.Itoa(i.ReaderPID)
		}
		// Without --out a drain would print everything, which is then gone from the ring.
		switch i.State {
		case "live":
			if i.ReaderPID == 0 {
				advice = "ringlog drain --ring " + cli.Quote(i.Path) + " --out FILE"
			}
		case "undrained":
			advice = "ringlog drain --once --ring " + cli.Quote(i.Path) + " --out FILE"
		case "left over":
			advice = "rm " + cli.Quote(i.Path)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", path, i.State, i.undrained(), humanize.IBytes(i.Size),
			humanize.IBytes(i.Allocated), time.Since(*i.Created).Round(time.Second), reader, advice)
	}
	return t.Flush()
}
