package plots

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/result"
	"github.com/ringlog/ringlog/bench/internal/tables"
)

// The files that Write makes.
const (
	Latency   = "latency.svg"
	HighRate  = "latency-1m.svg"
	Workers   = "workers.svg"
	Sizes     = "sizes.svg"
	Lanes     = "lanes.svg"
	Breakdown = "append.svg"
)

// Write draws what r has into dir, which exists, and returns the names of the files.
func Write(r *result.Report, dir string) (names []string, err error) {
	for _, f := range []struct {
		name string
		draw func(*result.Report, string) (bool, error)
	}{
		{Latency, func(r *result.Report, path string) (bool, error) { return latency(r, r.Settings.Rate, path) }},
		{HighRate, func(r *result.Report, path string) (bool, error) { return latency(r, parts.HighRate, path) }},
		{Workers, workers},
		{Sizes, sizes},
		{Lanes, lanes},
		{Breakdown, breakdown},
	} {
		drawn, err := f.draw(r, filepath.Join(dir, f.name))
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", f.name, err)
		}
		if drawn {
			names = append(names, f.name)
		}
	}
	return names, nil
}

// add draws a curve, with its name in the legend.
func add(p *plot.Plot, l *plot.Legend, i int, name string, points plotter.XYs, marks bool) error {
	line, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	line.Color, line.Width, line.Dashes = curve(i), vg.Points(1.8), dashes(i)
	p.Add(line)
	if !marks {
		l.Add(name, line)
		return nil
	}
	dots, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	dots.Color, dots.Radius, dots.Shape = curve(i), vg.Points(2.6), draw.CircleGlyph{}
	p.Add(dots)
	l.Add(name, line, dots)
	return nil
}

func addGrid(p *plot.Plot) {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = grid.light, grid.light
	p.Add(g)
}

// latency has the percentiles as the plots of HDR histograms have them: each nine takes
// as much room as the one before it.
func latency(r *result.Report, rate float64, path string) (bool, error) {
	p := newPlot(fmt.Sprintf("One call at %s, from when it was due", tables.PerSecond(rate)), "percentile of the calls", "time of a call")
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, times{}
	p.X.Tick.Marker = nines{}
	addGrid(p)
	legend := newLegend()
	low, high, most := math.Inf(1), 0.0, 0.0
	looks := map[string]int{} // a line looks the same at all rates
	for _, d := range r.Spreads {
		i, known := looks[d.Line]
		if !known {
			i = len(looks)
			looks[d.Line] = i
		}
		if d.Rate != rate || strings.HasSuffix(d.Line, parts.Apart) { // which the table has, so that the plot can be read
			continue
		}
		points := percentiles(d.Values)
		if err := add(p, legend, i, d.Line, points, false); err != nil {
			return false, err
		}
		for _, at := range points {
			low, high, most = min(low, at.Y), max(high, at.Y), max(most, at.X)
		}
	}
	if high == 0 {
		return false, nil
	}
	p.X.Min, p.X.Max = 0, math.Ceil(most)
	p.Y.Min, p.Y.Max = decade(low, math.Floor), decade(high, math.Ceil)
	return true, write(p, legend, path, height)
}

func decade(v float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(max(v, 1))))
}

// percentiles are the points of a curve: at x nines, that share of the calls took no
// longer than y. The longest call is where there is one call beyond.
func percentiles(values [][2]int64) plotter.XYs {
	total := int64(0)
	for _, v := range values {
		total += v[1]
	}
	var points plotter.XYs
	below := int64(0)
	for i, v := range values {
		x := math.Log10(float64(total) / float64(total-below))
		if n := len(points); n == 0 || x-points[n-1].X > 0.02 || i == len(values)-1 {
			points = append(points, plotter.XY{X: x, Y: float64(v[0])})
		}
		below += v[1]
	}
	return points
}

// curvesOf are the lines of a part against X, of one metric.
func curvesOf(r *result.Report, part, metric string) map[string]plotter.XYs {
	all := map[string]plotter.XYs{}
	for _, s := range r.Of(part) {
		if s.Metric == metric && s.X > 0 {
			all[s.Line] = append(all[s.Line], plotter.XY{X: s.X, Y: s.Summary().Median})
		}
	}
	return all
}

// names are the lines of curves, in the order of the run.
func names(r *result.Report, part string, curves map[string]plotter.XYs) []string {
	var all []string
	seen := map[string]bool{}
	for _, s := range r.Of(part) {
		if !seen[s.Line] && len(curves[s.Line]) > 0 {
			seen[s.Line] = true
			all = append(all, s.Line)
		}
	}
	return all
}

