package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/bench/peer"
)

// daemonPatience is how long the session daemon may take to be ready, or to end.
const daemonPatience = 10 * time.Second

// longestHome is that of a home whose sockets, of which this is the longest name, have
// paths as long as the kernel takes.
var longestHome = len(unix.RawSockaddrUnix{}.Path) - 1 - len("/.lttng/ustconsumerd64/command")

// daemon is a session daemon with a home of its own, so that those of the system and of
// the user never see the benchmark, nor it them.
type daemon struct {
	home    string
	uid     int // as its processes see it
	process *exec.Cmd
	ended   chan struct{} // closed when process has; then these may be read:
	err     error
	said    bytes.Buffer
	shared  []string // files in /dev/shm that were not there before
}

// sessions counts those of this process.
var sessions atomic.Int32

// startDaemon starts a session daemon, which ends with ctx, and waits until it takes
// commands. It makes home.
func startDaemon(ctx context.Context, home string) (*daemon, error) {
	for _, tool := range []string{"lttng", "lttng-sessiond"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, &peer.Missing{What: tool, Install: installLTTng}
		}
	}
	if len(home) > longestHome {
		return nil, fmt.Errorf("%s is too long for LTTng's sockets: want %d bytes at most; set TMPDIR to a shorter folder", home, longestHome)
	}
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	d := &daemon{home: home, uid: os.Getuid(), ended: make(chan struct{})}
	if d.uid == 0 {
		// No user has this number, and so no other files in /dev/shm.
		d.uid = 1<<30 + os.Getpid()<<4 + int(sessions.Add(1))&15
	}
	// A program that is linked with LTTng makes these, and nothing removes them.
	for _, name := range []string{"/dev/shm/lttng-ust-wait-8", "/dev/shm/lttng-ust-wait-8-" + strconv.Itoa(d.uid)} {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			d.shared = append(d.shared, name)
		}
	}
	d.process = exec.CommandContext(ctx, "lttng-sessiond", "--no-kernel")
	d.process.Cancel = func() error { return d.process.Process.Signal(unix.SIGTERM) }
	d.process.WaitDelay = daemonPatience
	d.process.Stdout, d.process.Stderr = &d.said, &d.said
	d.admit(d.process)
	if err := d.process.Start(); err != nil {
		// Forbidden, or none left.
		if d.uid != os.Getuid() && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC)) {
			return nil, &peer.Missing{What: "a user namespace, in which LTTng of root is not that of the system,", Install: "run the benchmark as another user"}
		}
		return nil, err
	}
	go func() {
		d.err = d.process.Wait()
		close(d.ended)
	}()
	if err := d.ready(ctx); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// ready waits until the daemon answers.
func (d *daemon) ready(ctx context.Context) error {
	for deadline := time.Now().Add(daemonPatience); ; time.Sleep(10 * time.Millisecond) {
		err := d.lttng(ctx, "list")
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-d.ended:
			return fmt.Errorf("lttng-sessiond does not start: %w: %s", d.err, bytes.TrimSpace(d.said.Bytes()))
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("lttng-sessiond is not ready after %v: %w", daemonPatience, err)
		}
	}
}

// admit makes c a command of this daemon's: one that finds its sockets.
//
// LTTng of root has no home, it is the whole system's. So root's processes see themselves
// as another user, each in a user namespace; to files and to each other they are what
// they were.
func (d *daemon) admit(c *exec.Cmd) {
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LTTNG_") || strings.HasPrefix(v, "HOME=")
	})
	c.Env = append(c.Env, "LTTNG_HOME="+d.home, "HOME="+d.home)
	if d.uid != os.Getuid() {
		c.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: d.uid, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: d.uid, HostID: os.Getgid(), Size: 1}},
		}
	}
}

// lttng gives the daemon an order.
func (d *daemon) lttng(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, "lttng", append([]string{"--no-sessiond"}, args...)...)
	d.admit(c)
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("lttng %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(said))
	}
	return nil
}

// stop ends the daemon, and with it the sessions and the consumer daemon.
func (d *daemon) stop() error {
	err := d.process.Process.Signal(unix.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-d.ended:
	case <-time.After(daemonPatience):
		err = errors.Join(err, fmt.Errorf("lttng-sessiond did not end within %v and was killed", daemonPatience), d.process.Process.Kill())
		<-d.ended
	}
	for _, name := range d.shared {
		if e := os.Remove(name); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	// Sockets are of no use to whoever keeps the folder.
	return errors.Join(err, os.RemoveAll(filepath.Join(d.home, ".lttng")))
}
