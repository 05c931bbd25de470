package parts

import (
	"errors"
	"os"

	"github.com/ringlog/ringlog/bench/peer"
)

// within makes folders for one session in those of a line, which may have several.
func within(outer peer.Dirs) (dirs peer.Dirs, remove func() error, err error) {
	if dirs.Work, err = os.MkdirTemp(outer.Work, ""); err != nil {
		return dirs, nil, err
	}
	if dirs.Logs, err = os.MkdirTemp(outer.Logs, ""); err != nil {
		return dirs, nil, errors.Join(err, os.RemoveAll(dirs.Work))
	}
	return dirs, func() error { return errors.Join(os.RemoveAll(dirs.Work), os.RemoveAll(dirs.Logs)) }, nil
}
