package config

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// path checks the path of an output, and looks whether a file can be there.
func (d *decoder) path(text string) (string, error) {
	text, err := path(text)
	if err != nil || !d.look || standard(text) {
		return text, err
	}
	plain, ok := fixed(text)
	if !ok {
		return text, nil
	}
	info, err := os.Stat(plain)
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return "", fmt.Errorf("%q lies below what is not a folder", cut(plain))
	case err == nil && info.IsDir():
		return "", fmt.Errorf("%q is a folder: want a file", cut(plain))
	}
	return text, nil // what cannot be looked at may be another user's
}

// argument checks a word of a command, and looks whether the program can be run.
func (d *decoder) argument(i int, text string) error {
	if err := argument(i, text); err != nil || !d.look || i > 0 {
		return err
	}
	if _, err := exec.LookPath(text); err != nil {
		return fmt.Errorf("it cannot be run: %w", err)
	}
	return nil
}
