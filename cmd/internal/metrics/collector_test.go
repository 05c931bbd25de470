package metrics

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// full has a different value of everything.
func full() *fake {
	return &fake{
		reader.Stats{
			Records: 1, Unrouted: 2, Lost: 3, Torn: 4, Damaged: 5, Workers: 6, Vanished: 7, Batches: 8,
			Rotations: 9, Removed: 10, Moved: 11, Syncs: 12, Retries: 13,
		},
		[]reader.OutputStats{
			{Path: "logs/app.log", Records: 21, Bytes: 22, Rotations: 23, Failures: 24, Open: 1},
			{Path: "logs/{study}.log", Records: 31, Bytes: 32, Rotations: 33, Failures: 34, Open: 35},
		},
	}
}

func TestFiguresAreThoseOfTheDrain(t *testing.T) {
	t.Parallel()
	expect(t, scrape(t, serve(t, newRing(t, 1), full())), map[string]float64{
		"records_total": 1, "unrouted_records_total": 2, "gaps_total{kind=torn}": 4, "gaps_total{kind=damaged}": 5,
		"workers_total": 6, "vanished_workers_total": 7, "batches_total": 8, "rotations_total": 9, "removed_files_total": 10,
		"moved_outputs_total": 11, "syncs_total": 12, "failed_attempts_total": 13, "lag_seconds": 0,
		"output_records_total{output=logs/app.log}": 21, "output_records_total{output=logs/{study}.log}": 31,
		"output_bytes_total{output=logs/app.log}": 22, "output_bytes_total{output=logs/{study}.log}": 32,
		"output_rotations_total{output=logs/app.log}": 23, "output_rotations_total{output=logs/{study}.log}": 33,
		"output_failed_attempts_total{output=logs/app.log}": 24, "output_failed_attempts_total{output=logs/{study}.log}": 34,
		"output_open_files{output=logs/app.log}": 1, "output_open_files{output=logs/{study}.log}": 35,
	})
}

func TestFiguresAreThoseOfTheRing(t *testing.T) {
	t.Parallel()
	path := newRing(t, 4)
	a, b := attach(t, path, "w"), attach(t, path, "w")
	append100(t, a, 5)
	append100(t, b, 7)
	for i, loss := range []struct {
		reason ring.LossReason
		level  int16
	}{{ring.LostTooLarge, 0}, {ring.LostTooLarge, ring.WarningLevel}, {ring.LostNoReader, 40}, {ring.LostNoReader, 40}} {
		if p := []*ring.Producer{a, b}[i%2]; !p.CountLost(loss.reason, loss.level) {
			t.Fatal("not counted")
		}
	}
	r, err := status.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lanes[0].Backlog < 500 || r.Lanes[1].Backlog < 700 {
		t.Fatalf("%+v", r.Lanes)
	}
	worker := func(name string, lane int) string {
		return fmt.Sprintf("worker_%s{lane=%d,pid=%d,worker=w}", name, lane, os.Getpid())
	}
	expect(t, scrape(t, serve(t, path, full())), map[string]float64{
		"ring_readable": 1, "lane_size_bytes": ring.MinLaneSize,
		"backlog_bytes":            float64(r.Lanes[0].Backlog + r.Lanes[1].Backlog),
		worker("backlog_bytes", 0): float64(r.Lanes[0].Backlog), worker("backlog_bytes", 1): float64(r.Lanes[1].Backlog),
		worker("records_total", 0): 0, worker("records_total", 1): 0,
		worker("lost_records_total", 0): 2, worker("lost_records_total", 1): 2,
		"lanes{state=live}": 2, "lanes{state=free}": 2, "lanes{state=dead}": 0, "lanes{state=closed}": 0,
		"lanes{state=damaged}": 0, "lanes{state=unknown}": 0,
		"lost_records_total{band=below_warning,reason=too_large}": 1, "lost_records_total{band=warning_and_above,reason=too_large}": 1,
		"lost_records_total{band=below_warning,reason=no_reader}": 0, "lost_records_total{band=warning_and_above,reason=no_reader}": 2,
		"lost_records_total{band=below_warning,reason=full}": 0, "lost_records_total{band=warning_and_above,reason=full}": 0,
		"lost_records_total{band=below_warning,reason=timeout}": 0, "lost_records_total{band=warning_and_above,reason=timeout}": 0,
		"lost_records_total{band=below_warning,reason=overwritten}": 0, "lost_records_total{band=warning_and_above,reason=overwritten}": 0,
		"lost_records_total{band=below_warning,reason=aborted}": 0, "lost_records_total{band=warning_and_above,reason=aborted}": 0,
	})
}

