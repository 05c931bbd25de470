// Package cli is what the commands have in common: exit codes, messages, and how
// a ring is named.
package cli

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Main runs root with the process's arguments and returns the exit code. What went
// wrong is one line on standard error.
func Main(root *cobra.Command) int {
	// A write to a closed pipe is an error like others: a drain into files must
	// not die because nobody reads its messages any more.
	signal.Ignore(syscall.SIGPIPE)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.DisableSuggestions = true // they take several lines
	root.Version = Version()
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetHelpTemplate(root.HelpTemplate() + exitCodes)

	ran := false
	markRun(root, &ran)
	var cmd *cobra.Command
	err := Guard(func() (err error) {
		cmd, err = root.ExecuteC()
		return err
	})
	if err == nil {
		return OK
	}
	var bug *PanicError
	if errors.As(err, &bug) {
		fmt.Fprintf(os.Stderr, "%s: %v; this is a mistake in the program, please report it with what follows\n%s", root.Name(), bug, bug.Stack)
		return Broken
	}
	// Before a command runs, cobra fails for nothing but its arguments.
	if !ran && !errors.Is(err, errUsage) {
		err = Usage(err)
	}
	code := Code(err)
	if text := Message(err); text != "" && code != ClosedPipe {
		if code == BadUsage {
			text += "; see " + cmd.CommandPath() + " --help"
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", root.Name(), text)
	}
	return code
}

// markRun makes cmd and all below it note in ran that they got to run.
func markRun(cmd *cobra.Command, ran *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*ran = true
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		markRun(sub, ran)
	}
}
