package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func (f finding) String() string {
	switch f {
	case passed:
		return "passed"
	case failed:
		return "failed"
	case hung:
		return "hung"
	case unbuilt:
		return "does not compile"
	case nothing:
		return "has no tests"
	}
	return "interrupted"
}

// String is the line of progress.
func (r *result) String() string {
	switch {
	case r.err != nil:
		return fmt.Sprintf("%s: ERROR: %v", r.mutant.name, r.err)
	case r.survived():
		return fmt.Sprintf("%s: SURVIVED", r.mutant.name)
	}
	return fmt.Sprintf("%s: caught by %s after %.1f s", r.mutant.name, r.catcher(), r.took.Seconds())
}

// catcher is the test that noticed, and what of a run that is not the plain one made
// the difference.
func (r *result) catcher() string {
	if r.caught.finding == hung {
		return "tests that do not end in " + r.by.pkg
	}
	var how []string
	if r.by.race {
		how = append(how, "-race")
	}
	if r.by.tags != "" {
		how = append(how, "-tags "+r.by.tags)
	}
	if how == nil {
		return r.caught.what
	}
	return r.caught.what + " (" + strings.Join(how, " ") + ")"
}

func printTable(out io.Writer, results []result) error {
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "mutant\trule\tfile\tcaught by\tafter s")
	for i := range results {
		r := &results[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t", r.mutant.name, r.mutant.rule, r.mutant.files())
		switch {
		case r.err != nil:
			fmt.Fprintln(t, "ERROR, see above\t")
		case r.survived():
			fmt.Fprintln(t, "SURVIVED\t")
		default:
			fmt.Fprintf(t, "%s\t%.1f\n", r.catcher(), r.took.Seconds())
		}
	}
	return t.Flush()
}

func printList(out io.Writer, all []mutant) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, m := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", m.name, m.rule, m.files())
		for _, s := range m.tests {
			fmt.Fprintf(t, "  %s\n", s)
		}
	}
	return t.Flush()
}

// saved is a result as it is saved.
type saved struct {
	Mutant  string  `json:"mutant"`
	Rule    string  `json:"rule"`
	Files   string  `json:"files"`
	Outcome string  `json:"outcome"` // caught, survived or error
	By      string  `json:"by,omitempty"`
	Command string  `json:"command,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Error   string  `json:"error,omitempty"`
}

func saveResults(path string, results []result) error {
	all := make([]saved, len(results))
	for i := range results {
		r := &results[i]
		s := saved{Mutant: r.mutant.name, Rule: r.mutant.rule, Files: r.mutant.files(), Outcome: "survived"}
		switch {
		case r.err != nil:
			s.Outcome, s.Error = "error", r.err.Error()
		case !r.survived():
			s.Outcome, s.By, s.Command, s.Seconds = "caught", r.catcher(), r.by.String(), r.took.Seconds()
		}
		all[i] = s
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// verdict is an error unless every mutant was caught.
func verdict(results []result) error {
	survived, wrong := 0, 0
	for i := range results {
		switch r := &results[i]; {
		case r.err != nil:
			wrong++
		case r.survived():
			survived++
		}
	}
	if survived+wrong > 0 {
		return fmt.Errorf("of %d mutants %d survived, which is to say that a test is missing for each, and %d are no mutants (out of date, or do not compile)", len(results), survived, wrong)
	}
	return nil
}
