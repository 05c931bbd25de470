package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLookSaysWhatThisMachineLacks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := "outputs: [{path: " + file + ", hook: {command: [/bin/sh]}}, {path: '-'}, {path: '" + dir + "/{x}/{y}'}, {path: " + dir + "/none/a}]"
	if err := parse(t, good, Overrides{}).Look("f"); err != nil {
		t.Error(err)
	}
	bad := "outputs: [{path: " + dir + "}, {path: " + file + "/a}, {path: b, hook: {command: [" + dir + "/ship]}}, {path: c, hook: {command: [" + file + "]}}]"
	want := `f: output 1: "` + dir + `" is a folder: want a file
f: output 2: "` + file + `/a" lies below what is not a folder
f: output 3: the hook cannot be run: exec: "` + dir + `/ship": stat ` + dir + `/ship: no such file or directory
f: output 4: the hook cannot be run: exec: "` + file + `": permission denied`
	if err := parse(t, bad, Overrides{}).Look("f"); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}
