package fallback

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/ringlog/ringlog/record"
)

func TestRecordsBecomeLinesOfTheLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := New(&out)
	e := record.Entry{Logger: "trades", Message: "filled", Attrs: []slog.Attr{slog.Int("n", 7)}}
	var payload [100]byte
	n, _ := e.EncodeShort(payload[:])
	if err := errors.Join(p.Raw(record.LevelInfo, []byte("raw\x1b")), p.Log(record.LevelError, &e), p.Encoded(record.LevelError, payload[:n])); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	if len(got) != 4 || got[1][len(got[1])-20:] != got[2][len(got[2])-20:] || !strings.HasSuffix(got[0], ` - root - INFO - raw\x1b`) || !strings.HasSuffix(got[1], " - trades - ERROR - filled n=7") {
		t.Errorf("%q", out.String())
	}
}

func TestLogFailsWhereTheEntryCannotBeEncoded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := record.Entry{Logger: strings.Repeat("x", record.MaxLogger+1)}
	if err := New(&out).Log(record.LevelInfo, &e); !errors.Is(err, record.ErrTooLong) || out.Len() > 0 {
		t.Errorf("%v, %q", err, out.String())
	}
	if err := New(&out).Encoded(record.LevelInfo, []byte("no payload")); !errors.Is(err, record.ErrMalformed) || out.Len() > 0 {
		t.Errorf("%v, %q", err, out.String())
	}
}

type brokenOutput struct{}

var errBroken = errors.New("broken")

func (brokenOutput) Write([]byte) (int, error) { return 0, errBroken }

func TestTheErrorOfTheOutputIsReturned(t *testing.T) {
	t.Parallel()
	if err := New(brokenOutput{}).Raw(record.LevelInfo, nil); !errors.Is(err, errBroken) {
		t.Errorf("%v", err)
	}
}

func TestConcurrentRecordsDoNotMix(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := New(&out)
	var workers sync.WaitGroup
	for _, c := range "abcd" {
		message := strings.Repeat(string(c), 50)
		workers.Go(func() {
			for range 100 {
				if err := p.Log(record.LevelInfo, &record.Entry{Message: message}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 400 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if m := l[len(l)-50:]; strings.Trim(m, m[:1]) != "" {
			t.Errorf("%q", l)
		}
	}
}
