// Command ringdump shows what is in a ring that was not drained, from a dead or a
// living one, without changing it.
package main

import (
	"os"

	"github.com/ringlog/ringlog/cmd/internal/cli"
	"github.com/ringlog/ringlog/cmd/internal/dumpcmd"
)

func main() { os.Exit(cli.Main(dumpcmd.Command())) }
