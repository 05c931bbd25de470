package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLookSaysWhatThisMachineLacksWithAllOtherMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(text string) string { return strings.ReplaceAll(text, "DIR", dir) }
	config := filepath.Join(dir, "c.yaml")
	look := func(text string) error {
		t.Helper()
		if err := os.WriteFile(config, []byte(in(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Look(config)
		return err
	}
	if err := look("outputs: [{path: DIR/file, hook: {command: [/bin/sh]}}, {path: '-'}, {path: 'DIR/{x}/{y}'}, {path: DIR/none/a}]"); err != nil {
		t.Error(err)
	}
	const bad = `sync: often
defaults:
  hook: {command: [DIR/ship, now]}
outputs:
  - path: DIR
  - path: DIR/file/a
    formt: raw
  - path: b
    hook:
      timeout: 5s
      command:
        - DIR/file
  - path: DIR/{{x}}/../file/b
`
	want := in(`CONFIG:1:7: sync: unknown sync policy "often"; want none, interval or batch
CONFIG:3:20: command: it cannot be run: exec: "DIR/ship": stat DIR/ship: no such file or directory
CONFIG:5:11: path: "CUT" is a folder: want a file
CONFIG:6:11: path: "CUTFILE" lies below what is not a folder
CONFIG:7:5: unknown key "formt" in output 2: did you mean "format"?
CONFIG:12:11: command: it cannot be run: exec: "DIR/file": permission denied`)
	want = strings.NewReplacer("CONFIG", config, "CUTFILE", cut(file+"/a"), "CUT", cut(dir)).Replace(want)
	if err := look(bad); err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	// Who only loads it, elsewhere or before all is in its place, is not told.
	if _, err := Parse("f", []byte(in("outputs: [{path: DIR}]")), Overrides{}); err != nil {
		t.Error(err)
	}
}
