package format

import (
	"testing"
	"time"

	"github.com/ringlog/ringlog/record"
)

// Not parallel: AllocsPerRun counts the whole process.
func TestFormattersAllocateNothing(t *testing.T) {
	dst := make([]byte, 0, 4096)
	all := formatters(t)
	all["digits"] = textOf(t, `%(price).900e %(price).300f %(price).40g`)
	for name, f := range all {
		for what, l := range benchLines(t) {
			f.Append(dst, l)
			if n := testing.AllocsPerRun(100, func() {
				l.Time += 1.1e9 // another second, each time
				f.Append(dst, l)
			}); n != 0 {
				t.Errorf("%s of %s: %v allocations", name, what, n)
			}
		}
	}
}

func formatters(t testing.TB) map[string]Formatter {
	t.Helper()
	layout, err := New(Options{
		Layout: `%(asctime)s %(levelname)-8s %(levelno)03d [%(symbol)s/%(trial)05d] %(name)12.8s %(price)9.3f %(created).3f %(msecs)03d ` +
			`%(filename)s:%(lineno)d %(id)s %(worker)s %(message).80s %(attrs)s`,
		TimeFormat: `%a %d %b %Y %H:%M:%S.%f %z`,
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Formatter{
		"text": NewText(time.Local), "json": NewJSON(), "raw": Raw{}, "layout": layout, "logfmt": NewLogfmt(),
		"ecs": NewECS(), "otel": NewOTel(),
		"own": jsonOfFields(t, Fields{Names: map[string]string{"time": "ts", "msg": "message", "seq": "", "worker": "", "stack": ""}}),
	}
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
	for name, f := range formatters(b) {
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
