package e2e

import (
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ringlog/ringlog/format"
	"github.com/ringlog/ringlog/logfile"
	"github.com/ringlog/ringlog/reader"
	"github.com/ringlog/ringlog/record"
	"github.com/ringlog/ringlog/upkeep"
)

// long has the length of no file's name, and others begin with it.
var long = strings.Repeat("long", 75)

// hostileTrials are no two the same, and as names of files they would lead astray, be
// refused, or be those of other files.
var hostileTrials = []string{
	"../../etc/x", "..", ".", "", "/", "/etc/passwd", "a/b", `a\b`, "a%2Fb", "a%2fb", "a/../b", "./a",
	long, long + "1", long + "2", strings.Repeat("☃", 100), strings.Repeat("/", 300),
	"\x00", "a\x00", "a\x00b", "a\nb", "\xff", "\xfe", "a\xffb", "\ufffd",
	"CON", "con", "NUL.txt", "COM1", "-rf", "~", "~root", " ", "a ", " a", "a.", "%empty", "%", "%%",
	"é", "e\u0301", "😀", "a\u202egol.b", "a\u200bb", "a\u2060b", `<>:"|?*`, "{study}", "{{", "stdout", "stderr", "-",
	"17", "17.log", "17.log.20261123T184701.123456789Z", "17.20261123T184701.123456789Z", "17.20261123T184701.123456789Z.gz",
	"17.20261123T184701.123456789Z.zst", ".17.next", ".17.log.next", ".17.20261123T184701.123456789Z~", "17.gz",
}

const perHostileTrial = 5 // records of a worker

// likenesses are those of hostileTrials that are to be taken for files of trial 17.
func likenesses() []string {
	return slices.DeleteFunc(slices.Clone(hostileTrials), func(v string) bool { return !strings.Contains(v, "17") })
}

