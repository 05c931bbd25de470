//go:build linux && failpoints

package upkeep

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringlog/ringlog/internal/failpoint"
	"github.com/ringlog/ringlog/logfile"
)

// childPath makes the test binary a process that rotates the output of this path.
const childPath = "UPKEEP_TEST_PATH"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		if err := rotateAll(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const rotations, kept = 5, 2

var killed = Settings{logfile.Retention{Count: kept}, logfile.Zstd, Hook{Command: []string{"/bin/true"}}}

// rotateAll writes the numbers of files, each to one, and has a Keeper look after them.
func rotateAll(path string) error {
	f, err := logfile.Open(path)
	if err != nil {
		return err
	}
	k := New(slog.New(slog.DiscardHandler))
	k.Opened(path, killed)
	for i := range rotations {
		if _, err := fmt.Fprintln(f, i); err != nil {
			return err
		}
		backup, err := f.Rotate()
		if err != nil {
			return err
		}
		k.Rotated(path, backup, killed)
	}
	k.Close()
	return f.Close()
}

func child(path, rules, log string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path, "RINGLOG_FAILPOINTS="+rules, "RINGLOG_FAILPOINTS_LOG="+log)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestAProcessKilledAtAnyPointLosesNoFileThatIsKept(t *testing.T) {
	t.Parallel()
	// Which points there are, and how often.
	dir := t.TempDir()
	log := filepath.Join(dir, "points")
	check(t, child(filepath.Join(dir, "app.log"), "*=delay(0s)", log).Run())
	text, err := os.ReadFile(log)
	check(t, err)
	times := map[string]int{}
	for line := range strings.Lines(string(text)) {
		times[strings.Fields(line)[0]]++
	}
	for p := failpoint.FilePrune; p <= failpoint.HookStart; p++ {
		if times[p.String()] == 0 && p != failpoint.ArchiveCompare && p != failpoint.ArchiveTidy {
			t.Errorf("%v is never reached", p)
		}
	}
	for point := range times {
		if strings.HasPrefix(point, "file.") && point != failpoint.FilePrune.String() && point != failpoint.FileLock.String() {
			continue // package logfile's tests kill there
		}
		for n := 1; n <= min(times[point], 6); n++ {
			t.Run(fmt.Sprintf("%s@%d", point, n), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				path := filepath.Join(dir, "app.log")
				cmd := child(path, fmt.Sprintf("%s=kill@%d", point, n), "")
				// How the goroutines take turns is another each time.
				if err := cmd.Run(); err != nil && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("child: %v", err)
				}
				f := open(t, path)
				k, said := keeper(t)
				k.Opened(path, killed)
				k.Close()
				judge(t, f.Path(), said)
			})
		}
	}
}

