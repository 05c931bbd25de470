package host

import (
	"strings"
	"testing"
	"time"
)

func TestCountersOfTheKernelAreReadByTheirPlaces(t *testing.T) {
	t.Parallel()
	got := parseCounters("cpu  1 2 4 1000 2000 8 16 32 64 0\ncpu0 9 9 9 9 9 9 9 9\n")
	if got.busy != 310*time.Millisecond || got.steal != 320*time.Millisecond {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{"", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2"} {
		if got := parseCounters(bad); got != (counters{}) {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestTheVerdictIsNoisyForEachKindOfNoise(t *testing.T) {
	t.Parallel()
	quiet := []float64{100, 100, 101, 99, 100}
	for _, c := range []struct {
		noise Noise
		noisy bool
	}{
		{Noise{}, true},
		{Noise{Spin: quiet}, false},
		{Noise{Spin: []float64{100, 100, 100, 100, 900}}, false},
		{Noise{Spin: []float64{100, 110, 120, 130, 140}}, true},
		{Noise{Spin: quiet, Steal: 0.02}, true},
		{Noise{Spin: quiet, Others: 0.06}, true},
	} {
		if noisy, why := c.noise.Verdict(); noisy != c.noisy || len(c.noise.Spin) > 0 && !strings.Contains(why, "stolen") {
			t.Errorf("%+v: %v, %s", c.noise, noisy, why)
		}
	}
}

func TestAMeterLooksAtLeastTwice(t *testing.T) {
	t.Parallel()
	n := NewMeter().Noise()
	if len(n.Spin) != 2 || n.Spin[0] <= 0 || n.Steal < 0 || n.Steal > 1 || n.Others < 0 || n.Others > 1 {
		t.Errorf("%+v", n)
	}
}

func TestThisMachineIsNamed(t *testing.T) {
	t.Parallel()
	if h := This(); h.CPU == "" || h.CPUs < 1 || !strings.HasPrefix(h.Go, "go") || h.Kernel == "" {
		t.Errorf("%+v", h)
	}
	if PrivateMemory() <= 0 || FileSystem(t.TempDir()) == "" {
		t.Error("no private memory, or no file system")
	}
}