func workers(r *result.Report, path string) (bool, error) {
	p := newPlot("Records until they are in the files, in memory", "processes that log at once", "million records a second, of all")
	p.X.Scale, p.X.Tick.Marker = log2{}, powers{"%.0f"}
	addGrid(p)
	legend, curves := newLegend(), curvesOf(r, parts.Workers, parts.Rate)
	for i, name := range names(r, parts.Workers, curves) {
		for j := range curves[name] {
			curves[name][j].Y /= 1e6
		}
		if err := add(p, legend, i, name, curves[name], true); err != nil {
			return false, err
		}
	}
	p.Y.Min = 0
	return len(curves) > 0, write(p, legend, path, height)
}

func sizes(r *result.Report, path string) (bool, error) {
	p := newPlot("Drain throughput against the size of a record", "bytes of a record", "MB of the file a second")
	p.X.Scale, p.X.Tick.Marker = log2{}, powers{"size"}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plain{}
	addGrid(p)
	legend, curves := newLegend(), curvesOf(r, parts.Sizes, parts.Bytes)
	i, high, low := 0, 1.0, math.Inf(1)
	first, last := math.Inf(1), 0.0
	see := func(points plotter.XYs) {
		for _, at := range points {
			high, low = max(high, at.Y), min(low, at.Y)
			first, last = min(first, at.X), max(last, at.X)
		}
	}
	for _, name := range names(r, parts.Sizes, curves) {
		if len(curves[name]) < 2 {
			continue // a corpus has one size
		}
		if err := add(p, legend, i, name, curves[name], true); err != nil {
			return false, err
		}
		see(curves[name])
		i++
	}
	if i == 0 {
		return false, nil
	}
	for _, where := range []string{parts.ToMemory, parts.ToDisk} {
		if s := r.Find(parts.Sizes, parts.BigWrites+where, parts.Bytes, 0); s != nil {
			m := s.Summary().Median
			flat := plotter.XYs{{X: first, Y: m}, {X: last, Y: m}}
			if err := add(p, legend, i, parts.BigWrites+where, flat, false); err != nil {
				return false, err
			}
			see(flat)
			i++
		}
	}
	p.Y.Min, p.Y.Max = decade(low, math.Floor), decade(high, math.Ceil)
	return true, write(p, legend, path, height)
}

func lanes(r *result.Report, path string) (bool, error) {
	p := newPlot("Drain throughput against the number of lanes", "lanes, with the same load in all", "million records a second")
	p.X.Scale, p.X.Tick.Marker = log2{}, powers{"%.0f"}
	addGrid(p)
	legend, curves := newLegend(), curvesOf(r, parts.Lanes, parts.Rate)
	high := 0.0
	for i, name := range names(r, parts.Lanes, curves) {
		for j := range curves[name] {
			curves[name][j].Y /= 1e6
			high = max(high, curves[name][j].Y)
		}
		if err := add(p, legend, i, name, curves[name], true); err != nil {
			return false, err
		}
	}
	p.Y.Min, p.Y.Max = 0, high*1.15
	return len(curves) > 0, write(p, legend, path, 3.4*vg.Inch)
}

// breakdown is a bar of an append above one of what it is made of: where they are of one
// length, floors take no less time in it than by themselves.
func breakdown(r *result.Report, path string) (bool, error) {
	steps, whole := tables.Breakdown(r)
	if steps == nil {
		return false, nil
	}
	p := newPlot("One append of 100 B, and its floors by themselves", "ns", "")
	legend := newLegend()
	bar := func(ns, y float64, i int, name string, on *plotter.BarChart) (*plotter.BarChart, error) {
		b, err := plotter.NewBarChart(plotter.Values{ns}, vg.Points(34))
		if err != nil {
			return nil, err
		}
		b.Horizontal, b.Color, b.LineStyle.Width, b.XMin = true, curve(i), 0, y
		if on != nil {
			b.StackOn(on)
		}
		p.Add(b)
		legend.Add(fmt.Sprintf("%s: %.1f ns", name, ns), b)
		return b, nil
	}
	if _, err := bar(whole, 1, len(curves)-1, "an append", nil); err != nil {
		return false, err
	}
	var on *plotter.BarChart
	for i, s := range steps {
		b, err := bar(s.NS, 0, i, s.Name, on)
		if err != nil {
			return false, err
		}
		on = b
	}
	p.NominalY("its floors", "append")
	p.X.Min, p.Y.Min, p.Y.Max = 0, -0.6, 1.6
	return true, write(p, legend, path, 2.4*vg.Inch)
}
