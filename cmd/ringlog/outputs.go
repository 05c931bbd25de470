package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/selector"
)

// outputForms is what parseOutputs reads, for the help of commands that have --out.
const outputForms = `--out PATH gets every record; --out SELECTOR=PATH those that the selector wants:

  trades=PATH                    records of the logger trades and of the loggers below it
  root=PATH                      records without a logger's name, which lines show as root
  {study=wf,trial=17}=PATH       records with these attributes (put it in quotes in a shell)
  orders{trial=17}=PATH          both

PATH may have the same fields in it: logs/{study}/{trial}.log is a file for each trial,
and takes the records that have both; also {logger}, {level}, {worker} and {pid}. "-" is
standard output, "stderr" standard error. A "{" that is no field is written as "{{".

A value is compared as text lines show it. A logger, key or value with one of {}=,"
in it is written in double quotes, as in {note="a, b"}=PATH. --out can be given up to 64
times. A PATH that has one of ={" before its first "/" is to be written as ./PATH. Levels,
layouts, other rotation and more are for a configuration file: ringlog config example.`

// parseOutputs reads the values of --out.
func parseOutputs(outs []string) ([]reader.Output, error) {
	var list []reader.Output
	seen := map[string]bool{}
	for _, text := range outs {
		s, path, err := selector.ParseOutput(text)
		if err != nil {
			return nil, cli.Usagef("--out %s: %s", text, strings.TrimPrefix(err.Error(), "selector: "))
		}
		if path == "" {
			return nil, cli.Usagef("--out %q has no path: want PATH, SELECTOR=PATH or -", text)
		}
		if key := filepath.Clean(path); seen[key] {
			return nil, cli.Usagef("--out %q: %s is an output already", text, key)
		} else {
			seen[key] = true
		}
		list = append(list, reader.Output{Path: path, Loggers: s.Loggers, Attrs: s.Attrs})
	}
	return list, nil
}

// isStream says whether path is standard output or standard error, and no file.
func isStream(path string) bool { return path == "-" || path == "stderr" }

// refuseRings refuses outputs that are rings: a line appended to one would spoil
// it for all who have it.
func refuseRings(outs []reader.Output) error {
	for _, o := range outs {
		// Asked first: opening a pipe waits for its other end.
		if st, err := os.Stat(o.Path); isStream(o.Path) || err != nil || !st.Mode().IsRegular() {
			continue
		}
		if ring.Is(o.Path) {
			return cli.Exitf(cli.Refused, "--out %s is a ring, which lines would spoil; name a log file", o.Path)
		}
	}
	return nil
}
