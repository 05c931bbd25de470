//go:build linux

package reader

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/ring"
)

// After a power loss the intent may be of an owner of whom the lane's own page knows
// nothing any more. Whoever claims the lane next, before a reader comes, then has that
// owner's generation, and is not meant.
func TestABatchOfAnotherBootIsNotPublishedOrUndoneForWhoeverClaimedItsLaneSince(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{true, false} {
		path, out := newRing(t, 1), filepath.Join(t.TempDir(), "out.log")
		p := attach(t, path, "of this boot")
		say(t, p, "first", "second")
		if err := os.WriteFile(out, []byte("of the other boot\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Stat(out, &st); err != nil {
			t.Fatal(err)
		}
		c, err := ring.OpenConsumer(path)
		if err != nil {
			t.Fatal(err)
		}
		l, err := c.Lane(0)
		if err != nil {
			t.Fatal(err)
		}
		end, _ := l.Produced()
		if first := l.Live(0, end); first.Kind != ring.KindOwner {
			t.Fatalf("%+v", first)
		} else if l.Live(first.Next, end).Outcome != ring.OutcomeRecord {
			t.Fatal("no record")
		}
		to := ring.Progress{Consumer: l.Live(l.Live(0, end).Next, end).Next, Delivered: 1, Sequence: 1}
		b := ring.Batch{
			Number: 1, BootID: [16]byte{'o', 't', 'h', 'e', 'r'},
			Lanes: []ring.LaneChange{{Lane: 0, Generation: 1, To: to, State: ring.LaneOwned}},
			Outputs: []ring.OutputChange{{
				Path: out, Device: st.Dev, Inode: st.Ino, Length: st.Size, Pieces: logfile.AppendPieces(nil, []byte("of the other boot\n")),
			}},
		}
		if err := c.Prepare(&b); err != nil {
			t.Fatal(err)
		}
		if applied {
			c.MarkApplied()
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		drain(t, path, Options{Outputs: []Output{{Path: out, Format: format.Options{Name: "raw"}}}})
		if got := readFile(t, out); got != "of the other boot\nfirst\nsecond\n" {
			t.Errorf("applied %v: got %q", applied, got)
		}
	}
}
