package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

// report is one run, as it is printed and saved.
type report struct {
	Started time.Time     `json:"started"`
	Host    host          `json:"host"`
	Rounds  int           `json:"rounds"`
	Round   time.Duration `json:"round_ns"` // measured time of one candidate in one round
	Results []result      `json:"results"`
}

// print writes the table. Ratios are to the first result.
func (r *report) print(out io.Writer) error {
	h := r.Host
	fmt.Fprintf(out, "%s\n%s, %d CPUs, %s, Linux %s, %s, load %s\n", r.Started.Format(time.RFC3339), h.CPU, h.CPUs, h.Arch, h.Kernel, h.Go, h.Load)
	fmt.Fprintf(out, "%d rounds of %v for each line, interleaved; ns for one operation of one process\n\n", r.Rounds, r.Round)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "what\tmedian\tmin\tmax\tratio\tallocs\tM/s\t\n")
	var noisy, skipped []string
	var first []float64
	for i := range r.Results {
		c := &r.Results[i]
		if c.Skipped != "" {
			skipped = append(skipped, c.Name+": "+c.Skipped)
			continue
		}
		if first == nil {
			first = c.Samples
		}
		fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t\n", c.Name, c.Summary.Median, c.Summary.Min, c.Summary.Max,
			ratio(c.Samples, first), c.Allocs, c.perSecond()/1e6)
		if c.Summary.noisy() {
			noisy = append(noisy, c.Name)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nratio: to the first line, median of the rounds' ratios. M/s: of all its processes.\n")
	if len(noisy) > 0 {
		fmt.Fprintf(out, "NOISY: the middle half of the rounds spans over %.0f %% of the median for: %s. Measure again on a quiet machine.\n",
			noisyAbove*100, strings.Join(noisy, "; "))
	}
	for _, s := range skipped {
		fmt.Fprintln(out, s)
	}
	return r.printIntent(out)
}

func (r *report) save(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
