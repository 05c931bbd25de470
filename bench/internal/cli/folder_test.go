package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheFolderOfARunThatWasKilledIsRemovedByTheNextAndNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := time.Now().Add(-2 * justMade)
	aged := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		return path
	}
	orphan, foreign := aged(prefix+"1"), aged("other")
	running, remove, err := makeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(running, old, old); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(dir, prefix+"2")
	if err := os.Mkdir(fresh, 0o700); err != nil {
		t.Fatal(err)
	}
	orphanToo := aged(prefix + "3")
	second, removeSecond, err := makeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{orphan: false, orphanToo: false, foreign: true, running: true, fresh: true, second: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: there is %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
	for _, r := range []func() error{remove, removeSecond} {
		if err := r(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("%v", left)
	}
	if _, _, err := makeFolder(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder in none")
	}
}
