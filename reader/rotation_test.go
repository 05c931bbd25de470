//go:build linux

package reader

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/ringlog/ringlog/ring"
	"github.com/ringlog/ringlog/schedule"
)

// year drains with a clock that runs through 2025: earlier than records are logged, so
// that each is taken for one of the moment when the reader sees it.
func year(t *testing.T, text string, step time.Duration, tick func(now time.Time) string) (files []string) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	clock, err := schedule.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	o.Location = berlin
	o.Outputs[0].Rotation.Clock = clock
	r, said := openReader(t, path, o)
	now := time.Date(2025, 1, 1, 0, 0, 1, 0, berlin)
	r.now = func() time.Time { return now }
	r.planClock(r.outputs[0], now)
	p := attach(t, path, "w")
	for ; now.Year() == 2025; now = now.Add(step) {
		if message := tick(now); message != "" {
			say(t, p, message)
		}
		for cycleAt(t, r, now, now.UnixNano()) {
		}
	}
	if said.String() != "" {
		t.Errorf("said %s", said)
	}
	for _, name := range append(backups(t, out), out) {
		files = append(files, readFile(t, name))
	}
	return files
}

func TestADailyFileHasTheRecordsOfItsDayThroughAYearWithBothChangesOfTheClock(t *testing.T) {
	t.Parallel()
	var days []string
	files := year(t, "daily", 20*time.Minute, func(now time.Time) string {
		day := now.Format(time.DateOnly)
		if len(days) == 0 || days[len(days)-1] != day {
			days = append(days, day)
		}
		return day
	})
	if len(days) != 365 || len(files) != 365 {
		t.Fatalf("%d days, %d files", len(days), len(files))
	}
	for i, file := range files {
		lines := 72
		switch days[i] {
		case "2025-03-30":
			lines = 69
		case "2025-10-26":
			lines = 75
		}
		if file != strings.Repeat(days[i]+"\n", lines) {
			t.Errorf("%s: %d lines, %.60q…", days[i], strings.Count(file, "\n"), file)
		}
	}
}

func TestAnHourlyFileIsOneForEachHourThatPassedThroughAYear(t *testing.T) {
	t.Parallel()
	files := year(t, "hourly", 30*time.Minute, func(now time.Time) string { return now.UTC().Format("2006-01-02T15") })
	if len(files) != 365*24 {
		t.Fatalf("%d files", len(files))
	}
	for i, file := range files {
		if len(file) != 28 || file[:14] != file[14:] || i > 0 && file <= files[i-1] {
			t.Errorf("file %d: %q", i, file)
		}
	}
}

func TestAnIdleFileIsRotatedByTheClockAndAnEmptyOneIsNot(t *testing.T) {
	t.Parallel()
	files := year(t, "daily", 6*time.Hour, func(now time.Time) string {
		if now.YearDay() == 100 {
			return "once"
		}
		return ""
	})
	if len(files) != 2 || files[0] != strings.Repeat("once\n", 4) || files[1] != "" {
		t.Errorf("%q", files)
	}
}

// A reader that was away at midnight.
func TestAFileOfYesterdayIsRotatedBeforeTodaysRecordsCome(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	p := attach(t, path, "w")
	say(t, p, "yesterday")
	drain(t, path, o)
	old := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(out, old, old); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Outputs[0].Rotation.Clock, err = schedule.Parse("daily"); err != nil {
		t.Fatal(err)
	}
	say(t, p, "today")
	drain(t, path, o)
	if names := backups(t, out); len(names) != 1 || readFile(t, names[0]) != "yesterday\n" || readFile(t, out) != "today\n" {
		t.Errorf("%q, %q", names, readFile(t, out))
	}
}

