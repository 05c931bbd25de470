//go:build linux

package reader

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
)

// costOfADrain is a ring whose lanes are filled and drained again and again.
type costOfADrain struct {
	producers []*ring.Producer
	reader    *Reader
	out       string
	payload   []byte
}

// newCostOfADrain makes one for so many records of 3 attributes in all lanes together, for
// which half of their room is enough.
func newCostOfADrain(tb testing.TB, lanes, records int, name string) *costOfADrain {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ringlog-drain-")
	if err != nil {
		tb.Skip(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: lanes, LaneSize: uint64(512 * records / lanes)}); err != nil {
		tb.Fatal(err)
	}
	c := &costOfADrain{out: filepath.Join(dir, "out.log")}
	for i := range lanes {
		c.producers = append(c.producers, attach(tb, path, fmt.Sprintf("w-%d", i)))
	}
	e := record.Entry{Logger: "trades", Message: "order filled", Attrs: []slog.Attr{
		slog.String("symbol", "SPX"), slog.Int("quantity", 25), slog.Float64("price", 4711.25),
	}}
	n, err := e.Size()
	if err != nil {
		tb.Fatal(err)
	}
	c.payload = make([]byte, n)
	if err := e.Encode(c.payload); err != nil {
		tb.Fatal(err)
	}
	c.reader, _ = openReader(tb, path, Options{Outputs: []Output{{Path: c.out, Format: format.Options{Name: name}}}})
	return c
}

// fill appends to one lane after the other, so that no two records of one follow each
// other in time.
func (c *costOfADrain) fill(tb testing.TB, records int) {
	tb.Helper()
	for i := range records {
		if err := c.producers[i%len(c.producers)].Append(c.payload, int16(record.LevelInfo), ring.KindLog); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.Truncate(c.out, 0); err != nil {
		tb.Fatal(err)
	}
}

func (c *costOfADrain) drain(tb testing.TB) {
	for {
		progressed, err := c.reader.cycle(context.Background(), time.Now(), horizonNone)
		if err != nil {
			tb.Fatal(err)
		}
		if !progressed {
			return
		}
	}
}

// Not parallel: what is counted is that of the whole process. A batch allocates a little.
func TestADrainAllocatesNothingForARecord(t *testing.T) {
	const records, perBatch = 1 << 14, 50
	for _, name := range []string{"raw", "text", "logfmt", "json"} {
		c := newCostOfADrain(t, 4, records, name)
		c.fill(t, records)
		c.drain(t)
		c.fill(t, records)
		batches := c.reader.Stats().Batches
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c.drain(t)
		runtime.ReadMemStats(&after)
		batches = c.reader.Stats().Batches - batches
		if n := after.Mallocs - before.Mallocs; n > perBatch*batches {
			t.Errorf("%s: %d allocations for %d records in %d batches", name, n, records, batches)
		}
	}
}

// What the reader pays for a record, all in, to a file in memory.
func BenchmarkDrain(b *testing.B) {
	const records = 1 << 17
	for _, name := range []string{"raw", "text", "logfmt", "json"} {
		for _, lanes := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/lanes=%d", name, lanes), func(b *testing.B) {
				c := newCostOfADrain(b, lanes, records, name)
				c.fill(b, records)
				c.drain(b)
				var took time.Duration
				for b.Loop() {
					b.StopTimer()
					c.fill(b, records)
					b.StartTimer()
					begin := time.Now()
					c.drain(b)
					took += time.Since(begin)
				}
				b.ReportMetric(float64(took.Nanoseconds())/float64(b.N)/records, "ns/record")
			})
		}
	}
}