// A counter that falls would be taken for one that began anew, and its old value counted
// again.
func TestLossesStayCountedWhenALaneGetsAnotherWorker(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	first := attach(t, path, "first")
	append100(t, first, 3)
	first.CountLost(ring.LostFull, 0)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "app.log")
	drain, err := reader.Open(path, reader.Options{Outputs: []reader.Output{{Path: out}}, Until: reader.UntilDetached, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	if err := drain.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	s := serve(t, path, drain)
	pid := fmt.Sprintf("pid=%d", os.Getpid())
	expect(t, scrape(t, s), map[string]float64{
		"records_total": 3, "backlog_bytes": 0, "lanes{state=free}": 0, "lanes{state=live}": 0, "lanes{state=dead}": 0,
		"lanes{state=closed}": 1, "lanes{state=damaged}": 0, "lanes{state=unknown}": 0,
		"worker_records_total{lane=0," + pid + ",worker=first}":      3,
		"worker_lost_records_total{lane=0," + pid + ",worker=first}": 1,
	})
	if err := drain.Close(); err != nil {
		t.Fatal(err)
	}
	attach(t, path, "second")
	got := scrape(t, s)
	expect(t, got, map[string]float64{
		"worker_records_total{lane=0," + pid + ",worker=second}":      0,
		"worker_lost_records_total{lane=0," + pid + ",worker=second}": 0,
	})
	if n := got["lost_records_total{band=below_warning,reason=full}"]; n != 1 {
		t.Errorf("%v lost", n)
	}
}

func TestLagIsTheAgeOfWhatWaits(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	for waiting, want := range map[int64]float64{
		0: 0, at.UnixNano(): 0, at.Add(-1500 * time.Millisecond).UnixNano(): 1.5,
		at.Add(time.Hour).UnixNano(): 0, // the clock was set back
	} {
		c := newCollector("", &fake{stats: reader.Stats{Waiting: waiting}})
		c.now = func() time.Time { return at }
		got := gather(t, c)
		if got["ringlog_lag_seconds"] != want {
			t.Errorf("waiting since %d: %v, want %v", waiting, got["ringlog_lag_seconds"], want)
		}
	}
}

// gather collects c's metrics without labels, and finds what does not fit its description.
func gather(t *testing.T, c *collector) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]float64{}
	for _, f := range families {
		if m := f.GetMetric()[0]; len(m.GetLabel()) == 0 {
			figures[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return figures
}

func TestMetricsAreThoseThatAreDescribed(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	attach(t, path, "w")
	c := newCollector(path, full())
	gather(t, c)
	described := make(chan *prometheus.Desc, 100)
	c.Describe(described)
	if n := len(described); n != len(c.all) || n == 0 {
		t.Errorf("%d are described, of %d", n, len(c.all))
	}
}

func TestPromlintFindsNothing(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	attach(t, path, "w")
	_, body := get(t, serve(t, path, full()), "/metrics")
	if !strings.Contains(body, "\nringlog_worker_backlog_bytes{") || !strings.Contains(body, "\ngo_goroutines ") || !strings.Contains(body, "\nprocess_open_fds ") {
		t.Fatal(body)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestHostileNamesOfWorkersAndOutputsAreEscaped(t *testing.T) {
	t.Parallel()
	path := newRing(t, 3)
	for _, label := range []string{"a\"} 1\nringlog_records_total 99", "\xff\x1b[2J\u202e", "\xfe\x1b[2J\u202e"} {
		attach(t, path, label)
	}
	src := full()
	src.outputs = []reader.OutputStats{{Path: "b\xff", Records: 1, Open: 1}, {Path: `b\xff`, Records: 2, Open: 1}, {Path: "c\n", Records: 4}}
	got := scrape(t, serve(t, path, src))
	pid := fmt.Sprintf("pid=%d", os.Getpid())
	expect(t, got, map[string]float64{
		"records_total":                      1,
		`output_records_total{output=b\xff}`: 3, // which are shown alike
		`output_open_files{output=b\xff}`:    2,
		`output_records_total{output=c\n}`:   4,
		`output_open_files{output=c\n}`:      0,
		`worker_records_total{lane=0,` + pid + `,worker=a"} 1\nringlog_records_total 99}`: 0,
		`worker_records_total{lane=1,` + pid + `,worker=\ufffd\x1b[2J\u202e}`:             0,
		`worker_records_total{lane=2,` + pid + `,worker=\ufffd\x1b[2J\u202e}`:             0,
	})
}

func TestARingThatCannotBeReadLeavesTheFiguresOfTheDrain(t *testing.T) {
	t.Parallel()
	path := newRing(t, 1)
	attach(t, path, "w")
	s := serve(t, path, full())
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, s)
	expect(t, got, map[string]float64{"records_total": 1, "ring_readable": 0})
	for _, name := range []string{"backlog_bytes", "lane_size_bytes", "lanes{state=live}"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s of a ring that is not there", name)
		}
	}
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, s), map[string]float64{"records_total": 1, "ring_readable": 0})
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	expect(t, scrape(t, s), map[string]float64{"ring_readable": 1, "lane_size_bytes": ring.MinLaneSize})
}

// panicky is a drain whose figures cannot be had.
type panicky struct{ fake }

func (*panicky) Stats() reader.Stats { panic("boom") }

func TestAPanicIsAnAnswerAndNotTheEndOfTheDrain(t *testing.T) {
	t.Parallel()
	s, err := Serve("localhost:0", newRing(t, 1), &panicky{}, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if code, body := get(t, s, "/metrics"); code != http.StatusOK || !strings.Contains(body, "\ngo_goroutines ") || strings.Contains(body, "ringlog_records_total") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestScrapesAtOnceAndBesideAppendsAreWhole(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	p := attach(t, path, "w")
	s := serve(t, path, full())
	var scrapes, appends sync.WaitGroup
	stop := make(chan struct{})
	appends.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = p.Append([]byte("record"), 0, ring.KindRaw) // until the lane is full
			}
		}
	})
	for range maxScrapes {
		scrapes.Go(func() {
			for range 5 {
				if got := scrape(t, s); got["ring_readable"] != 1 || got["records_total"] != 1 {
					t.Errorf("%v", got)
				}
			}
		})
	}
	scrapes.Wait()
	close(stop)
	appends.Wait()
}
