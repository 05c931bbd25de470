// Package native is the peers of the benchmark that are written in C and C++:
// LTTng-UST and spdlog. Their programs, in src, are compiled where and when they are
// measured, against what the system has.
//
// Reading order: src/worker.h (what a worker does), program.go (how it is compiled and
// started), spdlog.go, lttng.go with daemon.go and ctf.go.
package native

import (
	"embed"
	"io/fs"

	"github.com/ringlog/ringlog/bench/peer"
)

//go:embed src
var embedded embed.FS

// Peers are all of this package. What they compile stays with them, so that it is
// compiled once; there is nothing to close.
func Peers() []peer.Peer {
	cpp := program{
		name:     "spdlog",
		sources:  sources(),
		file:     "spdlog.cpp",
		compiler: "c++",
		flags:    []string{"-std=c++17"},
		library:  "spdlog",
		install:  "apt-get install -y --no-install-recommends g++ pkg-config libspdlog-dev",
	}
	c := program{
		name:     "lttng",
		sources:  sources(),
		file:     "lttng.c",
		compiler: "cc",
		library:  "lttng-ust",
		install:  installLTTng,
	}
	return []peer.Peer{
		&spdlog{program: &cpp, name: "spdlog async", policy: "block", full: "callers wait when it is full"},
		&spdlog{program: &cpp, name: "spdlog async, overrun_oldest", policy: "overrun_oldest", full: "the oldest record goes when it is full"},
		&lttng{program: &c},
	}
}

func sources() fs.FS {
	src, err := fs.Sub(embedded, "src")
	if err != nil {
		panic(err) // a name that is not one, above
	}
	return src
}

// argument is how the programs call a payload.
func argument(p peer.Payload) string {
	if p == peer.Fields {
		return "fields"
	}
	return "message"
}
