package overlay

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func tree(t *testing.T) (root, dir string) {
	t.Helper()
	root, dir = t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"x.go": "one two two", "a/x.go": "three"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, dir
}

func TestEditsOfOneFileAddUpAndFilesOfOneNameStayApart(t *testing.T) {
	t.Parallel()
	root, dir := tree(t)
	path, err := Write(root, dir, []Edit{
		{"x.go", "one", "1"},
		{"a/x.go", "three", "3"},
		{"x.go", "1 two", "first"},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(b, &overlay); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"x.go": "first two", "a/x.go": "3"} {
		got, err := os.ReadFile(overlay.Replace[filepath.Join(root, name)])
		if err != nil || string(got) != want {
			t.Errorf("%s became %q (%v), want %q", name, got, err, want)
		}
	}
	if got, _ := os.ReadFile(filepath.Join(root, "x.go")); string(got) != "one two two" {
		t.Errorf("the tree itself was changed: %q", got)
	}
}

func TestTextThatIsNotThereExactlyOnceIsOutdated(t *testing.T) {
	t.Parallel()
	root, dir := tree(t)
	for _, old := range []string{"two", "four"} {
		if _, err := Write(root, dir, []Edit{{"x.go", old, ""}}); !errors.Is(err, ErrOutdated) {
			t.Errorf("replacing %q: %v, want %v", old, err, ErrOutdated)
		}
	}
}

func TestFlagsOfTheEnvironmentAreKept(t *testing.T) {
	t.Parallel()
	environ := []string{"A=b", "GOFLAGS=-trimpath"}
	want := []string{"A=b", "GOFLAGS=-trimpath", "GOFLAGS=-trimpath '-overlay=/some where/o.json'"}
	if got := Environment(environ, "/some where/o.json"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
