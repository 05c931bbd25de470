//go:build linux

package reader

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
)

// A record is stamped by a counter that knows nothing of the time. What is shown lies
// between the looks at the wall clock before and behind its append; a millisecond is what
// the line may be off before it is broken.
func TestTimesThatAreShownAreThoseOfTheAppendInWhateverLane(t *testing.T) {
	t.Parallel()
	path, out := newRing(t, 4), filepath.Join(t.TempDir(), "out.json")
	const n, tolerance = 300, time.Millisecond
	var before, after [n]time.Time
	r, _ := openReader(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "json"}}}})
	for i := range n {
		p := attach(t, path, fmt.Sprint(i))
		before[i] = time.Now().Round(0)
		say(t, p, fmt.Sprint(i))
		if i%3 > 0 { // else it stays attached, and another lane is the next one's
			closeLane(t, p)
		}
		after[i] = time.Now().Round(0)
		look(t, r, time.Now())
		if i%3 == 0 {
			closeLane(t, p)
			look(t, r, time.Now())
		}
	}
	found := 0
	for line := range strings.Lines(readFile(t, out)) {
		var shown struct {
			Time time.Time
			Msg  string
		}
		if err := json.Unmarshal([]byte(line), &shown); err != nil {
			t.Fatal(err)
		}
		var i int
		if _, err := fmt.Sscan(shown.Msg, &i); err != nil {
			continue // the drain's own
		}
		found++
		if shown.Time.Before(before[i].Add(-tolerance)) || shown.Time.After(after[i].Add(tolerance)) {
			t.Errorf("record %d is of %v, appended between %v and %v", i, shown.Time, before[i], after[i])
		}
	}
	if found != n {
		t.Errorf("%d records, want %d", found, n)
	}
}
