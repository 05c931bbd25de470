//go:build linux

package upkeep

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringlog/ringlog/logfile"
)

func TestAFileIsRemovedWithinAMinuteOfGrowingTooOldWithoutAnyRotation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	synctest.Test(t, func(t *testing.T) {
		k, said := keeper(t)
		s := Settings{Keep: logfile.Retention{Age: time.Hour}}
		var all []string
		for i := range 3 { // ten minutes apart
			all = append(all, setAside(t, path, time.Now().Add(time.Duration(i-2)*10*time.Minute), ""))
		}
		opened := time.Now()
		k.Opened(path, s)
		for i := range all {
			tooOld := opened.Add(time.Duration(i-2)*10*time.Minute + time.Hour)
			time.Sleep(time.Until(tooOld))
			synctest.Wait()
			wantNames(t, dir, all[i:]...)
			time.Sleep(lookEvery)
			synctest.Wait()
			wantNames(t, dir, all[i+1:]...)
		}
		if got := k.Stats(); got != (Stats{Removed: 3}) || said.String() != "" {
			t.Errorf("%+v, and it said %s", got, said)
		}
		if len(k.outputs) > 0 {
			t.Error("an output without rotated files is still known")
		}
		k.Close()
	})
}

func TestAgeHoldsForEachOutputByItsOwnSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, _ := keeper(t)
		now := time.Now()
		short, long, ever := filepath.Join(dir, "short.log"), filepath.Join(dir, "long.log"), filepath.Join(dir, "ever.log")
		a, b, c := setAside(t, short, now, ""), setAside(t, long, now, ""), setAside(t, ever, now, "")
		k.Rotated(short, a, Settings{Keep: logfile.Retention{Age: 2 * time.Minute}})
		k.Opened(long, Settings{Keep: logfile.Retention{Age: 4 * time.Minute}, Compression: logfile.Zstd})
		k.Opened(ever, Settings{Keep: logfile.Retention{Count: 1}})
		for _, want := range [][]string{{a, b + ".zst", c}, {b + ".zst", c}, {c}} {
			synctest.Wait()
			wantNames(t, dir, want...)
			time.Sleep(2*time.Minute + lookEvery)
		}
		// New settings hold for what is there.
		k.Opened(ever, Settings{Keep: logfile.Retention{Age: time.Minute}})
		synctest.Wait()
		wantNames(t, dir)
		k.Close()
	})
}
