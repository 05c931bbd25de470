package metrics

import (
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/status"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
)

// Source is where a drain's figures come from: a *reader.Reader.
type Source interface {
	Stats() reader.Stats
	OutputStats() []reader.OutputStats
}

// collector asks a drain and its ring anew for each scrape, and keeps nothing. There are
// as many metrics as lanes and outputs need, whatever workers come and go.
type collector struct {
	src  Source
	ring string // path
	now  func() time.Time

	counts  []count
	build   family
	gaps    family
	lag     family
	outputs outputFamilies
	readable, backlog,
	lost, laneSize, lanes family
	workers workerFamilies

	all []family
}

// count is a figure that Stats has as it is to be shown.
type count struct {
	family
	of func(*reader.Stats) uint64
}

type outputFamilies struct{ records, bytes, rotations, failures, open family }

type workerFamilies struct{ records, lost, backlog family }

func newCollector(ringPath string, src Source) *collector {
	c := &collector{src: src, ring: ringPath, now: time.Now}
	count := func(name, help string, of func(*reader.Stats) uint64) {
		c.counts = append(c.counts, count{c.counter(name, help+" since the drain began."), of})
	}
	count("records_total", "Records taken out of the ring", func(s *reader.Stats) uint64 { return s.Records })
	count("unrouted_records_total", "Records that no output wanted", func(s *reader.Stats) uint64 { return s.Unrouted })
	count("workers_total", "Workers whose records were met", func(s *reader.Stats) uint64 { return s.Workers })
	count("vanished_workers_total", "Workers that ended without closing their lane", func(s *reader.Stats) uint64 { return s.Vanished })
	count("batches_total", "Batches written", func(s *reader.Stats) uint64 { return s.Batches })
	count("rotations_total", "Files set aside for new ones", func(s *reader.Stats) uint64 { return s.Rotations })
	count("removed_files_total", "Rotated files removed, as the rules for keeping them have it,", func(s *reader.Stats) uint64 { return s.Removed })
	count("moved_outputs_total", "Outputs that somebody else renamed", func(s *reader.Stats) uint64 { return s.Moved })
	count("syncs_total", "Times at which outputs and ring were all on disk", func(s *reader.Stats) uint64 { return s.Syncs })
	count("failed_attempts_total", "Failed attempts at outputs, rotations, rotated files and syncs", func(s *reader.Stats) uint64 { return s.Retries })

	c.build = c.gauge("build_info", "1, with the version of ringlog and of Go.", "version", "goversion")
	c.gaps = c.counter("gaps_total", "Gaps in lanes since the drain began: torn ones are left by workers that died, damaged ones by nobody who keeps to the format.", "kind")
	c.lag = c.gauge("lag_seconds", "Age of the oldest record that is in the ring and not in the outputs; 0 if there is none.")

	c.outputs = outputFamilies{
		c.counter("output_records_total", "Records written to the output, and lines of ringlog's own, since it was opened.", "output"),
		c.counter("output_bytes_total", "Bytes written to the output since it was opened.", "output"),
		c.counter("output_rotations_total", "Files of the output set aside for new ones since it was opened.", "output"),
		c.counter("output_failed_attempts_total", "Failed attempts at the output since it was opened.", "output"),
		c.gauge("output_open_files", "Files of the output that are open.", "output"),
	}

	c.readable = c.gauge("ring_readable", "1 if the ring could be read for this scrape, else 0; then what follows from its lanes is missing.")
	c.backlog = c.gauge("backlog_bytes", "Bytes in the ring's lanes that are not drained.")
	c.lost = c.counter("lost_records_total", "Records lost since the ring was made, by reason, and by band of levels.", "reason", "band")
	c.laneSize = c.gauge("lane_size_bytes", "Size of each lane, and so the most that a worker's backlog can be.")
	c.lanes = c.gauge("lanes", "Lanes by state; a new worker gets a free one, or a closed one that is drained.", "state")
	c.workers = workerFamilies{
		c.counter("worker_records_total", "Records of the lane's worker, or its last one, that were drained.", "worker", "pid", "lane"),
		c.counter("worker_lost_records_total", "Records of the lane's worker, or its last one, that were lost.", "worker", "pid", "lane"),
		c.gauge("worker_backlog_bytes", "Bytes in the lane that are not drained.", "worker", "pid", "lane"),
	}
	return c
}

// family is all metrics of one name.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func (c *collector) counter(name, help string, labels ...string) family {
	return c.family(prometheus.CounterValue, name, help, labels)
}

