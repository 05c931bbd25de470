//go:build linux

package reader

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringlog/ringlog/format"
)

func TestATruncatedOutputIsSaidOnceEachTimeWithTheLengthsAndWhatToDoInstead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"out.log", "{worker}.log"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			dir := t.TempDir()
			p := attach(t, path, "out")
			out := filepath.Join(dir, "out.log")
			r, said := openReader(t, path, Options{Outputs: []Output{{Path: filepath.Join(dir, name), Format: format.Options{Name: "raw"}}}})
			batch := func(n int) {
				sayNumbers(t, p, n, n+1)
				look(t, r, time.Now())
			}
			expect := func(times int, text string) {
				t.Helper()
				if said.count("truncated by somebody else: "+out+" has ") != times || said.count(text) != 1 || said.count("instead of copytruncate") != times {
					t.Errorf("want %d times, and %q, in %q", times, text, said.String())
				}
			}
			batch(0)
			batch(1)
			if err := os.Truncate(out, 0); err != nil {
				t.Fatal(err)
			}
			batch(2)
			batch(3)
			expect(1, "has 0 bytes and had 32")
			// And again, by less than the last batch.
			if err := os.Truncate(out, 31); err != nil {
				t.Fatal(err)
			}
			batch(4)
			batch(5)
			expect(2, "has 31 bytes and had 32")
			if said.count("level=") != 2 {
				t.Errorf("said %q", said.String())
			}
		})
	}
}

func TestAnOutputTruncatedInMidBatchIsSaidWithWhatToDoInstead(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	sayNumbers(t, p, 0, 10)
	look(t, r, time.Now())
	sayNumbers(t, p, 10, 20)
	collect(t, r)
	if err := os.Truncate(out, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	look(t, r, time.Now())
	if said.count("truncated by somebody else") != 1 || said.count("instead of copytruncate") != 1 || said.count("trouble is over") != 1 {
		t.Errorf("said %q", said.String())
	}
	if got := readFile(t, out); !strings.HasSuffix(got, numbers(10, 20)) {
		t.Errorf("got %q", got)
	}
}

// A file that is shorter than the one before it, or longer than it was left, was not truncated.
func TestNothingElseThatHappensToAnOutputIsTakenForATruncation(t *testing.T) {
	t.Parallel()
	appendTo := func(out string) error {
		f, err := os.OpenFile(out, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString("foreign\n")
		return errors.Join(err, f.Close())
	}
	for name, do := range map[string]func(r *Reader, o Options, out string) error{
		"removed":  func(_ *Reader, _ Options, out string) error { return os.Remove(out) },
		"renamed":  func(_ *Reader, _ Options, out string) error { return os.Rename(out, out+".1") },
		"appended": func(_ *Reader, _ Options, out string) error { return appendTo(out) },
		"replaced": func(_ *Reader, _ Options, out string) error {
			return errors.Join(os.Rename(out, out+".1"), os.WriteFile(out, []byte("x\n"), 0o600))
		},
		"reloaded": func(r *Reader, o Options, _ string) error { return reloadNow(r, o) },
		"renamed and reloaded": func(r *Reader, o Options, out string) error {
			return errors.Join(os.Rename(out, out+".1"), reloadNow(r, o))
		},
		"rotated": func(r *Reader, _ Options, _ string) error { r.rotate(r.outputs[0], nil); return nil },
		"rotated on reload": func(r *Reader, o Options, _ string) error {
			o.Outputs = []Output{o.Outputs[0]}
			rotating(&o, 10, 0)
			return reloadNow(r, o)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			out, o := rawOut(t.TempDir())
			p := attach(t, path, "w")
			r, said := openReader(t, path, o)
			for n := range 5 {
				sayNumbers(t, p, 100*n, 100*n+100-20*n) // each batch is shorter than the one before
				look(t, r, time.Now())
				if n == 1 {
					if err := do(r, o, out); err != nil {
						t.Fatal(err)
					}
				}
			}
			if said.count("truncated") != 0 {
				t.Errorf("said %q", said.String())
			}
		})
	}
}

// reloadNow is Reload between two batches of a reader that does not run.
func reloadNow(r *Reader, o Options) error {
	rules, err := o.rules()
	if err != nil {
		return err
	}
	return r.exchange(o, rules)
}

func TestAnOutputThatAReloadKeepsIsStillKnownByItsLength(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	p := attach(t, path, "w")
	r, said := openReader(t, path, o)
	sayNumbers(t, p, 0, 10)
	look(t, r, time.Now())
	if err := errors.Join(os.Truncate(out, 100), reloadNow(r, o)); err != nil {
		t.Fatal(err)
	}
	look(t, r, time.Now())
	if want := fmt.Sprintf("has 100 bytes and had %d", len(numbers(0, 10))); said.count(want) != 1 {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}

// An output may be named by a path of the working directory, and of course by links.
func TestTheEndOfATroubleNamesTheFileAsItsBeginningDid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	relative, err := filepath.Rel(here, filepath.Join(dir, "link", "out.log"))
	if err != nil {
		t.Fatal(err)
	}
	where := filepath.Join(dir, "where")
	if err := errors.Join(os.Mkdir(where, 0o700), os.Symlink(where, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reload bool
		end    string
	}{{false, " and 1 attempt: "}, {true, " and 2 attempts: "}} {
		path := newRing(t, 2)
		o := Options{Outputs: []Output{{Path: relative, Format: format.Options{Name: "raw"}}}}
		r, said := openReader(t, path, o)
		sayNumbers(t, attach(t, path, "w"), 0, 1)
		look(t, r, time.Now())
		obstacle := filepath.Join(where, ".out.log.next")
		if err := os.Mkdir(obstacle, 0o700); err != nil {
			t.Fatal(err)
		}
		r.rotate(r.outputs[0], nil)
		if c.reload {
			if err := reloadNow(r, o); err != nil {
				t.Fatal(err)
			}
			r.rotate(r.outputs[0], nil)
		}
		if err := os.Remove(obstacle); err != nil {
			t.Fatal(err)
		}
		r.rotate(r.outputs[0], nil)
		file := filepath.Join(where, "out.log")
		if said.count("rotation trouble: rotate "+file+": ") != 1 || said.count(c.end+file+`"`) != 1 {
			t.Errorf("said %s", said.String())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
