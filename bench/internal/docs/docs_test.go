package docs

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/bench/internal/host"
	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/plots"
	"github.com/ringlog/ringlog/bench/internal/result"
)

// fixed is a run of everything, each figure of which is 42 or some power of ten of it.
func fixed() *result.Report {
	r := &result.Report{
		Started: time.Date(2026, 11, 28, 1, 2, 3, 0, time.UTC), Took: 7 * time.Minute,
		Host:     host.Host{CPU: "Z80", CPUs: 2, Kernel: "6.1", Go: "go1.26", Versions: []string{"zap v1"}},
		Noise:    host.Noise{Spin: []float64{1, 1, 1}},
		Settings: result.Settings{Rounds: 5, Time: time.Second, Rate: 100_000, Sizes: []int{16, 8192}},
		Clock:    parts.FloorCounter,
		Peers:    []result.Peer{{Name: "zap → file", Language: "Go", Setting: "as it comes"}},
		Skipped:  []result.Skip{{Part: parts.Latency, Line: "LTTng-UST", Why: "apt-get install lttng-tools"}},
		Python:   "host\n\nThroughput: x\n\nOne call a\n\nOne call b\n\nringlog: 5 woke the reader\n\nTargets",
	}
	metrics := []string{parts.Call, parts.Allocs, parts.Rate, parts.Bytes, parts.LostCount, parts.Processor, parts.Memory, parts.Idle, "p50", "p90", "p99", "p99.9", "p99.99", "max"}
	for _, p := range parts.All(parts.Options{Rate: r.Settings.Rate, Sizes: r.Settings.Sizes}) {
		for _, l := range p.Lines {
			for _, metric := range metrics {
				for _, x := range abscissas(p.Name, l.X) {
					r.Add(result.Series{Part: p.Name, Line: l.Name, Group: l.Group, Metric: metric, X: x}, 42)
				}
			}
			for _, rate := range []float64{0, r.Settings.Rate, parts.HighRate} {
				if p.Name == parts.Latency {
					r.Spreads = append(r.Spreads, result.Distribution{Line: l.Name, Rate: rate, Values: [][2]int64{{42, 900}, {420, 99}, {4200, 1}}})
				}
			}
		}
	}
	return r
}

func abscissas(part string, x float64) []float64 {
	if part == parts.Latency {
		return []float64{0, 100_000, parts.HighRate}
	}
	return []float64{x}
}

func TestThePageHasEveryPartAndEveryPlotItNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Write(fixed(), dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		"Z80, 2 CPUs", "Quiet enough", "took 7 minutes", "Targets, in this run", "| append of 100 B, single producer |", "## What a call costs", "## How long one call takes",
		"## Throughput against workers", "## The drain", "### Against the size", "### Against the number of lanes", "### What exactly-once costs", "## The reader at rest",
		"One call a", "| zap → file | Go | as it comes |", "apt-get install lttng-tools",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, not := range []string{"One call b", "woke the reader", "<no value>", "%!", "NaN"} {
		if strings.Contains(page, not) {
			t.Errorf("there is %q", not)
		}
	}
	links := regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(page, -1)
	if len(links) != 6 {
		t.Errorf("%d plots", len(links))
	}
	for _, l := range links {
		if _, err := os.Stat(filepath.Join(dir, l[1])); err != nil {
			t.Error(err)
		}
	}
}

// What a run has not measured, the page does not speak of.
func TestThePageOfAPartHasThatPartAlone(t *testing.T) {
	t.Parallel()
	r := fixed()
	r.Settings.Parts = []string{parts.Lanes}
	r.Python, r.Spreads = "", nil
	kept := r.Series[:0]
	for _, s := range r.Series {
		if s.Part == parts.Lanes {
			kept = append(kept, s)
		}
	}
	r.Series = kept
	drawn, err := plots.Write(r, t.TempDir())
	if err != nil || len(drawn) != 1 {
		t.Fatalf("%v, %v", drawn, err)
	}
	page, err := Render(r, drawn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page, "number of lanes") || !strings.Contains(page, "lanes.svg") || strings.Contains(page, "What a call costs") || strings.Contains(page, "latency.svg") {
		t.Error(page)
	}
}

func TestPlotsAreWholeSVGWithColoursForADarkGround(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drawn, err := plots.Write(fixed(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range drawn {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		svg := string(b)
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if strings.Count(svg, "prefers-color-scheme: dark") != 1 || strings.Contains(svg, "NaN") {
			t.Errorf("%s: no style for a dark ground, or a point that is none", name)
		}
		style := regexp.MustCompile(`(?:fill|stroke):(#[0-9A-F]{6})`)
		sheet := svg[strings.Index(svg, "<style>"):strings.Index(svg, "</style>")]
		for _, m := range style.FindAllStringSubmatch(svg[strings.Index(svg, "</style>"):], -1) {
			if !strings.Contains(sheet, m[1]) {
				t.Errorf("%s: %s has no other colour on a dark ground", name, m[1])
			}
		}
	}
}
