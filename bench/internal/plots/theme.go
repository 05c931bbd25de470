// Package plots draws a run: SVG that can be read on a light and on a dark ground.
package plots

import (
	"bytes"
	"fmt"
	"image/color"
	"os"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// shade is a colour on a light ground, and what takes its place on a dark one.
type shade struct{ light, dark color.RGBA }

func hex(light, dark uint32) shade {
	rgb := func(v uint32) color.RGBA {
		return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
	}
	return shade{rgb(light), rgb(dark)}
}

var (
	// The ink of a light ground can be read on a dark one too, where the viewer does not say which
	// there is, or the page has another than the viewer says.
	ink  = hex(0x6e7781, 0xe6edf3)
	grid = hex(0xd0d7de, 0x30363d)
	// curves are told apart by people who do not see all colours, too, since each has
	// its own dashes as well.
	curves = []shade{
		hex(0x0969da, 0x58a6ff), hex(0xcf222e, 0xff7b72), hex(0x1a7f37, 0x3fb950), hex(0x8250df, 0xbc8cff),
		hex(0x9a6700, 0xd29922), hex(0xbf3989, 0xf778ba), hex(0x0e7490, 0x39c5cf), hex(0x57606a, 0x8b949e),
	}
)

func curve(i int) color.RGBA { return curves[i%len(curves)].light }

// dashes of the i-th curve: all of one round of colours have the same.
func dashes(i int) []vg.Length {
	return [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}[i/len(curves)%3]
}

const (
	width  = 9 * vg.Inch
	height = 4.4 * vg.Inch
)

// newPlot is an empty one in these colours.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // that of the page
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	p.Title.TextStyle.Color = ink.light
	p.Title.TextStyle.Font = face(13)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Color, axis.Tick.Label.Color = ink.light, ink.light, ink.light, ink.light
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = face(11), face(10)
		axis.Label.Padding = vg.Points(4)
	}
	return p
}

func face(size float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// legendWidth is left to the right of a plot, so that no legend covers a curve.
const legendWidth = 2.6 * vg.Inch

// write draws p, with its legend beside it, and saves it as an SVG.
func write(p *plot.Plot, legend *plot.Legend, path string, height vg.Length) error {
	svg := vgsvg.New(width, height)
	whole := draw.New(svg)
	p.Draw(draw.Crop(whole, vg.Points(4), -legendWidth, vg.Points(4), -vg.Points(4)))
	legend.Draw(draw.Crop(whole, width-legendWidth+vg.Points(10), 0, 0, -vg.Points(36)))
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(adapt(b.String())), 0o644)
}

// newLegend is one at the top of the column beside a plot.
func newLegend() *plot.Legend {
	l := plot.NewLegend()
	l.Top, l.Left = true, true
	l.TextStyle.Color, l.TextStyle.Font = ink.light, face(10)
	l.ThumbnailWidth, l.Padding = vg.Points(22), vg.Points(3)
	return &l
}

// adapt adds a style sheet, by which another colour stands for each on a dark ground; and
// names fonts that every system has.
func adapt(svg string) string {
	var sheet strings.Builder
	sheet.WriteString("<style>@media (prefers-color-scheme: dark) {")
	for _, s := range append([]shade{ink, grid}, curves...) {
		light, dark := css(s.light), css(s.dark)
		fmt.Fprintf(&sheet, `[style*="fill:%s"]{fill:%s!important}[style*="stroke:%s"]{stroke:%s!important}`, light, dark, light, dark)
	}
	sheet.WriteString("}</style>\n")
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;")
	at := strings.Index(svg, "<g ")
	return svg[:at] + sheet.String() + svg[at:]
}

func css(c color.RGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }
