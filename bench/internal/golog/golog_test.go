package golog

import (
	"os"
	"strings"
	"testing"

	"github.com/ringlog/ringlog/bench/internal/payload"
	"github.com/ringlog/ringlog/bench/internal/role"
	"github.com/ringlog/ringlog/bench/peer"
)

// TestMain lets the test's own binary be the worker processes.
func TestMain(m *testing.M) {
	role.Main(Roles...)
	os.Exit(m.Run())
}

func TestEveryRecordOfEveryLoggerArrives(t *testing.T) {
	t.Parallel()
	for _, k := range All {
		t.Run(k.Info().Name, func(t *testing.T) {
			t.Parallel()
			workers := 2
			if n := k.Info().Processes; n != 0 {
				workers = n
			}
			s, err := Peer{Kind: k}.Open(t.Context(), peer.Dirs{Work: t.TempDir(), Logs: t.TempDir()}, workers, k.Info().Payloads[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Crew().Burst(500); err != nil {
				t.Error(err)
			}
			if _, _, err := s.Crew().Paced(10, 1000); err != nil {
				t.Error(err)
			}
			settled, err := s.Settle(t.Context())
			if want := uint64(510 * workers); err != nil || settled.Arrived != want || settled.At.IsZero() {
				t.Errorf("%+v, want %d, %v", settled, want, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALineHasAllThatWasLogged(t *testing.T) {
	t.Parallel()
	for _, k := range All {
		if !k.file {
			continue
		}
		dir := t.TempDir()
		l, closer, err := k.Make(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Log(3); err != nil {
			t.Error(err)
		}
		if err := l.One(3); err != nil {
			t.Error(err)
		}
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
		b, err := os.ReadFile(dir + "/a.log")
		if err != nil {
			t.Fatal(err)
		}
		want := []string{peer.FieldsText, "trial", "101.25", peer.Symbol}
		if k.Info().Payloads[0] == peer.Message {
			want = []string{peer.Text}
		}
		for line := range strings.Lines(string(b)) {
			for _, w := range want {
				if !strings.Contains(line, w) {
					t.Errorf("%s: no %q in %q", k.Info().Name, w, line)
				}
			}
		}
		if n := strings.Count(string(b), "\n"); n != 4 {
			t.Errorf("%s: %d lines, want 4", k.Info().Name, n)
		}
	}
}

func TestLinesOfACorpusAreLoggedInTurn(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	l := writes(&b, payload.Texts{[]byte("a"), []byte("b")}, "\n")
	if err := l.Log(3); err != nil || b.String() != "a\nb\na\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestAnUnknownLoggerIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := Find("syslog"); err == nil {
		t.Error("it is found")
	}
}
