package config

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Look says what else is wrong with c on this machine, in the way of Parse's errors:
// outputs that are folders, or lie below what is none, and hooks whose program cannot be
// run. It opens nothing and changes nothing. file is for the errors.
func (c *Config) Look(file string) error {
	m := mistakes{file: file}
	for i := range c.Outputs {
		o := &c.Outputs[i]
		path, ok := fixed(o.Path)
		info, err := os.Stat(path)
		switch {
		case !ok || standard(o.Path):
		case errors.Is(err, syscall.ENOTDIR):
			m.add(position{}, fmt.Sprintf("output %d: %q lies below what is not a folder", i+1, cut(path)))
		case err == nil && info.IsDir():
			m.add(position{}, fmt.Sprintf("output %d: %q is a folder: want a file", i+1, cut(path)))
		}
		if hook := o.Rotated.Hook.Command; len(hook) > 0 {
			if _, err := exec.LookPath(hook[0]); err != nil {
				m.add(position{}, fmt.Sprintf("output %d: the hook cannot be run: %v", i+1, err))
			}
		}
	}
	return m.err()
}
