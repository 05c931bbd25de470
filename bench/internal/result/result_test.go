package result

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestASavedRunIsLoadedAsItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.json")
	r := &Report{Started: time.Unix(1_700_000_000, 0).UTC(), Clock: "time.Since", Spreads: []Distribution{{Line: "a", Values: [][2]int64{{1, 2}}}}}
	r.Add(Series{Part: "p", Line: "a", Metric: "m", X: 2, Unit: PerSecond}, 1.5)
	r.Add(Series{Part: "p", Line: "a", Metric: "m", X: 2, Unit: PerSecond}, 2.5)
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("got %+v, want %+v, %v", got, r, err)
	}
	if s := got.Find("p", "a", "m", 2); s == nil || len(s.Samples) != 2 || got.Find("p", "a", "m", 3) != nil {
		t.Errorf("%+v", s)
	}
}

func TestAFileThatIsNoRunIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"text": "hello", "old": `{"rounds": 11}`, "empty": `{"version": 2, "series": [{"part": "p", "line": "a"}]}`, "": "",
	} {
		path := filepath.Join(dir, name+".json")
		if name != "" {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
