// Package repo finds the source that this program was built from.
package repo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// ErrNone: the working directory is in no checkout.
var ErrNone = errors.New("not in the repository of ringlog: run it there, as in `go run ./bench`")

// Root is the checkout's folder that the working directory lies in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if b, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && bytes.HasPrefix(b, []byte("module github.com/ringlog/ringlog\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", ErrNone
		}
	}
}
