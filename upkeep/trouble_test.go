//go:build linux

package upkeep

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

// wantSaid fails unless each trouble named has begun and ended so often, and nothing else
// was said.
func wantSaid(t *testing.T, s *said, what string, began, ended int) {
	t.Helper()
	if s.count(what+" trouble: ") != began || s.count(what+" trouble is over after ") != ended || s.count("") != began+ended {
		t.Errorf("said\n%s\nwant %s trouble %d times, and its end %d times", s, what, began, ended)
	}
}

func TestAHookThatFailsForAWhileIsSaidOnceAndMissesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, out, ok := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "ok")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		s := Settings{Compression: logfile.Gzip, Hook: shell(`test -e %s || { echo no route to host; exit 7; }; echo $RINGLOG_ROTATED >>%s`, ok, out)}
		start := time.Now()
		var want []string
		turn := func() {
			backup := setAside(t, path, start.Add(time.Duration(len(want))), "x")
			want = append(want, backup+".gz")
			k.Rotated(path, backup, s)
		}
		for range 3 {
			turn() // each is an occasion
			synctest.Wait()
		}
		wantSaid(t, said, "hook", 1, 0)
		if line := said.String(); !strings.Contains(line, want[0]) || !strings.Contains(line, `exit status 7; it said "no route to host"; it is run again`) {
			t.Errorf("said %s", line)
		}
		check(t, os.WriteFile(ok, nil, 0o600))
		turn()
		k.Close()
		if got := lines(t, out); !slices.Equal(got, want) {
			t.Errorf("hooks were told %q, want %q", got, want)
		}
		wantSaid(t, said, "hook", 1, 1)
		if !strings.HasSuffix(said.String(), "over after 0s and 3 attempts: "+path) {
			t.Errorf("said %s", said)
		}
		if got := k.Stats(); got.Hooks != 4 || got.Failures != 3 {
			t.Errorf("%+v", got)
		}
	})
}

func TestOneOutputsTroubleIsNotAnothers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, said := keeper(t)
	good, bad, locked := filepath.Join(dir, "good.log"), filepath.Join(dir, "bad.log"), filepath.Join(dir, "locked.log")
	start := time.Now()
	held := open(t, setAside(t, locked, start, "held"))
	for i := range 10 {
		at := start.Add(time.Duration(i))
		k.Rotated(bad, setAside(t, bad, at, "x"), Settings{Hook: Hook{Command: []string{"/bin/false"}}})
		if i > 0 {
			k.Rotated(locked, setAside(t, locked, at, "x"), Settings{Compression: logfile.Gzip})
		} else {
			k.Rotated(locked, held.Path(), Settings{Compression: logfile.Gzip})
		}
		k.Rotated(good, setAside(t, good, at, "x"), Settings{logfile.Retention{Count: 2}, logfile.Gzip, Hook{Command: []string{"/bin/true"}}})
	}
	k.Close()
	if got := k.Stats(); got.Hooks != 10 || got.Removed != 8 || got.Compressed < 2+9 {
		t.Errorf("%+v", got)
	}
	if said.count("hook trouble: ") != 1 || said.count("compression trouble: ") != 1 || said.count(good) != 0 || said.count("") != 3 {
		t.Errorf("said %s", said)
	}
	// A child that another test is just starting has it, too.
	inUse := fmt.Sprintf(`compression trouble: compress: logfile: output is in use: %s is held by pid( \d+)* %d( \d+)*; rotated files stay as they are`, regexp.QuoteMeta(held.Path()), os.Getpid())
	if !regexp.MustCompile(inUse).MatchString(said.String()) {
		t.Errorf("said %s", said)
	}
	if said.count("the hook was not run for the last 10 rotated files of "+bad) != 1 {
		t.Errorf("said %s", said)
	}
}

func TestAHookThatFailsHoldsUpNeitherCompressionNorPruning(t *testing.T) {
	t.Parallel()
	dir, gate := t.TempDir(), gate(t)
	path := filepath.Join(dir, "app.log")
	k, said := keeper(t)
	s := Settings{Compression: logfile.Gzip, Keep: logfile.Retention{Count: 2}}
	start := time.Now()
	var all []string
	for i, script := range []string{"read x <" + gate, "false", "false"} {
		all = append(all, setAside(t, path, start.Add(time.Duration(i)), ""))
		s.Hook = shell("%s", script)
		k.Rotated(path, all[i], s)
	}
	pass(t, gate) // all three were rotated when the second one fails
	k.Close()
	wantNames(t, dir, all[1]+".gz", all[2]+".gz")
	if said.count("hook trouble: ") != 1 || said.count("the hook was not run for the last 2 rotated files") != 1 {
		t.Errorf("said %s", said)
	}
}

