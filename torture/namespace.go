package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// insideVariable tells the process that it runs in a mount namespace of its own. What
// it mounts there vanishes with its last process, however that ends, and nobody else
// sees it.
const insideVariable = "RINGLOG_TORTURE_INSIDE"

// enter runs this program again in a mount namespace of its own, and, where that takes
// rights that it does not have, in a user namespace too. ok is false if the system
// allows neither.
func enter() (code int, ok bool) {
	attempts := []*syscall.SysProcAttr{
		{Cloneflags: unix.CLONE_NEWNS},
		{
			Cloneflags:  unix.CLONE_NEWNS | unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		},
	}
	for _, attributes := range attempts {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Args[0] = os.Args[0]
		cmd.Env = append(os.Environ(), insideVariable+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		attributes.Pdeathsig = syscall.SIGKILL
		attributes.Setpgid = true // the terminal's Ctrl-C comes by way of this process
		cmd.SysProcAttr = attributes
		if cmd.Start() != nil {
			continue
		}
		return accompany(cmd), true
	}
	return 0, false
}

// accompany waits for the process inside, and passes signals on to it.
func accompany(cmd *exec.Cmd) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "torture:", err)
		return 1
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		return code
	}
	return 1 // by a signal
}

// ownMounts keeps what is mounted from now on to this namespace.
func ownMounts() error {
	return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}
