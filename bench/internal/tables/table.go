// Package tables makes tables of a run: as text for a terminal, as Markdown for the
// document.
package tables

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is rows of cells below a head, each as many as that has.
type Table struct {
	Title string
	Head  []string
	Rows  [][]string
	Notes []string
}

func (t *Table) row(cells ...string) { t.Rows = append(t.Rows, cells) }

func (t *Table) note(format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}

// Text writes t for a terminal.
func (t *Table) Text(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", t.Title)
	for _, r := range append([][]string{t.Head}, t.Rows...) {
		var line strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", t.width(i)-utf8.RuneCountInString(cell))
			if t.words(i) {
				cell += pad
			} else {
				cell = pad + cell
			}
			line.WriteString("  " + cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	for _, n := range t.Notes {
		b.WriteString(n + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// width is that of a column.
func (t *Table) width(column int) int {
	w := utf8.RuneCountInString(t.Head[column])
	for _, r := range t.Rows {
		w = max(w, utf8.RuneCountInString(r[column]))
	}
	return w
}

// words says whether a column has words, which stand on the left; figures stand on
// the right.
func (t *Table) words(column int) bool {
	for _, r := range t.Rows {
		if strings.ContainsAny(r[column][:min(1, len(r[column]))], "0123456789+-") {
			return column == 0
		}
	}
	return true
}

// Markdown is t without its title.
func (t *Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, c := range cells {
			b.WriteString(" " + strings.ReplaceAll(c, "|", `\|`) + " |")
		}
		b.WriteString("\n")
	}
	line(t.Head)
	b.WriteString("|")
	for i := range t.Head {
		if t.words(i) {
			b.WriteString("---|")
		} else {
			b.WriteString("---:|")
		}
	}
	b.WriteString("\n")
	for _, r := range t.Rows {
		line(r)
	}
	for _, n := range t.Notes {
		b.WriteString("\n" + n + "\n")
	}
	return b.String()
}
