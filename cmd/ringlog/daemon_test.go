package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/writer"
)

// daemon is a ringlog drain as a service manager starts it: in a session of its own,
// without a terminal, in the folder where its outputs are. It can be started again.
type daemon struct {
	*exec.Cmd
	t     *testing.T
	dir   string // its working directory
	files string // a folder for what is no output
	ring  string
	env   []string
	ready *os.File      // descriptor 3 of the next one; nil: none
	ended chan struct{} // closed: Cmd has ended, with err
	err   error
}

// newDaemon prepares one, and a ring with the smallest lanes.
func newDaemon(t *testing.T, lanes int) *daemon {
	t.Helper()
	d := &daemon{t: t, dir: t.TempDir(), files: t.TempDir()}
	d.ring = filepath.Join(d.files, "r.ring")
	if err := ring.Create(d.ring, ring.CreateOptions{Lanes: lanes, LaneSize: ring.MinLaneSize}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it said:\n%.3000s", d.said())
		}
	})
	return d
}

// run starts the drain. It is killed with the test if it still runs then.
func (d *daemon) run(flags ...string) {
	d.t.Helper()
	stderr, err := os.OpenFile(filepath.Join(d.files, "stderr"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer stderr.Close()
	cmd := exec.Command("ringlog", append([]string{"drain", "--ring", d.ring}, flags...)...)
	cmd.Dir, cmd.Stderr, cmd.Env = d.dir, stderr, append(os.Environ(), d.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if d.ready != nil {
		cmd.ExtraFiles = []*os.File{d.ready}
	}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	d.Cmd, d.ended = cmd, ended
	go func() {
		d.err = cmd.Wait()
		close(ended)
	}()
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	})
}

// runUntilReady starts the drain, and waits until its outputs are open and signals reach
// it.
func (d *daemon) runUntilReady(flags ...string) {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close()
	d.ready = w
	d.run(append(flags, "--ready-fd", "3")...)
	d.ready = nil
	w.Close()
	if told, err := io.ReadAll(r); err != nil || string(told) != "ready\n" {
		d.t.Fatalf("the drain is not ready: %q, %v", told, err)
	}
}

// file is a file of that name beside the outputs.
func (d *daemon) file(name string) string { return filepath.Join(d.dir, name) }

// configure writes the configuration file, and returns its name for a flag.
func (d *daemon) configure(text string) string {
	d.t.Helper()
	path := filepath.Join(d.files, "c.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

func (d *daemon) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// kill kills the drain, which must not have ended by itself.
func (d *daemon) kill() {
	d.t.Helper()
	d.wantRunning()
	d.signal(syscall.SIGKILL)
	<-d.ended
}

func (d *daemon) wantRunning() {
	d.t.Helper()
	select {
	case <-d.ended:
		d.t.Fatalf("the drain has ended by itself: %v", d.err)
	default:
	}
}

// code waits for the exit code.
func (d *daemon) code() int {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(time.Minute):
		d.t.Fatal("the drain does not end")
	}
	var exit *exec.ExitError
	if errors.As(d.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// end has the drain end, and be content.
func (d *daemon) end() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	if code := d.code(); code != 0 {
		d.t.Errorf("exit code %d", code)
	}
}

// said is all that the drain has said.
func (d *daemon) said() string {
	b, err := os.ReadFile(filepath.Join(d.files, "stderr"))
	if err != nil {
		d.t.Error(err)
	}
	return string(b)
}

// says is how often it said a text.
func (d *daemon) says(text string) int { return strings.Count(d.said(), text) }

// until waits until the condition holds, of a drain that runs.
func (d *daemon) until(what string, holds func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		d.wantRunning()
		if time.Now().After(deadline) {
			d.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// read is what is in all of these files, one after the other.
func (d *daemon) read(paths ...string) string {
	d.t.Helper()
	var all bytes.Buffer
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			d.t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// rotatedName is the end of a rotated file's name, with that of an archive.
var rotatedName = regexp.MustCompile(`\.\d{8}T\d{6}\.\d{9}Z(\.gz|\.zst)?$`)

// unpacked is what is in a file, also in an archive.
func (d *daemon) unpacked(path string) string {
	d.t.Helper()
	text := []byte(d.read(path))
	m := rotatedName.FindStringSubmatch(path)
	if m == nil || m[1] == "" {
		return string(text)
	}
	var r io.Reader
	var err error
	if m[1] == ".gz" {
		r, err = gzip.NewReader(bytes.NewReader(text))
	} else {
		r, err = zstd.NewReader(bytes.NewReader(text), zstd.WithDecoderConcurrency(1))
	}
	if err == nil {
		text, err = io.ReadAll(r)
	}
	if err != nil {
		d.t.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

// glob are the files of that pattern beside the outputs.
func (d *daemon) glob(pattern string) []string {
	d.t.Helper()
	names, err := filepath.Glob(d.file(pattern))
	if err != nil {
		d.t.Fatal(err)
	}
	return names
}

// output is what is in the files of that pattern, the rotated ones first, and how many of
// these there are.
func (d *daemon) output(pattern string) (text string, rotated int) {
	d.t.Helper()
	var live string
	for _, name := range d.glob(pattern) {
		if rotatedName.MatchString(name) {
			text += d.unpacked(name)
			rotated++
		} else {
			live += d.read(name)
		}
	}
	return text + live, rotated
}

// worker attaches.
func (d *daemon) worker(label string) *writer.Writer {
	d.t.Helper()
	w, err := writer.Open(d.ring, writer.Options{Label: label, Timeout: 2 * time.Minute})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { w.Close() })
	return w
}

// load is workers that append as long as they are let: the first one "0 1", "0 2", … and
// the second one "1 1", and so on.
type load struct {
	t        *testing.T
	stop     context.CancelFunc
	wg       sync.WaitGroup
	accepted []int // how many of each
}

// load starts a load. Each line has so many bytes more.
func (d *daemon) load(workers, filler int) *load {
	d.t.Helper()
	ctx, stop := context.WithCancel(d.t.Context())
	l := &load{t: d.t, stop: stop, accepted: make([]int, workers)}
	for i := range workers {
		w := d.worker(fmt.Sprint("worker ", i))
		l.wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				if err := w.Append(record.LevelInfo, fmt.Appendf(nil, "%d %d %s", i, n, noise(n, filler))); err != nil {
					d.t.Errorf("worker %d: %v", i, err)
					return
				}
				l.accepted[i] = n
				if n%30 == 0 { // else there would be too much to judge
					time.Sleep(300 * time.Microsecond)
				}
			}
			if err := w.Close(); err != nil {
				d.t.Error(err)
			}
		})
	}
	return l
}

// noise is text that cannot be compressed to nothing.
func noise(n, length int) []byte {
	text := make([]byte, length)
	state := uint32(n)
	for i := range text {
		state = state*1664525 + 1013904223
		text[i] = 'a' + byte(state>>24)%26
	}
	return text
}

// end ends the workers. Then accepted is to be read.
func (l *load) end() {
	l.stop()
	l.wg.Wait()
}

// numbers are those in a text, by worker.
func (l *load) numbers(text string) [][]int {
	l.t.Helper()
	all := make([][]int, len(l.accepted))
	for line := range strings.Lines(text) {
		var worker, n int
		if _, err := fmt.Sscanf(line, "%d %d", &worker, &n); err != nil || worker >= len(all) {
			l.t.Fatalf("a line that nobody wrote: %.80q, %v", line, err)
		}
		all[worker] = append(all[worker], n)
	}
	return all
}

// wantEach fails unless a text has each accepted line once, in the order of its worker.
func (l *load) wantEach(what, text string) {
	l.t.Helper()
	l.wantNumbers(what, l.numbers(text))
}

// wantEachSomewhere fails unless a text has each accepted line once.
func (l *load) wantEachSomewhere(what, text string) {
	l.t.Helper()
	all := l.numbers(text)
	for _, of := range all {
		slices.Sort(of)
	}
	l.wantNumbers(what, all)
}

func (l *load) wantNumbers(what string, all [][]int) {
	l.t.Helper()
	for i, of := range all {
		if len(of) != l.accepted[i] {
			l.t.Errorf("%s: %d lines of worker %d, want %d", what, len(of), i, l.accepted[i])
		}
		for at, n := range of {
			if n != at+1 {
				l.t.Errorf("%s: line %d of worker %d where %d was to come", what, n, i, at+1)
				break
			}
		}
	}
}
