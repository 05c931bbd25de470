package cli

import (
	"runtime"
	"runtime/debug"
)

// version is set by the linker (-X github.com/ringlog/ringlog/cmd/internal/cli.version=v1.2.3)
// where the module's own version is not known: in a build from a source archive.
var version string

// Version says which release this is and what it was built with.
func Version() string {
	v, revision := version, ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value[:min(12, len(s.Value))] + ", "
			}
		}
	}
	if v == "" {
		v = "(devel)"
	}
	return v + " (" + revision + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + ")"
}
