// Command mutants breaks the code on purpose, one rule at a time, and lets the tests
// look for it: a break that no test notices is a test that is missing.
//
//	go run ./mutants --only 'stamp|rollback' --json result.json
//
// The tree is never touched: each break is a changed copy of a file, which the go
// command takes in its place (go build -overlay).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	// An interrupted run ends its tests and removes its files.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	only := flags.String("only", "", "only mutants whose name matches this regular expression")
	list := flags.Bool("list", false, "print the mutants and what is to catch them, and run nothing")
	save := flags.String("json", "", "save the results to this file")
	timeout := flags.Duration("timeout", 3*time.Minute, "time for one run of a package's tests")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("--only: %w", err)
	}
	var chosen []mutant
	for _, m := range catalogue() {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	switch {
	case len(chosen) == 0:
		return fmt.Errorf("--only %q matches no mutant; --list shows them all", *only)
	case *list:
		return printList(out, chosen)
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	results, err := (&laboratory{root: root, timeout: *timeout, out: out}).examine(ctx, chosen)
	if err != nil {
		return err
	}
	if err := printTable(out, results); err != nil {
		return err
	}
	if *save != "" {
		if err := saveResults(*save, results); err != nil {
			return err
		}
	}
	return verdict(results)
}

// moduleRoot is the folder of the module in which this was started.
func moduleRoot(ctx context.Context) (string, error) {
	b, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("ask go where the module is: %w", err)
	}
	mod := strings.TrimSpace(string(b))
	if filepath.Base(mod) != "go.mod" {
		return "", errors.New("not in a Go module: run it in the folder of the code that it is to break")
	}
	return filepath.Dir(mod), nil
}
