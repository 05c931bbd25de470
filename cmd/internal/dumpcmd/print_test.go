package dumpcmd

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/dump"
	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/selector"
	"github.com/ringlog/ringlog/writer"
)

func TestOnlyPrintsTheRecordsThatAreWantedAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.ring")
	if err := ring.Create(path, ring.CreateOptions{Lanes: 1, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	w, err := writer.Open(path, writer.Options{Label: "w", Policy: writer.PolicyDrop})
	if err != nil {
		t.Fatal(err)
	}
	log := func(trial int, message string) {
		e := record.Entry{Logger: "orders", Message: message, Attrs: []slog.Attr{slog.Int("trial", trial)}}
		if err := w.Log(record.LevelInfo, &e); err != nil {
			t.Fatal(err)
		}
	}
	log(17, "one")
	if err := w.Append(record.LevelInfo, make([]byte, ring.MinLaneSize)); err == nil {
		t.Fatal("a record that is too large was accepted")
	}
	log(18, "two")
	log(17, "three")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := ring.Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	want, err := selector.Parse("orders{trial=17}")
	if err != nil {
		t.Fatal(err)
	}
	var out, messages strings.Builder
	if err := printLines(&out, &messages, dump.Scan(in, dump.Options{}), format.NewText(nil), &want); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], " one trial=17") || !strings.HasSuffix(lines[1], " three trial=17") {
		t.Errorf("printed %q", out.String())
	}
	if !strings.HasPrefix(messages.String(), "ringdump: lost 1 record") {
		t.Errorf("said %q", messages.String())
	}
}
