package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/peer"
	"github.com/ringlog/ringlog/ring"
)

// TestMain lets the test's own binary be the worker and reader processes.
func TestMain(m *testing.M) {
	role.Main(Roles...)
	os.Exit(m.Run())
}

func TestEveryRecordArrivesHoweverItIsLogged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer Peer
		want string
	}{
		"append": {Peer{Format: "raw"}, peer.Text},
		"size":   {Peer{Format: "raw", Size: 150}, peer.Text + peer.Text[:50] + "\n"},
		"logger": {Peer{How: Logger, Format: "text"}, peer.FieldsText},
		"slog":   {Peer{How: Slog, Format: "json"}, peer.FieldsText},
		"lanes":  {Peer{Format: "raw", Lanes: 3, LaneSize: ring.MinLaneSize}, peer.Text},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dirs := peer.Dirs{Work: t.TempDir(), Logs: t.TempDir()}
			s, err := c.peer.Start(t.Context(), dirs, 2)
			if err != nil {
				t.Fatal(err)
			}
			if _, took, err := s.Crew().Burst(1000); err != nil || took.Lost > 0 {
				t.Errorf("%+v, %v", took, err)
			}
			settled, err := s.Settle(t.Context())
			if err != nil || settled.Arrived != 2000 {
				t.Errorf("%+v, %v", settled, err)
			}
			u, err := s.Reader.Usage()
			if err != nil || u.Records != 2000 || u.Lost != 0 || u.Processor <= 0 || u.Private <= 0 {
				t.Errorf("%+v, %v", u, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			b, err := os.ReadFile(filepath.Join(dirs.Logs, "a.log"))
			if err != nil || strings.Count(string(b), c.want) != 2000 {
				t.Errorf("%d times %q, %v", strings.Count(string(b), c.want), c.want, err)
			}
		})
	}
}

func TestABurstFitsALaneThatWasEmptied(t *testing.T) {
	t.Parallel()
	lane, err := OpenLane(t.TempDir(), ring.MinLaneSize, false)
	if err != nil {
		t.Fatal(err)
	}
	defer lane.Close()
	calls := Calls(lane.Writer, Append, [][]byte{[]byte(peer.Text)})
	for range 3 {
		if err := lane.Empty(); err != nil {
			t.Fatal(err)
		}
		if err := calls.Log(lane.Burst); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAReaderOfNoRingIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r, err := StartReader(t.Context(), "", filepath.Join(dir, "none.ring"), "text", filepath.Join(dir, "a.log")); err == nil {
		r.Close()
		t.Error("it begins")
	}
}
