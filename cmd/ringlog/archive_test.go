package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// names are those of all files beside the outputs.
func (d *daemon) names() (names []string) {
	d.t.Helper()
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// temporaries are the files of rotations and compressions that are under way.
func (d *daemon) temporaries() []string {
	d.t.Helper()
	return slices.DeleteFunc(d.names(), func(name string) bool { return !strings.HasPrefix(name, ".") })
}

func TestADrainKilledAgainAndAgainWhileItRotatesAndCompressesLeavesEachRecordOnceAndNoTemporary(t *testing.T) {
	t.Parallel()
	kills := 40
	if testing.Short() {
		kills = 8
	}
	d := newDaemon(t, 2)
	outputs := func(rotate string) (config string) {
		return d.configure(`
defaults: {format: raw, rotate: {size: 200KiB}}
outputs:
  - {path: gzip.log, compress: gzip, rotate: ` + rotate + `}
  - {path: zstd.log, compress: zstd, rotate: ` + rotate + `}
  - {path: "by {worker}.log", compress: gzip}
`)
	}
	config := outputs("{size: 200KiB}")
	l := d.load(2, 200)
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	inTheMiddle := 0
	for i := range kills {
		d.runUntilReady("--config", config)
		life := 30 * time.Millisecond
		if i%2 == 1 { // the last one, too
			d.until("something is compressed", func() bool { return len(d.temporaries()) > 0 })
			life /= 10
		}
		time.Sleep(time.Duration(rnd.Int64N(int64(life)))) // so that it dies at any moment
		d.kill()
		if len(d.temporaries()) > 0 {
			inTheMiddle++
		}
	}
	// These are not rotated any more: what was left is tidied up because they are opened.
	d.runUntilReady("--config", outputs("never"))
	// Nobody knows which files an output with fields has had. What was left of one is tidied
	// up when that one is rotated the next time.
	for _, pattern := range []string{"by worker 0.log.*", "by worker 1.log.*"} {
		before := len(d.glob(pattern))
		d.until("each worker's file was rotated", func() bool { return len(d.glob(pattern)) > before })
	}
	l.end()
	d.end()

	for _, out := range []string{"gzip.log*", "zstd.log*", "by *.log*"} {
		text, rotated := d.output(out)
		l.wantEach(out, text)
		t.Logf("%s: %d archives, %d records, %d of %d kills in the middle", out, rotated, strings.Count(text, "\n"), inTheMiddle, kills)
	}
	for _, name := range d.names() {
		want := ".gz"
		if strings.HasPrefix(name, "zstd.log") {
			want = ".zst"
		}
		if m := rotatedName.FindStringSubmatch(name); !strings.HasSuffix(name, ".log") && (m == nil || m[1] != want) {
			t.Errorf("there is %s", name)
		}
	}
	if inTheMiddle == 0 {
		t.Error("none was killed in the middle of a rotation or a compression")
	}
}

// More files are rotated than are kept. A hook finds each of them, whole.
func TestAHookGetsEachRotatedFileOnceAndInOrderWhileTheDrainLives(t *testing.T) {
	t.Parallel()
	rotations := 100
	if testing.Short() {
		rotations = 20
	}
	d := newDaemon(t, 2)
	hooked := filepath.Join(d.files, "hooked")
	d.env = []string{"HOOKED=" + hooked}
	d.runUntilReady("--config", d.configure(`
outputs:
  - path: all.log
    format: raw
    rotate: {size: 5KiB}
    keep: {count: 3}
    compress: gzip
    hook: {command: [sh, -c, 'gzip -dc <"$RINGLOG_ROTATED" >>"$HOOKED" && echo "hook $RINGLOG_ROTATED of $RINGLOG_OUTPUT ${RINGLOG_RING-}" >>"$HOOKED"']}
`))
	l := d.load(2, 20)
	d.until("there were so many rotations", func() bool {
		b, _ := os.ReadFile(hooked) // there is none before the first hook
		return len(d.names())+strings.Count(string(b), "\nhook ") >= rotations
	})
	l.end()
	d.end()

	text, last := d.output("all.log*")
	if last != 3 {
		t.Errorf("%d rotated files are left, want 3", last)
	}
	var got strings.Builder // what the hooks read
	var names []string
	for line := range strings.Lines(d.read(hooked)) {
		if name, ok := strings.CutPrefix(line, "hook "); ok {
			name, ok = strings.CutSuffix(name, " of "+d.file("all.log")+" \n")
			if !ok || filepath.Dir(name) != d.dir || !strings.HasSuffix(name, ".gz") || !rotatedName.MatchString(name) {
				t.Errorf("%q", line)
			}
			names = append(names, name)
			continue
		}
		got.WriteString(line)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("the hooks were not run once for each, and in order: %q", names)
	}
	// All that there ever was is what the hooks read, and what is in the live file.
	l.wantEach("what the hooks read", got.String()+d.read(d.file("all.log")))
	if !strings.HasSuffix(got.String()+d.read(d.file("all.log")), text) {
		t.Error("what is kept is not what the last hooks read")
	}
	t.Logf("%d hooks", len(names))
}
