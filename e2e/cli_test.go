package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// build makes the program of the given command's folder.
func build(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("go", "build", "-o", program, "../cmd/"+name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// Two logs through the commands: appended by two processes while a drain is killed,
// drained to the end by another, and compared byte for byte.
func TestTheCommandsTakeLogsThroughARingByteForByte(t *testing.T) {
	t.Parallel()
	ringlog := build(t, "ringlog")
	dir := t.TempDir()
	path, out := filepath.Join(dir, "r.ring"), filepath.Join(dir, "out.log")
	run := func(args ...string) *exec.Cmd {
		var said bytes.Buffer
		c := exec.Command(ringlog, args...)
		c.Env = append(os.Environ(), "RINGLOG_RING="+path)
		c.Stderr = &said
		t.Cleanup(func() {
			if c.ProcessState == nil {
				_ = c.Process.Kill()
				_ = c.Wait()
			}
			if t.Failed() {
				t.Logf("%v: %s", args, said.String())
			}
		})
		return c
	}
	if err := run("create", path, "--lanes", "2", "--lane-size", "64KiB").Run(); err != nil {
		t.Fatal(err)
	}
	names := inputs(t)[:2]
	var workers []*exec.Cmd
	for i, name := range names {
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		w := run("append", "--worker", fmt.Sprint("w", i), "--timeout", "1m")
		w.Stdin = in
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		workers = append(workers, w)
	}
	drain := []string{"drain", "--out", out, "--format", "json", "--max-size", "100KiB", "--keep", "0"}
	killed := func(when func()) {
		c := run(drain...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		when()
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // says that it was killed
	}
	killed(func() { until(t, "a rotation", func() bool { return len(files(t, out)) > 1 }) })
	killed(func() {
		for _, w := range workers {
			if err := w.Wait(); err != nil {
				t.Error(err)
			}
		}
	})
	if err := run(append(drain, "--once")...).Run(); err != nil {
		t.Fatal(err)
	}
	var got [2]bytes.Buffer
	each(t, out, func(l *line) {
		var i int
		if _, err := fmt.Sscanf(l.Worker, "w%d", &i); err != nil || i > 1 {
			t.Fatalf("a line of nobody: %+v", l)
		}
		got[i].WriteString(l.message() + "\n")
	})
	for i, name := range names {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(want, []byte("\n")) {
			want = append(want, '\n')
		}
		if !bytes.Equal(got[i].Bytes(), want) {
			t.Errorf("%s: %d bytes, want %d", name, got[i].Len(), len(want))
		}
	}
}
