package main

import (
	"strings"
	"time"

	"github.com/ringlog/ringlog/internal/overlay"
)

// mutant is the code with one rule broken.
type mutant struct {
	name  string // says what is wrong, in a few words
	rule  string // of docs/format.md, or a decision of docs/architecture.md
	edits []overlay.Edit
	// tests are to notice, the cheapest first: the others run only if it does not.
	tests []suite
	// hangs: tests that never end are what is to be seen of it.
	hangs bool
}

// files are the names of the changed files, each once.
func (m *mutant) files() string {
	var names []string
	for _, e := range m.edits {
		if len(names) == 0 || names[len(names)-1] != e.File {
			names = append(names, e.File)
		}
	}
	return strings.Join(names, ", ")
}

// suite is one run of a package's tests.
type suite struct {
	pkg  string // from the module's root, with ./
	run  string // pattern of the tests' names; "": all of them
	tags string // build tags, with commas
	race bool
	full bool   // also what -short leaves out
	skip string // pattern of names of tests that are not to run
	// confined: its tests leave nothing behind but files in the temporary folder if
	// they are killed, as they are once one has failed.
	confined bool
}

// arguments are those of the go command. Vet's opinion of broken code is not wanted,
// and neither is a result from before.
func (s suite) arguments(timeout time.Duration) []string {
	return append([]string{"test", "-json", "-vet=off", "-count=1", "-failfast", "-timeout=" + timeout.String()}, s.choice()...)
}

// choice is what tells one suite from another.
func (s suite) choice() (args []string) {
	if s.race {
		args = append(args, "-race")
	}
	if !s.full {
		args = append(args, "-short")
	}
	if s.tags != "" {
		args = append(args, "-tags="+s.tags)
	}
	if s.run != "" {
		args = append(args, "-run="+s.run)
	}
	if s.skip != "" {
		args = append(args, "-skip="+s.skip)
	}
	return append(args, s.pkg)
}

func (s suite) String() string { return "go test " + strings.Join(s.choice(), " ") }