func TestAFileOfWhichNobodyWasToldIsLeftAloneUntilThen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		start := time.Now()
		told := setAside(t, path, start, "told")
		tell := setAside(t, path, start.Add(time.Second), "rotation is under way")
		s := Settings{Keep: logfile.Retention{Size: 1}, Compression: logfile.Gzip} // not one
		k.Opened(path, s)
		synctest.Wait()
		wantNames(t, dir, tell)
		check(t, os.WriteFile(told, nil, 0o600))
		k.Rotated(path, told, s)
		synctest.Wait()
		wantNames(t, dir, tell)
		k.Rotated(path, tell, s)
		k.Close()
		wantNames(t, dir)
		if said.String() != "" {
			t.Errorf("said %s", said)
		}
	})
}

func TestWhatFailedIsTriedAgainWithinAMinute(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	path := filepath.Join(dir, "app.log")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		backup := setAside(t, path, time.Now(), "text")
		// Something that is no file stands where the archive is to be.
		check(t, os.Mkdir(backup+".gz", 0o700))
		k.Rotated(path, backup, Settings{Compression: logfile.Gzip, Hook: shell("echo $RINGLOG_ROTATED >>%s", out)})
		for n := range 5 {
			synctest.Wait()
			if got := k.Stats().Failures; got != uint64(n+1) {
				t.Fatalf("%d attempts after %d minutes", got, n)
			}
			if n < 4 {
				time.Sleep(lookEvery)
			}
		}
		wantSaid(t, said, "compression", 1, 0)
		check(t, os.Remove(backup+".gz"))
		if len(lines(t, out)) > 0 {
			t.Error("the hook was run before the file was compressed")
		}
		time.Sleep(lookEvery - time.Nanosecond)
		synctest.Wait()
		wantSaid(t, said, "compression", 1, 0)
		time.Sleep(time.Nanosecond)
		said.wait("trouble is over after", 1)
		if !strings.HasSuffix(said.String(), "compression trouble is over after 5m0s and 5 attempts: "+path) {
			t.Errorf("said %s", said)
		}
		k.Close()
		if got := lines(t, out); !slices.Equal(got, []string{backup + ".gz"}) {
			t.Errorf("the hook was told %q", got)
		}
		wantNames(t, dir, backup+".gz")
	})
}

func TestAFileOfWhichTheRetentionLeavesNothingIsSaidToBeWithoutHook(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, out, ok := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "ok")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		s := Settings{Keep: logfile.Retention{Count: 2}, Hook: shell(`test -e %s && echo $RINGLOG_ROTATED >>%s`, ok, out)}
		start := time.Now()
		var all []string
		for i := range 6 {
			all = append(all, setAside(t, path, start.Add(time.Duration(i)), ""))
			if i == 5 {
				check(t, os.WriteFile(ok, nil, 0o600))
			}
			k.Rotated(path, all[i], s)
			synctest.Wait()
		}
		k.Close()
		wantNames(t, dir, all[4:]...) // a hook that fails does not fill the disk
		if got := lines(t, out); !slices.Equal(got, all[4:]) {
			t.Errorf("hooks were told %q, want %q", got, all[4:])
		}
		wantSaid(t, said, "hook", 1, 1)
	})
}

func TestAFileThatIsGoneDoesNotHoldUpTheHooksOfOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, out := filepath.Join(dir, "app.log"), filepath.Join(t.TempDir(), "out")
	k, said := keeper(t)
	s := Settings{Compression: logfile.Gzip, Hook: shell(`echo $RINGLOG_ROTATED >>%s`, out)}
	start := time.Now()
	missing := logfile.BackupName(path, start)
	k.Rotated(path, missing, s)
	there := setAside(t, path, start.Add(1), "")
	k.Rotated(path, there, s)
	k.Close()
	if got := lines(t, out); !slices.Equal(got, []string{there + ".gz"}) {
		t.Errorf("hooks were told %q", got)
	}
	wantSaid(t, said, "hook", 1, 1)
	if !strings.Contains(said.String(), missing+" is gone, and its hook was not run") {
		t.Errorf("said %s", said)
	}
}

func TestAFullDiskIsSaidOnceAndNothingIsLost(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	path := filepath.Join(dir, "app.log")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		start := time.Now()
		noise := make([]byte, 70<<10)
		for i := range noise {
			noise[i] = byte(i * i >> 7 * 31)
		}
		filler := filepath.Join(dir, "filler")
		var all []string
		for i := range 2 {
			all = append(all, setAside(t, path, start.Add(time.Duration(i)), string(noise)))
		}
		fill(t, filler)
		for i := range 2 {
			k.Rotated(path, all[i], gzip5)
			synctest.Wait()
		}
		wantSaid(t, said, "compression", 1, 0)
		if !strings.Contains(said.String(), "no space left on device") {
			t.Errorf("said %s", said)
		}
		wantNames(t, dir, append(all, filler)...)
		check(t, os.Remove(filler))
		k.Opened(path, gzip5)
		k.Close()
		wantSaid(t, said, "compression", 1, 1)
		wantNames(t, dir, all[0]+".gz", all[1]+".gz")
		for _, backup := range all {
			if content(t, backup+".gz") != string(noise) {
				t.Errorf("%s has another content", backup)
			}
		}
	})
}
