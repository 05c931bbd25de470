package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// table begins a table of numbers. It is printed by Flush.
func table(out io.Writer, heads ...any) *tabwriter.Writer {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w)
	row(w, heads...)
	return w
}

// row adds a row: counts with their thousands set apart, other numbers with two
// digits.
func row(w *tabwriter.Writer, cells ...any) {
	for _, cell := range cells {
		switch n := cell.(type) {
		case int:
			cell = humanize.Comma(int64(n))
		case float64:
			cell = fmt.Sprintf("%.2f", n)
		}
		fmt.Fprintf(w, "%v\t", cell)
	}
	fmt.Fprintln(w)
}

// percent is a share as a text with its unit.
func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
