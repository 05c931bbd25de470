// Package docs writes docs/benchmarks.md and its plots from a run.
package docs

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/ringlog/ringlog/bench/internal/plots"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/tables"
)

//go:embed benchmarks.md.tmpl
var text string

// Folder is where plots go, below the document's.
const Folder = "benchmarks"

// Write makes benchmarks.md and Folder in dir.
func Write(r *result.Report, dir string) error {
	folder := filepath.Join(dir, Folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	drawn, err := plots.Write(r, folder)
	if err != nil {
		return err
	}
	if err := removeOthers(folder, drawn); err != nil {
		return err
	}
	page, err := Render(r, drawn)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, Folder+".md"), []byte(page), 0o644)
}

// removeOthers removes plots of another run: this one has not got what they show.
func removeOthers(folder string, drawn []string) error {
	there, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	for _, name := range there {
		if !slices.Contains(drawn, filepath.Base(name)) {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// Render makes the page. Drawn are the names of the plots there are.
func Render(r *result.Report, drawn []string) (string, error) {
	t, err := template.New("benchmarks.md").Funcs(template.FuncMap{
		"tables": func(part string) string { return markdown(tables.Of(part, r)...) },
		"table": func(name string) (string, error) {
			switch name {
			case "targets":
				return markdown(tables.Targets(r)), nil
			case "peers":
				return markdown(tables.Peers(r)), nil
			case "skipped":
				return markdown(tables.Skipped(r)), nil
			}
			return "", fmt.Errorf("there is no table %q", name)
		},
		"paced": func() string {
			all := tables.Of("latency", r)
			return markdown(all[:max(1, len(all)-1)]...)
		},
		"plot": func(name, about string) string {
			if !slices.Contains(drawn, name) {
				return ""
			}
			return fmt.Sprintf("![%s](%s/%s)\n", about, Folder, name)
		},
		"heading": func() string { return strings.Join(tables.Heading(r), "\n") },
		"noise":   func() string { return tables.Noise(r) },
		"took":    func() string { return fmt.Sprintf("%.0f", r.Took.Minutes()) },
		"short":   short,
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, r); err != nil {
		return "", err
	}
	return b.String(), nil
}

// short is what the Python benchmark printed, with the first of its tables of single
// calls, and without remarks on runs.
func short(printed string) string {
	var kept []string
	calls := 0
	for block := range strings.SplitSeq(strings.TrimSpace(printed), "\n\n") {
		switch {
		case strings.HasPrefix(block, "One call"):
			if calls++; calls > 1 {
				continue
			}
		case strings.Contains(block, " woke the reader"):
			continue
		}
		kept = append(kept, block)
	}
	return strings.Join(kept, "\n\n")
}

// markdown is tables with their titles, without those that have no rows.
func markdown(all ...tables.Table) string {
	var b strings.Builder
	for _, t := range all {
		if len(t.Rows) > 0 {
			fmt.Fprintf(&b, "**%s**\n\n%s\n", t.Title, t.Markdown())
		}
	}
	return b.String()
}