func TestAFileThatTheClockCannotRotateGoesOnAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	out, o := rawOut(dir)
	o.Outputs[0].Rotation.Clock, _ = schedule.Parse("hourly")
	r, said := openReader(t, path, o)
	now := time.Date(2025, 1, 1, 12, 30, 0, 0, time.Local)
	r.now = func() time.Time { return now }
	r.planClock(r.outputs[0], now)
	p := attach(t, path, "w")
	cycles := func() {
		for cycleAt(t, r, now, now.UnixNano()) {
		}
	}
	say(t, p, "first")
	cycles()
	obstacle := filepath.Join(dir, ".out.log.next")
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	say(t, p, "second")
	cycles()
	if got := readFile(t, out); got != "first\nsecond\n" || said.count("rotation trouble") != 1 {
		t.Errorf("%q, %s", got, said)
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	now = now.Add(retryEvery)
	cycles()
	say(t, p, "third")
	cycles()
	if got := readFile(t, out); got != "third\n" || len(backups(t, out)) != 1 {
		t.Errorf("%q, %d rotated", got, len(backups(t, out)))
	}
}

func TestRotationOnDemandSetsAsideWhatIsOpenAndNotEmpty(t *testing.T) {
	t.Parallel()
	path, dir := newRing(t, 2), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	r, _ := openReader(t, path, Options{Outputs: []Output{
		{Path: file("all.log"), Format: raw}, {Path: file("empty.log"), Loggers: []string{"none"}}, {Path: file("{trial}.log"), Format: raw},
	}})
	start(t, r)
	p := attach(t, path, "w")
	for i := range 2 {
		trial(t, p, 1, fmt.Sprint(i))
		until(t, "the record", func() bool { return r.Stats().Records == uint64(i)+1 })
		if err := ring.Rotate(context.Background(), path); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"all.log": 2, "empty.log": 0, "1.log": 2} {
		names := backups(t, file(name))
		if len(names) != want || readFile(t, file(name)) != "" {
			t.Fatalf("%s: %q", name, names)
		}
		for i, backup := range names {
			if got := readFile(t, backup); got != fmt.Sprint(i)+"\n" {
				t.Errorf("%s: %q", backup, got)
			}
		}
	}
	if st := r.Stats(); st.Rotations != 4 {
		t.Errorf("%+v", st)
	}
}

// The clock finds out what no batch has found out yet.
func TestAFileThatWasMovedOrRemovedBeforeItsTurnIsMadeAnew(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(path string) error{
		"moved":   func(path string) error { return os.Rename(path, path+".moved") },
		"removed": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := newRing(t, 2)
			out, o := rawOut(t.TempDir())
			o.Outputs[0].Rotation.Clock, _ = schedule.Parse("hourly")
			r, _ := openReader(t, path, o)
			now := time.Date(2025, 1, 1, 12, 30, 0, 0, time.Local)
			r.now = func() time.Time { return now }
			r.planClock(r.outputs[0], now)
			p := attach(t, path, "w")
			cycles := func() {
				for range 10 {
					if !cycleAt(t, r, now, now.UnixNano()) {
						return
					}
				}
				t.Fatal("it goes on and on")
			}
			say(t, p, "first")
			cycles()
			if err := disturb(out); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Hour)
			cycles()
			say(t, p, "second")
			cycles()
			if got := readFile(t, out); got != "second\n" || len(backups(t, out)) != map[string]int{"moved": 1}[name] {
				t.Errorf("%q, %q", got, backups(t, out))
			}
		})
	}
}

func TestARecordThatNeedNotWaitForOrderWaitsForARotationThatIsDueBeforeIt(t *testing.T) {
	t.Parallel()
	path := newRing(t, 2)
	out, o := rawOut(t.TempDir())
	o.Grace = time.Hour
	r, _ := openReader(t, path, o)
	p := attach(t, path, "w")
	say(t, p, "before")
	turn := time.Now()
	r.outputs[0].rotateAt = turn
	for !time.Now().After(turn.Add(time.Millisecond)) { // clocks differ a little
	}
	say(t, p, "after")
	now := turn
	r.now = func() time.Time { return now }
	for _, c := range []struct {
		later time.Duration
		want  string
	}{{10 * time.Minute, "before\n"}, {2 * time.Hour, ""}, {2 * time.Hour, "after\n"}} {
		now = turn.Add(c.later)
		cycleAt(t, r, now, now.Add(-time.Hour).UnixNano())
		if got := readFile(t, out); got != c.want {
			t.Errorf("after %v: %q, want %q", c.later, got, c.want)
		}
	}
	if got := backups(t, out); len(got) != 1 || readFile(t, got[0]) != "before\n" {
		t.Errorf("rotated files: %q", got)
	}
}
