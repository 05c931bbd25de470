// Command bench measures what a call of ringlog costs and how fast a drain takes
// records to files, side by side with the floors under it and with its peers.
//
//	go run ./bench --help
package main

import (
	"os"

	"github.com/ringlog/ringlog/bench/internal/cli"
	"github.com/ringlog/ringlog/bench/internal/parts"
	"github.com/ringlog/ringlog/bench/internal/role"
)

func main() {
	role.Main(parts.Roles()...)
	os.Exit(cli.Execute(os.Args[1:], os.Stdout, os.Stderr))
}
