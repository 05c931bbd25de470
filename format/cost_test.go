package format

import (
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

// Not parallel: AllocsPerRun counts the whole process.
func TestFormattersAllocateNothing(t *testing.T) {
	dst := make([]byte, 0, 4096)
	for name, f := range formatters() {
		for what, l := range benchLines(t) {
			f.Append(dst, l)
			if n := testing.AllocsPerRun(100, func() {
				l.Time += 1e8 // the second changes now and then
				f.Append(dst, l)
			}); n != 0 {
				t.Errorf("%s of %s: %v allocations", name, what, n)
			}
		}
	}
}

func formatters() map[string]Formatter {
	return map[string]Formatter{"text": NewText(time.Local), "json": NewJSON(), "raw": Raw{}}
}

func benchLines(t testing.TB) map[string]*Line {
	message := typical()
	message.Attrs = nil
	return map[string]*Line{
		"raw": newLine(record.Raw([]byte("a line of an access log"))), "message": lineOf(t, message),
		"3attrs": lineOf(t, typical()), "rich": lineOf(t, rich()),
	}
}

func BenchmarkAppend(b *testing.B) {
	dst := make([]byte, 0, 4096)
	for name, f := range formatters() {
		for what, l := range benchLines(b) {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					l.Time += 10000
					dst = f.Append(dst[:0], l)
				}
				b.SetBytes(int64(len(dst)))
			})
		}
	}
}
