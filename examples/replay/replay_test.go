package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the processes that the tests start be the test binary itself.
func TestMain(m *testing.M) {
	if role, ok := roleOf(os.Args); ok {
		if err := role(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "replay:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestBothActsAccountForEveryLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := run(t.Context(), []string{"--lines", "3000", "--logs", "", "--dir", t.TempDir()}, &out)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "the log says: vanished"); n != 5 {
		t.Errorf("%d workers vanished: want one in act one and four in act two", n)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequences where there is no terminal")
	}
}

func TestFilesOfAFolderAreReplayedByteForByte(t *testing.T) {
	t.Parallel()
	logs := t.TempDir()
	for name, text := range map[string]string{
		"a.log": "one\r\n\r\ntwo\xff\n" + strings.Repeat("x", longest+1) + "\nno newline at the end",
		"b.log": "\n",
	} {
		if err := os.WriteFile(filepath.Join(logs, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := loadSources(logs)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprintf("%q", sources), `[{"a" ["one\r" "\r" "two\xff" "no newline at the end"]} {"b" [""]}]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := run(t.Context(), []string{"--lines", "500", "--logs", logs, "--dir", t.TempDir()}, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestJudgeFindsEachBrokenPromise(t *testing.T) {
	t.Parallel()
	line := func(n int, text string) string {
		return fmt.Sprintf(`{"logger":"l","msg":%q,"worker":"worker-1","attrs":{"line":%d}}`+"\n", text, n)
	}
	const vanished = `{"logger":"ringlog","msg":"m","worker":"worker-1","attrs":{"event":"vanished"}}` + "\n"
	good := line(1, "a") + line(2, "b") + line(3, "a")
	tests := map[string]struct {
		files  string
		killed bool
		broken bool
	}{
		"all there":              {files: good},
		"killed and said":        {files: good + vanished, killed: true},
		"killed before the note": {files: good + line(4, "b") + vanished, killed: true},
		"the last one lost":      {files: line(1, "a") + line(2, "b"), broken: true},
		"one lost":               {files: line(1, "a") + line(3, "a"), broken: true},
		"doubled":                {files: good + line(3, "a"), broken: true},
		"out of order":           {files: line(2, "b") + line(1, "a") + line(3, "a"), broken: true},
		"changed":                {files: line(1, "a") + line(2, "x") + line(3, "a"), broken: true},
		"never accepted":         {files: good + line(4, "b"), broken: true},
		"vanished unsaid":        {files: good, killed: true, broken: true},
		"vanished twice":         {files: good + vanished + vanished, killed: true, broken: true},
		"vanished alive":         {files: good + vanished, broken: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := show{sources: []source{{logger: "l", lines: []string{"a", "b"}}}, out: io.Discard}
			p := &process{job: job{Name: "worker-1", Note: filepath.Join(t.TempDir(), "note")}, killed: tt.killed}
			n, err := createNote(p.Note)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			if err := n.set(3); err != nil {
				t.Fatal(err)
			}
			found := s.newTally(crew{p})
			if err := found.add(strings.NewReader(tt.files)); err != nil {
				t.Fatal(err)
			}
			if err := s.judge(crew{p}, found); errors.Is(err, errBroken) != tt.broken {
				t.Errorf("%v, want broken: %v", err, tt.broken)
			}
		})
	}
}

func TestAFolderOfLogsThatIsNoneIsNamed(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "nonexist")
	if _, err := loadSources(missing); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("%v, want one that names %s", err, missing)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadSources(file); err == nil || err.Error() != file+" is no folder" {
		t.Errorf("%v for a file", err)
	}
}

func TestHalfALineIsNoticed(t *testing.T) {
	t.Parallel()
	s := show{}
	if err := s.newTally(nil).add(strings.NewReader(`{"logger":"l","ms`)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestArgumentsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--lines", "0"}, {"extra"}, {"--logs", t.TempDir()}, {"--what"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