// judge fails unless the newest files are there, whole, and nothing else.
func judge(t *testing.T, path string, said *said) {
	t.Helper()
	if said.String() != "" {
		t.Errorf("said %s", said)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	check(t, err)
	var numbers []int
	for _, e := range entries {
		switch name := e.Name(); {
		case name == filepath.Base(path):
		case !strings.HasPrefix(name, "app.log.2") || filepath.Ext(name) != ".zst":
			t.Errorf("left is %s", name)
		default:
			n, err := strconv.Atoi(strings.TrimSpace(content(t, filepath.Join(filepath.Dir(path), name))))
			check(t, err)
			numbers = append(numbers, n)
		}
	}
	if live := strings.TrimSpace(content(t, path)); live != "" {
		n, err := strconv.Atoi(live)
		check(t, err)
		numbers = append(numbers, n)
	}
	for i, n := range numbers {
		if n != numbers[0]+i {
			t.Fatalf("files have the numbers %v", numbers)
		}
	}
	if len(numbers) > kept+1 || len(numbers) < kept && len(numbers) > 0 && numbers[0] > 0 {
		t.Errorf("files have the numbers %v", numbers)
	}
}

// Not parallel: failpoint.Inject is there once.
func TestAnythingThatFailsForAWhileIsSaidOnceAndMadeUpFor(t *testing.T) {
	for point, what := range map[failpoint.Point]string{
		failpoint.FileOpen: "compression", failpoint.FileLock: "compression", failpoint.DirSync: "compression",
		failpoint.ArchiveCreate: "compression", failpoint.ArchiveWrite: "compression", failpoint.ArchiveSync: "compression",
		failpoint.ArchivePlace: "compression", failpoint.ArchiveClear: "compression", failpoint.ArchiveTidy: "compression",
		failpoint.ArchiveCompare: "compression", failpoint.FilePrune: "pruning", failpoint.HookStart: "hook",
	} {
		for _, errno := range []syscall.Errno{syscall.EACCES, syscall.ENOSPC, syscall.EMFILE} {
			t.Run(fmt.Sprintf("%v %v", point, errno), func(t *testing.T) {
				dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
				path := filepath.Join(dir, "app.log")
				synctest.Test(t, func(t *testing.T) {
					k, said := keeper(t)
					s := Settings{logfile.Retention{Count: kept}, logfile.Zstd, shell("echo $RINGLOG_ROTATED >>%s", out)}
					start := time.Now()
					var all []string
					for i := range 3 {
						all = append(all, setAside(t, path, start.Add(time.Duration(i)), fmt.Sprint(i)))
					}
					if point == failpoint.ArchiveTidy {
						pruned := logfile.BackupName(path, start.Add(-1))
						check(t, os.WriteFile(filepath.Join(dir, "."+filepath.Base(pruned)+"~"), nil, 0o600))
					}
					if point == failpoint.ArchiveCompare {
						check(t, os.WriteFile(all[2]+".zst", nil, 0o600))
					}
					left := 3
					failpoint.Inject = func(p failpoint.Point) error {
						if p == point && left > 0 {
							left--
							return errno
						}
						return nil
					}
					defer func() { failpoint.Inject = nil }()
					k.Opened(path, s)
					k.Rotated(path, all[2], s)
					for range 5 {
						synctest.Wait()
						time.Sleep(lookEvery)
					}
					k.Close()
					if left > 0 {
						t.Fatalf("it was refused %d times", 3-left)
					}
					wantSaid(t, said, what, 1, 1)
					wantNames(t, dir, all[1]+".zst", all[2]+".zst")
					for i := 1; i < 3; i++ {
						if got := content(t, all[i]+".zst"); got != fmt.Sprint(i) {
							t.Errorf("%s has %q", all[i], got)
						}
					}
					if got := lines(t, out); !slices.Equal(got, []string{all[2] + ".zst"}) {
						t.Errorf("hooks were told %q", got)
					}
					if got := k.Stats(); got.Failures == 0 || got.Hooks != 1 || got.Removed != 1 {
						t.Errorf("%+v", got)
					}
				})
			})
		}
	}
}

// What is left of a full disk is for those who write.
func TestOnAFullDiskOneFileIsTriedAndNotAll(t *testing.T) { // not parallel: failpoint.Inject is there once
	for errno, want := range map[syscall.Errno]int{syscall.ENOSPC: 1, syscall.EDQUOT: 1, syscall.EACCES: 3} {
		path := filepath.Join(t.TempDir(), "app.log")
		start := time.Now()
		for i := range 3 {
			setAside(t, path, start.Add(time.Duration(i)), "text")
		}
		tried := 0
		failpoint.Inject = func(p failpoint.Point) error {
			if p != failpoint.ArchiveWrite {
				return nil
			}
			tried++
			return errno
		}
		k, _ := keeper(t)
		k.Opened(path, gzip5)
		k.Close()
		failpoint.Inject = nil
		if tried != want {
			t.Errorf("%v: %d were tried, want %d", errno, tried, want)
		}
	}
}
