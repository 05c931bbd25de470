package native

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringlog/ringlog/bench/peer"
)

const installLTTng = "apt-get install -y --no-install-recommends gcc libc6-dev pkg-config liblttng-ust-dev lttng-tools"

// The size of the buffers: those of LTTng's default, 4 of 512 KiB for each CPU, lose
// records as soon as the consumer waits for a disk, and its manual says to take larger
// ones then. With these a worker that logs as fast as it can loses none here.
const (
	subBuffers    = 8
	subBufferSize = 4 << 20
	channel       = "main"
)

// lttng is LTTng-UST with a session daemon of its own: workers log to shared memory, one
// buffer a CPU, and its consumer daemon writes them to files.
type lttng struct{ program *program }

func (l *lttng) Info() peer.Info {
	return peer.Info{
		Name:     "LTTng-UST",
		Language: "C",
		Setting: fmt.Sprintf("%s, consumer daemon writes to files, buffers by user, %d of %d MiB for each CPU, records are discarded when they are full",
			l.program.version("LTTng-UST"), subBuffers, subBufferSize>>20),
		Payloads: []peer.Payload{peer.Message, peer.Fields},
	}
}

func (l *lttng) Open(ctx context.Context, dirs peer.Dirs, workers int, what peer.Payload) (_ peer.Session, err error) {
	if _, err := l.program.compiled(ctx); err != nil {
		return nil, err // before there is a daemon
	}
	if err := roomFor("/dev/shm", subBuffers*subBufferSize*possibleCPUs()); err != nil {
		return nil, err
	}
	d, err := startDaemon(ctx, filepath.Join(dirs.Work, "lttng"))
	if err != nil {
		return nil, err
	}
	s := &lttngSession{daemon: d, trace: filepath.Join(dirs.Logs, "trace"), skip: skipMessage}
	if what == peer.Fields {
		s.skip = skipFields
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, command := range []string{
		"create bench --output=" + s.trace,
		fmt.Sprintf("enable-channel --userspace --discard --num-subbuf=%d --subbuf-size=%d %s", subBuffers, subBufferSize, channel),
		// One kind of event only: then each in the files is of that kind.
		fmt.Sprintf("enable-event --userspace ringlog_bench:%s --channel=%s", argument(what), channel),
		"start",
	} {
		if err := d.lttng(ctx, strings.Fields(command)...); err != nil {
			return nil, err
		}
	}
	for range workers {
		c, err := l.program.command(ctx, argument(what))
		if err != nil {
			return nil, err
		}
		d.admit(c)
		w, err := peer.Start(c)
		if err != nil {
			return nil, err
		}
		s.crew = append(s.crew, w)
	}
	return s, nil
}

// roomFor says whether buffers of size bytes fit on the file system of dir: a tracer
// that gets none does not say so.
func roomFor(dir string, size int) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("%s, where LTTng has its buffers: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < uint64(size) {
		return &peer.Missing{
			What:    fmt.Sprintf("room for LTTng's buffers, of %d MiB, in %s, which has %d MiB,", size>>20, dir, free>>20),
			Install: fmt.Sprintf("mount -o remount,size=%dM %s", 2*size>>20, dir),
		}
	}
	return nil
}

// possibleCPUs is for how many CPUs LTTng makes buffers: also for those that could still
// be plugged in.
func possibleCPUs() int {
	b, err := os.ReadFile("/sys/devices/system/cpu/possible") // "0-7"
	if err != nil {
		return runtime.NumCPU()
	}
	_, last, found := strings.Cut(strings.TrimSpace(string(b)), "-")
	n, err := strconv.Atoi(last)
	if !found || err != nil {
		return runtime.NumCPU()
	}
	return n + 1
}

type lttngSession struct {
	daemon *daemon
	crew   peer.Crew
	trace  string
	skip   skipEvent
}

func (s *lttngSession) Crew() peer.Crew { return s.crew }

// Settle stops the session, which writes the buffers that are not full, and waits. What
// the tracer discarded is what is missing in Arrived. At is when the files were last
// written: the command that stops a session looks five times a second whether it has
// stopped.
func (s *lttngSession) Settle(ctx context.Context) (peer.Settled, error) {
	settled := peer.Settled{At: time.Now()}
	if err := s.daemon.lttng(ctx, "stop"); err != nil {
		return settled, err
	}
	err := filepath.WalkDir(s.trace, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		// Streams are main_0, main_1, … by CPU; the indexes have the same names, and a
		// suffix.
		if !strings.HasPrefix(d.Name(), channel+"_") || filepath.Ext(path) != "" {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.ModTime().After(settled.At) {
			settled.At = info.ModTime()
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := countEvents(f, s.skip)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		settled.Arrived += n
		settled.Bytes += uint64(info.Size())
		return nil
	})
	return settled, err
}

func (s *lttngSession) Close() error { return errors.Join(s.crew.Close(), s.daemon.stop()) }
