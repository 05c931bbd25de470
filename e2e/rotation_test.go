package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/upkeep"
)

// archiveName is the end of the name of an archive of a rotated file.
var archiveName = regexp.MustCompile(`\.\d{8}T\d{6}\.\d{9}Z\.(gz|zst)$`)

// unpacked is what is in a file, also in an archive.
func unpacked(t testing.TB, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := io.Reader(f)
	switch archive := archiveName.FindStringSubmatch(name); {
	case archive == nil:
	case archive[1] == "gz":
		r, err = gzip.NewReader(f)
	default:
		var d *zstd.Decoder
		if d, err = zstd.NewReader(f); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(b)
}

// contents are those of an output's files, oldest first, and that of the live one last.
func contents(t testing.TB, out string) (texts []string) {
	t.Helper()
	for _, name := range files(t, out) {
		texts = append(texts, unpacked(t, name))
	}
	return texts
}

// oneFile makes a file of all that an output got, for each to read.
func oneFile(t testing.TB, texts []string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "all")
	if err := os.WriteFile(path, []byte(strings.Join(texts, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rotatedName is the name of a rotated file or an archive of one.
var rotatedName = regexp.MustCompile(`^([a-z]+\.log)\.\d{8}T\d{6}\.\d{9}Z(\.gz|\.zst)?$`)

// wantNames fails unless dir has the outputs, rotated files of them in the form that is
// wanted, and nothing else.
func wantNames(t testing.TB, dir string, forms map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if _, live := forms[name]; live {
			continue
		}
		m := rotatedName.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("there is %s", name)
			continue
		}
		if form, known := forms[m[1]]; !known || m[2] != form {
			t.Errorf("%s, want the form %q", name, form)
		}
		instant := strings.TrimSuffix(name, m[2])
		if seen[instant] {
			t.Errorf("%s is there twice", instant)
		}
		seen[instant] = true
	}
}

// retained are those of an output's texts that a bound for all of the rotated files
// together leaves, and the live one.
func retained(texts []string, bound int) []string {
	live := len(texts) - 1
	oldest := live
	for size := 0; oldest > 0; oldest-- {
		if size += len(texts[oldest-1]); size > bound {
			break
		}
	}
	return texts[oldest:]
}

// The four outputs get the same lines and are rotated at the same places, so what one
// keeps says what each of the others has to.
func TestAThousandRotationsUnderLoadCostNoRecordAndLeaveExactlyTheFilesThatAreToBeKept(t *testing.T) {
	t.Parallel()
	const workers, count = 3, 5
	least := rounds(260, 60) // of each output
	for _, mode := range []struct {
		name  string
		size  int64 // at which a file is rotated; 0: on demand
		bound int   // of the output whose size is bound
	}{
		{"by size", 4 << 10, 40 << 10},
		{"on demand", 0, 400 << 10},
	} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			path, dir := newRing(t, workers), t.TempDir()
			all, counted, bounded, packed := filepath.Join(dir, "all.log"), filepath.Join(dir, "counted.log"), filepath.Join(dir, "bounded.log"), filepath.Join(dir, "packed.log")
			output := func(path string, s upkeep.Settings) reader.Output {
				return reader.Output{Path: path, Format: format.Options{Name: "json"}, Rotation: reader.Rotation{Size: mode.size}, Rotated: s}
			}
			r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: []reader.Output{
				output(all, upkeep.Settings{}),
				output(counted, upkeep.Settings{Keep: logfile.Retention{Count: count}}),
				output(bounded, upkeep.Settings{Keep: logfile.Retention{Size: int64(mode.bound)}}),
				output(packed, upkeep.Settings{Compression: logfile.Zstd}),
			}}))
			r.line(t)
			n := newNotes(t, workers)
			var counters []*process
			for i := range workers {
				counters = append(counters, n.counter(t, path, i))
			}
			for i := range workers {
				until(t, "the first records", func() bool { return n.of(i) > 0 })
			}
			start := time.Now()
			until(t, "so many rotations", func() bool {
				for range 20 {
					if mode.size > 0 {
						break
					}
					if err := ring.Rotate(context.Background(), path); err != nil {
						t.Fatal(err)
					}
				}
				return len(files(t, all)) > least
			})
			took := time.Since(start)
			for _, p := range counters {
				p.signal(t, syscall.SIGTERM)
				p.finish(t)
			}
			r.signal(t, syscall.SIGTERM)
			r.finish(t)

			texts := contents(t, all)
			judgeCounters(t, n, texts)
			for out, want := range map[string][]string{
				packed: texts, counted: texts[len(texts)-count-1:], bounded: retained(texts, mode.bound),
			} {
				if got := contents(t, out); !slices.Equal(got, want) {
					t.Errorf("%s has %d files of %d bytes in all, want %d of %d", out, len(got), len(strings.Join(got, "")), len(want), len(strings.Join(want, "")))
				}
			}
			wantNames(t, dir, map[string]string{"all.log": "", "counted.log": "", "bounded.log": "", "packed.log": ".zst"})
			for i, text := range texts[:len(texts)-1] {
				if len(text) == 0 || mode.size > 0 && int64(len(text)) < mode.size {
					t.Errorf("rotated file %d has %d bytes", i, len(text))
				}
			}
			t.Logf("%d rotations, of which the first %d took %v; %d files are left of the output whose size is bound",
				4*(len(texts)-1), 4*least, took.Round(time.Millisecond), len(contents(t, bounded)))
		})
	}
}

// judgeCounters fails unless the texts have what counters noted, each record once.
func judgeCounters(t testing.TB, n *notes, texts []string) {
	t.Helper()
	c := newTally(t, 1)
	each(t, oneFile(t, texts), c.add)
	n.check(t, c, func(int) bool { return false })
	if unknown := slices.Collect(maps.Keys(c.last)); len(unknown) != len(n.m)/8 {
		t.Errorf("records of %s", fmt.Sprint(unknown))
	}
}
