// Package overlay changes source code for one build, as `go build -overlay` does:
// the changed files lie in a folder of their own, and the tree is never touched. It
// is for measuring and testing what the code would be without some part of it, which
// therefore needs no switch in the code itself.
package overlay

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrOutdated: the text that an edit is to replace is not in its file exactly once,
// so that the edit was made for other code than this.
var ErrOutdated = errors.New("overlay: edit is out of date")

// Edit replaces a text in a file.
type Edit struct {
	File string // with slashes, from the module's root
	Old  string // is in the file exactly once, also after the edits before this one
	New  string
}

// Write carries out edits on copies of the files below root, an absolute path, and
// returns the name of the JSON file that go's -overlay wants. Copies and JSON are
// made in dir, which is to exist and to outlive the build. Errors: ErrOutdated, and
// what reading and writing files can meet.
func Write(root, dir string, edits []Edit) (string, error) {
	changed := map[string]string{} // by file
	for _, e := range edits {
		text, ok := changed[e.File]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return "", fmt.Errorf("read a file to change: %w", err)
			}
			text = string(b)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return "", fmt.Errorf("%w: want once in %s, found %d times: %q; look what became of it there", ErrOutdated, e.File, n, e.Old)
		}
		changed[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, text := range changed {
		// Numbered, since files of one name may lie in several folders; the ending
		// stays, since it may name a system.
		replacement := filepath.Join(dir, strconv.Itoa(len(overlay.Replace))+"_"+filepath.Base(file))
		if err := os.WriteFile(replacement, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("write a changed file: %w", err)
		}
		overlay.Replace[filepath.Join(root, filepath.FromSlash(file))] = replacement
	}
	b, err := json.MarshalIndent(overlay, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return path, nil
}

// Environment returns environ with GOFLAGS such that all go commands, also those
// that tests start, build with the overlay at path.
func Environment(environ []string, path string) []string {
	flags := ""
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, "GOFLAGS="); ok {
			flags = value + " " // the last one counts, as for exec
		}
	}
	return append(environ[:len(environ):len(environ)], "GOFLAGS="+flags+"'-overlay="+path+"'")
}
