package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// metricsAt is the line by which the drain says where it listens.
var metricsAt = regexp.MustCompile(`metrics at (http://127\.0\.0\.1:\d+/metrics)\n`)

// metrics is where the drain shows its metrics, which it has said when it is ready.
func (d *daemon) metrics() string {
	d.t.Helper()
	m := metricsAt.FindStringSubmatch(d.said())
	if m == nil {
		d.t.Fatal("the drain does not say where its metrics are")
	}
	return m[1]
}

// scrape asks for the metrics, as Prometheus does: by name and labels, in their order.
func (d *daemon) scrape(url string) map[string]float64 {
	d.t.Helper()
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %v", r.Status, err)
	}
	values := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if len(labels) > 0 {
				slices.Sort(labels)
				key += "{" + strings.Join(labels, ",") + "}"
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// lossy is a writer whose losses are counted as they come.
type lossy struct {
	*writer.Writer
	d    *daemon
	lost map[string]float64 // as metrics have it, for all lossy writers together
	took *int               // records that were accepted, likewise
}

// lossReasons are what the writer's errors are called in metrics.
var lossReasons = map[error]string{
	writer.ErrFull: "full", writer.ErrTimeout: "timeout", writer.ErrNoReader: "no_reader", writer.ErrTooLarge: "too_large",
}

// loses appends records until n of them were lost.
func (w *lossy) loses(level record.Level, size, n int, want error) {
	w.d.t.Helper()
	band := "below_warning"
	if level >= record.LevelWarning {
		band = "warning_and_above"
	}
	for n > 0 {
		switch err := w.Append(level, noise(n, size)); {
		case err == nil:
			*w.took++
		case errors.Is(err, want):
			w.lost[lostMetric(lossReasons[want], band)]++
			n--
		default:
			w.d.t.Fatalf("%v, want %v", err, want)
		}
	}
}

// lostInRing is what the ring counts, as metrics have it.
func (d *daemon) lostInRing() map[string]float64 {
	d.t.Helper()
	in, err := ring.Inspect(d.ring)
	if err != nil {
		d.t.Fatal(err)
	}
	defer in.Close()
	lost := map[string]float64{}
	for i := range in.Ring().LaneCount {
		counts := in.Entry(i).Lost()
		for reason := ring.LostFull; reason <= ring.LostAborted; reason++ {
			below, above := counts.Of(reason)
			name := strings.ReplaceAll(reason.String(), " ", "_")
			lost[lostMetric(name, "below_warning")] += float64(below)
			lost[lostMetric(name, "warning_and_above")] += float64(above)
		}
	}
	return lost
}

func lostMetric(reason, band string) string {
	return fmt.Sprintf("ringlog_lost_records_total{band=%q,reason=%q}", band, reason)
}

// killWorker starts a process that appends a record, and kills it when that is drained.
func (d *daemon) killWorker(url, label string) {
	d.t.Helper()
	cmd := exec.Command("ringlog", "append", "--ring", d.ring, "--worker", label)
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { // if it was not killed
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	fmt.Fprintln(stdin, "of one that is killed")
	d.until("its record is drained", func() bool { return hasWorker(d.scrape(url), label, 1) })
	if err := cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
}

// hasWorker says whether so many records of the worker were drained.
func hasWorker(figures map[string]float64, label string, records int) bool {
	for key, n := range figures {
		if nameOf(key) == "ringlog_worker_records_total" && strings.Contains(key, fmt.Sprintf("worker=%q", label)) && n == float64(records) {
			return true
		}
	}
	return false
}

// wantFigures compares the metrics that want has, and all others of the same names.
func wantFigures(t *testing.T, got, want map[string]float64) {
	t.Helper()
	families := map[string]bool{}
	for key := range want {
		families[nameOf(key)] = true
	}
	for key, value := range got {
		if _, ok := want[key]; !ok && families[nameOf(key)] {
			t.Errorf("%s is %v, and not wanted", key, value)
		}
	}
	for key, value := range want {
		if there, ok := got[key]; !ok || there != value {
			t.Errorf("%s is %v (there: %v), want %v", key, there, ok, value)
		}
	}
}

// nameOf is a metric's name without its labels.
func nameOf(key string) string {
	name, _, _ := strings.Cut(key, "{")
	return name
}

func TestMetricsOfADrainAreWhatItsFilesAndTheRingHold(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, 16)
	lost, took := map[string]float64{}, 0
	lossy := func(label string, o writer.Options) *lossy {
		o.Label = label
		w, err := writer.Open(d.ring, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		return &lossy{w, d, lost, &took}
	}
	full := lossy("full", writer.Options{Policy: writer.PolicyDrop})
	full.loses(record.LevelInfo, 100, 7, writer.ErrFull)
	full.loses(record.LevelError, 100, 5, writer.ErrFull)
	lossy("nobody reads", writer.Options{Timeout: time.Millisecond}).loses(record.LevelDebug, 100, 3, writer.ErrNoReader)
	late := lossy("late", writer.Options{Timeout: time.Millisecond})
	late.loses(record.LevelWarning, ring.MinLaneSize/8, 2, writer.ErrTooLarge)

	d.runUntilReady("--metrics", "127.0.0.1:0", "--config", d.configure(`
defaults: {format: raw, rotate: {size: 20KiB}}
outputs:
  - {path: all.log, compress: gzip}
  - {path: counted.log, keep: {count: 2}}
  - {path: text.log, format: text, rotate: {size: 50KiB}}
  - {path: orders.jsonl, loggers: [orders], format: json, rotate: never}
  - {path: "trial-{trial}", rotate: {size: 200}}
`))
	url := d.metrics()
	l := d.load(3, 50)
	orders := d.worker("orders")
	for n := range 500 {
		logger := orders.Logger("orders.fx")
		if n%2 == 0 {
			logger = orders.Logger("trades").Trial("study", n%7)
		}
		if err := logger.Log(slog.LevelInfo, fmt.Sprint("record ", n)); err != nil {
			t.Fatal(err)
		}
		took++
	}
	d.killWorker(url, "gone")
	took++
	// A drain that is there and does nothing.
	d.signal(syscall.SIGSTOP)
	late.loses(record.LevelInfo, 100, 4, writer.ErrTimeout)
	d.signal(syscall.SIGCONT)
	l.end()
	for _, n := range l.accepted {
		took += n
	}

	const counted = `{output="counted.log"}`
	var got map[string]float64
	d.until("all is drained, and the rotated files are looked after", func() bool {
		got = d.scrape(url)
		return got["ringlog_records_total"] == float64(took) && got["ringlog_vanished_workers_total"] == 1 &&
			got["ringlog_removed_files_total"] == got["ringlog_output_rotations_total"+counted]-2
	})
	d.end()

	want := map[string]float64{
		"ringlog_records_total": float64(took), "ringlog_unrouted_records_total": 0,
		"ringlog_workers_total": 8, "ringlog_vanished_workers_total": 1,
		"ringlog_failed_attempts_total": 0, "ringlog_backlog_bytes": 0, "ringlog_lag_seconds": 0,
		`ringlog_gaps_total{kind="torn"}`: 0, `ringlog_gaps_total{kind="damaged"}`: 0,
		"ringlog_ring_readable": 1, "ringlog_lane_size_bytes": ring.MinLaneSize,
	}
	rotations := 0
	for out, pattern := range map[string]string{
		"all.log": "all.log*", "text.log": "text.log*", "orders.jsonl": "orders.jsonl*", "trial-{trial}": "trial-*",
	} {
		text, rotated := d.output(pattern)
		label := fmt.Sprintf("{output=%q}", out)
		want["ringlog_output_records_total"+label] = float64(strings.Count(text, "\n"))
		want["ringlog_output_bytes_total"+label] = float64(len(text))
		want["ringlog_output_rotations_total"+label] = float64(rotated)
		want["ringlog_output_failed_attempts_total"+label] = 0
		rotations += rotated
	}
	// counted.log gets the same lines as all.log, and is rotated at the same places.
	for _, name := range []string{"records", "bytes", "rotations", "failed_attempts"} {
		want["ringlog_output_"+name+"_total"+counted] = want["ringlog_output_"+name+`_total{output="all.log"}`]
	}
	if _, kept := d.output("counted.log*"); kept != 2 {
		t.Errorf("%d rotated files of counted.log are left, want 2", kept)
	}
	rotations += int(want["ringlog_output_rotations_total"+counted])
	want["ringlog_rotations_total"] = float64(rotations)
	want["ringlog_removed_files_total"] = want["ringlog_output_rotations_total"+counted] - 2
	inRing := d.lostInRing()
	maps.Copy(want, inRing)
	maps.DeleteFunc(inRing, func(_ string, n float64) bool { return n == 0 })
	if !maps.Equal(inRing, lost) {
		t.Errorf("the ring has lost %v, and the workers %v", inRing, lost)
	}
	wantFigures(t, got, want)
	if all, _ := d.output("all.log*"); strings.Count(all, "\n") != took {
		t.Errorf("%d records in all.log, want %d", strings.Count(all, "\n"), took)
	}
	if want[`ringlog_output_rotations_total{output="trial-{trial}"}`] == 0 || rotations < 20 || len(lost) != 5 {
		t.Errorf("%d rotations and losses of %d kinds show too little", rotations, len(lost))
	}
	for i, n := range l.accepted {
		if !hasWorker(got, fmt.Sprint("worker ", i), n) {
			t.Errorf("no metric has the %d records of worker %d", n, i)
		}
	}
}
