package metrics

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

var _ Source = (*reader.Reader)(nil)

// fake is a drain that counted this.
type fake struct {
	stats   reader.Stats
	outputs []reader.OutputStats
}

func (f *fake) Stats() reader.Stats               { return f.stats }
func (f *fake) OutputStats() []reader.OutputStats { return slices.Clone(f.outputs) }

func newRing(t *testing.T, lanes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	return path
}

func attach(t *testing.T, path, label string) *ring.Producer {
	t.Helper()
	p, err := ring.Attach(path, ring.AttachOptions{Label: label})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func serve(t *testing.T, path string, src Source) *Server {
	t.Helper()
	s, err := Serve("localhost:0", path, src, cli.NewLog(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get asks for a page.
func get(t testing.TB, s *Server, page string) (code int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + s.Addr() + page)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// scrape reads the figures of ringlog, by name and labels: worker_backlog_bytes{lane=0,pid=17}.
func scrape(t testing.TB, s *Server) map[string]float64 {
	t.Helper()
	code, body := get(t, s, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("%d: %s", code, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]float64{}
	for name, family := range families {
		name, ours := strings.CutPrefix(name, "ringlog_")
		if !ours {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			key := name
			if len(labels) > 0 {
				slices.Sort(labels)
				key += "{" + strings.Join(labels, ",") + "}"
			}
			figures[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return figures
}

// expect compares the figures that want names, and if it names one of a family all of that.
func expect(t *testing.T, got, want map[string]float64) {
	t.Helper()
	name := func(key string) string { name, _, _ := strings.Cut(key, "{"); return name }
	families := map[string]bool{}
	for key := range want {
		families[name(key)] = true
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok && families[name(key)] {
			t.Errorf("%s is %v, and not wanted", key, got[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := got[key]; !ok || value != want[key] {
			t.Errorf("%s is %v (there: %v), want %v", key, value, ok, want[key])
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func append100(t *testing.T, p *ring.Producer, records int) {
	t.Helper()
	for i := range records {
		if err := p.Append(fmt.Appendf(nil, "%100d", i), 0, ring.KindRaw); err != nil {
			t.Fatal(err)
		}
	}
}