func (c *collector) gauge(name, help string, labels ...string) family {
	return c.family(prometheus.GaugeValue, name, help, labels)
}

func (c *collector) family(kind prometheus.ValueType, name, help string, labels []string) family {
	f := family{prometheus.NewDesc("ringlog_"+name, help, labels, nil), kind}
	c.all = append(c.all, f)
	return f
}

// metrics takes what is collected.
type metrics chan<- prometheus.Metric

// add adds a metric. The values of labels are UTF-8: what came from elsewhere went through
// cli.Clean.
func (m metrics) add(f family, value uint64, labels ...string) {
	m.addFloat(f, float64(value), labels...)
}

func (m metrics) addFloat(f family, value float64, labels ...string) {
	m <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, f := range c.all {
		to <- f.desc
	}
}

// Collect implements prometheus.Collector. It may be called by several goroutines at once.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	version, _, _ := strings.Cut(cli.Version(), " ")
	metrics(to).add(c.build, 1, cli.Clean(version), runtime.Version())
	c.collectStats(to)
	c.collectOutputs(to)
	c.collectRing(to)
}

func (c *collector) collectStats(to metrics) {
	s := c.src.Stats()
	for i := range c.counts {
		to.add(c.counts[i].family, c.counts[i].of(&s))
	}
	to.add(c.gaps, s.Torn, "torn")
	to.add(c.gaps, s.Damaged, "damaged")
	lag := time.Duration(0)
	if s.Waiting != 0 {
		lag = max(0, c.now().Sub(time.Unix(0, s.Waiting))) // clocks can be set back
	}
	to.addFloat(c.lag, lag.Seconds())
}

func (c *collector) collectOutputs(to metrics) {
	// Paths that differ in what is escaped may be shown alike, and no two metrics may.
	shown := map[string]reader.OutputStats{}
	for _, o := range c.src.OutputStats() {
		path := cli.Clean(o.Path)
		sum := shown[path]
		sum.Records += o.Records
		sum.Bytes += o.Bytes
		sum.Rotations += o.Rotations
		sum.Failures += o.Failures
		sum.Open += o.Open
		shown[path] = sum
	}
	for path, o := range shown {
		to.add(c.outputs.records, o.Records, path)
		to.add(c.outputs.bytes, o.Bytes, path)
		to.add(c.outputs.rotations, o.Rotations, path)
		to.add(c.outputs.failures, o.Failures, path)
		to.add(c.outputs.open, uint64(o.Open), path)
	}
}

func (c *collector) collectRing(to metrics) {
	lost, err := losses(c.ring)
	if err != nil {
		to.add(c.readable, 0)
		return
	}
	r, err := status.Read(c.ring)
	if err != nil {
		to.add(c.readable, 0)
		return
	}
	to.add(c.readable, 1)
	to.add(c.backlog, r.Undrained())
	for reason := range ring.LossReason(len(lost) / 2) {
		below, above := lost.Of(reason)
		if reason > ring.LostAborted && below+above == 0 {
			continue // no reason of ours
		}
		name := strings.ReplaceAll(reason.String(), " ", "_")
		to.add(c.lost, below, name, "below_warning")
		to.add(c.lost, above, name, "warning_and_above")
	}
	to.add(c.laneSize, r.LaneSize)
	states := map[string]int{"live": 0, "dead": 0, "closed": 0, "free": r.LaneCount - len(r.Lanes), "damaged": 0, "unknown": 0}
	for _, l := range r.Lanes {
		states[l.State]++
		labels := []string{cli.Clean(l.Worker), strconv.FormatUint(l.PID, 10), strconv.Itoa(l.Lane)}
		var lost uint64
		for _, n := range l.Lost {
			lost += n.Below + n.Above
		}
		to.add(c.workers.records, l.Delivered, labels...)
		to.add(c.workers.lost, lost, labels...)
		to.add(c.workers.backlog, l.Backlog, labels...)
	}
	for state, n := range states {
		to.add(c.lanes, uint64(n), state)
	}
}

// losses are those of all workers since the ring was made. Package status has those of the
// present workers, whose sum falls when a lane gets another one, as no counter may.
func losses(path string) (sum ring.LossCounts, err error) {
	in, err := ring.Inspect(path)
	if err != nil {
		return sum, err
	}
	defer in.Close()
	for i := range in.Ring().LaneCount {
		for slot, n := range in.Entry(i).Lost() {
			sum[slot] += n
		}
	}
	return sum, nil
}
