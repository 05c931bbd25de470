package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/pathtemplate"
)

// Paths of outputs that are not files.
const (
	stdout = "-"
	stderr = "stderr"
)

func standard(path string) bool { return path == stdout || path == stderr }

// path checks the path of an output.
func path(text string) (string, error) {
	switch {
	case standard(text):
		return text, nil
	case text == "stdout":
		return "", errors.New(`standard output is "-"; a file of this name is ./stdout`)
	case slices.Contains([]string{"", ".", ".."}, text[strings.LastIndexByte(text, '/')+1:]):
		return "", fmt.Errorf("%q is a folder: want a file", text)
	}
	_, err := pathtemplate.Parse(text)
	return text, err
}

// fixed is the path of an output that has no fields. ok is false if it has some.
func fixed(path string) (plain string, ok bool) {
	t, err := pathtemplate.Parse(path)
	if err != nil {
		return path, true // not one that anybody can have, and said elsewhere
	}
	return t.Fixed()
}

func checkFormat(o format.Options) error {
	_, err := format.New(o)
	return err
}

// checkFit says which of the output's own keys are for outputs of another kind. Its format
// is the one called name.
func (m *mistakes) checkFit(o *output, name string) {
	for _, k := range [...]struct{ key, of string }{{"layout", "text"}, {"time_format", "text"}, {"json_fields", "json"}} {
		if at, ok := o.at[k.key]; ok && name != k.of {
			m.add(at, fmt.Sprintf("%q is for format %s, and %s is %s: leave it out, or say format: %s", k.key, k.of, o.name, name, k.of))
		}
	}
	for _, key := range [...]string{"rotate", "keep", "compress", "hook"} {
		if at, ok := o.at[key]; ok && standard(o.path) {
			m.add(at, fmt.Sprintf("%q is for files, and %s is %q: leave it out", key, o.name, o.path))
		}
	}
}

// checkPaths says which outputs have the path of one before them.
func (m *mistakes) checkPaths(outputs []output) {
	first := map[string]*output{}
	for i := range outputs {
		o := &outputs[i]
		if o.path == "" {
			continue
		}
		same := o.path
		if plain, ok := fixed(o.path); !ok {
			same = "files " + filepath.Clean(o.path)
		} else if !standard(o.path) {
			same = "file " + filepath.Clean(plain) // ./stderr is not stderr
		}
		if other := first[same]; other != nil {
			m.add(o.at["path"], fmt.Sprintf("path %q: %s in line %d has it already", cut(o.path), other.name, other.at["path"].line))
			continue
		}
		first[same] = o
	}
}

// checkOpenFiles says whether a record may go to more files than may be open.
func (m *mistakes) checkOpenFiles(f *file) {
	templates := 0
	for _, o := range f.outputs {
		if _, ok := fixed(o.path); !ok {
			templates++
		}
	}
	if f.MaxOpenFiles > 0 && templates > f.MaxOpenFiles {
		m.add(f.at["max_open_files"], fmt.Sprintf("max_open_files: %d, and the paths of %d outputs have fields: a record may go to all of them, so allow as many",
			f.MaxOpenFiles, templates))
	}
}
