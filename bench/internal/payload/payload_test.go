package payload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/bench/peer"
)

func TestTextsHaveTheSizeThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 16, 100, 101, 8192} {
		texts, err := Make(size, "")
		if err != nil || len(texts) != 1 || len(texts[0]) != size {
			t.Errorf("%d: %v", size, err)
		}
	}
	if texts, _ := Make(0, ""); string(texts[0]) != peer.Text {
		t.Errorf("%q", texts)
	}
}

func TestACorpusIsItsLinesWithoutTheirEnds(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	if err := os.WriteFile(path, []byte("one\r\n\n"+strings.Repeat("x", 9000)+"\nlast"), 0o600); err != nil {
		t.Fatal(err)
	}
	texts, err := Make(0, path)
	if err != nil || len(texts) != 3 || string(texts[0]) != "one" || len(texts[1]) != longest || string(texts[2]) != "last" {
		t.Errorf("%d texts, %v", len(texts), err)
	}
	if got := texts.MeanSize(); got != float64(3+longest+4)/3 {
		t.Errorf("mean %v", got)
	}
}

func TestACorpusWithoutALineIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.log")
	if err := os.WriteFile(empty, []byte("\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".gone"} {
		if _, err := Make(0, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
