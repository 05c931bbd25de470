package tables

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/targets"
)

// Heading says when and where a run was, in lines.
func Heading(r *result.Report) []string {
	h := r.Host
	lines := []string{
		r.Started.UTC().Format(time.RFC3339),
		fmt.Sprintf("%s, %d CPUs, %s, Linux %s, %s, load %s when it began", h.CPU, h.CPUs, h.Arch, h.Kernel, h.Go, h.Load),
	}
	if len(h.Versions) > 0 {
		lines = append(lines, strings.Join(h.Versions, ", "))
	}
	s := r.Settings
	lines = append(lines, fmt.Sprintf("up to %d rounds, interleaved, of %v for a line; memory: %s; disk: %s", s.Rounds, s.Time, s.Memory, s.Disk))
	if s.Corpus != "" {
		lines = append(lines, "payloads: lines of "+s.Corpus)
	}
	return lines
}

// Noise says in a line whether the machine was a noisy one.
func Noise(r *result.Report) string {
	noisy, why := r.Noise.Verdict()
	if noisy {
		return "NOISY: " + why + ". Measure again on a quiet machine."
	}
	return "Quiet enough: " + why + "."
}

// Targets is the table of what is to be reached, as far as the run says something of it.
func Targets(r *result.Report) Table {
	t := Table{Title: "Targets, in this run", Head: []string{"what", "want", "got", "", "off by"}}
	for _, v := range targets.Judge(r) {
		if v.Outcome == targets.Unknown && len(r.Settings.Parts) > 0 {
			continue // its part was not asked for
		}
		t.row(v.What, v.Want, v.Got, string(v.Outcome), v.By)
	}
	t.note("In brackets: the quartiles of the rounds.")
	return t
}

// Peers says how each of those compared is set up.
func Peers(r *result.Report) Table {
	t := Table{Title: "What is compared", Head: []string{"peer", "language", "setting"}}
	for _, p := range r.Peers {
		if !strings.HasSuffix(p.Name, "nowhere") { // like the same to a file, to io.Discard
			t.row(p.Name, p.Language, p.Setting)
		}
	}
	return t
}

// Skipped says what was not measured, and why; it has no rows where all was.
func Skipped(r *result.Report) Table {
	t := Table{Title: "Not measured", Head: []string{"part", "what", "why"}}
	for _, s := range r.Skipped {
		t.row(s.Part, s.Line, s.Why)
	}
	return t
}