// hostile ring worker trial…: logs records of these trials, in turns, of a study that is
// hostile too.
func hostile(args []string) error {
	w, err := open(args[0], args[1])
	if err != nil {
		return err
	}
	for n := range perHostileTrial {
		for _, i := range args[2:] {
			trial, err := strconv.Atoi(i)
			if err != nil {
				return err
			}
			e := record.Entry{
				Logger: "objective", Message: hostileMessage(trial, args[1], n),
				Attrs: []slog.Attr{slog.String("study", "../up"), slog.String("trial", hostileTrials[trial])},
			}
			if err := w.Log(record.LevelInfo, &e); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

func hostileMessage(trial int, worker string, n int) string {
	return fmt.Sprintf("trial %d worker %s record %d", trial, worker, n)
}

// below are all files below dir, relative to it.
func below(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestHostileValuesAreFilesOfTheirOwnInsideTheFolderAndEachHasItsRecords(t *testing.T) {
	t.Parallel()
	path, root := newRing(t, 2), t.TempDir()
	// Deep enough for ../../etc/x to lead to where this test looks.
	deep := filepath.Join(root, "1", "2", "3", "4")
	folders := map[string]string{ // and what is in them
		"trials": "{trial}.log", "bare": "{trial}", "nested": "{trial}/x.log", "both": "{study}-{trial}.log",
	}
	options := reader.Options{MaxOpenFiles: 8}
	for folder, names := range folders {
		options.Outputs = append(options.Outputs, reader.Output{Path: filepath.Join(deep, folder, names), Format: format.Options{Name: "raw"}})
	}
	// Two readers: the second finds the files that the first one made.
	for _, workers := range [][]string{{"0", "1"}, {"2"}} {
		r := spawn(t, "drain", path, optionsJSON(t, options))
		r.line(t)
		var crowd []*process
		for _, w := range workers {
			crowd = append(crowd, spawn(t, "hostile", append([]string{path, w}, numbered(hostileTrials)...)...))
		}
		for _, p := range crowd {
			p.finish(t)
		}
		r.signal(t, syscall.SIGTERM)
		r.finish(t)
	}
	for _, name := range below(t, root) {
		inDeep, ok := strings.CutPrefix(name, "1/2/3/4/")
		folder, _, _ := strings.Cut(inDeep, "/")
		if _, known := folders[folder]; !ok || !known {
			t.Errorf("there is %q", name)
		}
	}
	for folder := range folders {
		dir := filepath.Join(deep, folder)
		of := map[int]string{}
		for _, name := range below(t, dir) {
			text := unpacked(t, filepath.Join(dir, name))
			trial := hostileOf(t, name, text)
			if other, twice := of[trial]; twice {
				t.Errorf("%s: %q is in %q and in %q", folder, hostileTrials[trial], name, other)
			}
			of[trial] = name
			wantHostile(t, name, text, trial, "0", "1", "2")
		}
		if len(of) != len(hostileTrials) {
			t.Errorf("%s has files of %d values, want %d", folder, len(of), len(hostileTrials))
		}
	}
}

// numbered are the places of trials in hostileTrials.
func numbered(trials []string) (places []string) {
	for _, v := range trials {
		places = append(places, fmt.Sprint(slices.Index(hostileTrials, v)))
	}
	return places
}

// hostileOf is the trial of the first record in a file.
func hostileOf(t testing.TB, name, text string) (trial int) {
	t.Helper()
	if _, err := fmt.Sscanf(text, "trial %d ", &trial); err != nil || trial >= len(hostileTrials) {
		t.Fatalf("%q: %v in %.100q", name, err, text)
	}
	return trial
}

// wantHostile fails unless text has the records that these workers logged of the trial,
// and no others: of each worker in its order.
func wantHostile(t testing.TB, name, text string, trial int, workers ...string) {
	t.Helper()
	next := map[string]int{}
	for line := range strings.Lines(text) {
		var worker string
		for _, w := range workers {
			if line == hostileMessage(trial, w, next[w])+"\n" {
				worker = w
			}
		}
		if worker == "" {
			t.Errorf("%q, which is of %q, has %q", name, hostileTrials[trial], line)
			return
		}
		next[worker]++
	}
	for _, w := range workers {
		if next[w] != perHostileTrial {
			t.Errorf("%q, which is of %q, has %d records of worker %s, want %d", name, hostileTrials[trial], next[w], w, perHostileTrial)
		}
	}
}

// Trial 17 is rotated all the time, and of its rotated files one archive is to be kept.
// Files of other trials whose names look like rotated files of 17 are not its.
func TestTrialsThatLookLikeRotatedFilesOfAnotherAreNeitherPrunedNorCompressed(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	r := spawn(t, "drain", path, optionsJSON(t, reader.Options{Outputs: []reader.Output{{
		Path: filepath.Join(dir, "{trial}"), Format: format.Options{Name: "raw"},
		Rotation: reader.Rotation{Size: 500},
		Rotated:  upkeep.Settings{Keep: logfile.Retention{Count: 1}, Compression: logfile.Gzip},
	}}}))
	r.line(t)
	alike := likenesses()
	spawn(t, "hostile", append([]string{path, "0"}, numbered(alike)...)...).finish(t)
	for w := range 20 {
		spawn(t, "hostile", path, fmt.Sprint("of 17, ", w), numbered([]string{"17"})[0]).finish(t)
	}
	r.signal(t, syscall.SIGTERM)
	r.finish(t)

	of := map[int][]string{}
	for _, name := range below(t, dir) {
		text := unpacked(t, filepath.Join(dir, name))
		if name == "17" && text == "" { // it was rotated after its last record
			text = hostileMessage(slices.Index(hostileTrials, "17"), "", 0)
		}
		trial := hostileOf(t, name, text)
		of[trial] = append(of[trial], name)
		if hostileTrials[trial] != "17" {
			wantHostile(t, name, text, trial, "0")
		}
	}
	for i, v := range hostileTrials {
		want := 0
		switch {
		case v == "17":
			want = 2 // one of them an archive
		case slices.Contains(alike, v):
			want = 1
		}
		if len(of[i]) != want {
			t.Errorf("%q is in %q, want %d files", v, of[i], want)
		}
	}
}
