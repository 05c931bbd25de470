package record

import (
	"log/slog"
	"math"
	"strings"
	"testing"
)

func TestLevelsMapExactlyFromBothScales(t *testing.T) {
	t.Parallel()
	cases := []struct {
		slog   slog.Level
		python int
		want   Level
		text   string
	}{
		{slog.LevelDebug, 10, LevelDebug, "DEBUG"},
		{slog.LevelInfo, 20, LevelInfo, "INFO"},
		{slog.LevelWarn, 30, LevelWarning, "WARNING"},
		{slog.LevelError, 40, LevelError, "ERROR"},
		{12, 50, LevelCritical, "CRITICAL"},
		{2, 25, 10, "INFO+2"},
		{-8, 0, -40, "DEBUG-4"},
	}
	for _, c := range cases {
		a, customA := FromSlog(c.slog)
		b, customB := FromPython(c.python)
		if a != c.want || b != c.want || customA.Scale != 0 || customB.Scale != 0 {
			t.Errorf("%s: from slog %d %v, from Python %d %v, want %d", c.text, a, customA, b, customB, c.want)
		}
		if got := c.want.String(); got != c.text {
			t.Errorf("%d: text %q, want %q", c.want, got, c.text)
		}
	}
}

func TestEveryStoredLevelHasItsText(t *testing.T) {
	t.Parallel()
	cases := map[Level]string{
		-35: "DEBUG-3", -15: "DEBUG+1", 5: "INFO+1", 15: "INFO+3", 35: "WARNING+3", 65: "CRITICAL+1",
		2: "Level 21", -22: "Level 9", -42: "Level -1", 62: "Level 51",
		1: "Level 20.5", -41: "Level -0.5", 3: "Level 21.5",
		math.MaxInt16: "Level 16403.5", math.MinInt16: "Level -16364",
	}
	for l, want := range cases {
		if got := l.String(); got != want {
			t.Errorf("%d: got %q, want %q", l, got, want)
		}
	}
}

func TestLevelsBeyondTheScaleAreClampedAndKeepTheirNumber(t *testing.T) {
	t.Parallel()
	check := func(l Level, custom CustomLevel[string], want Level, number int32, text string) {
		t.Helper()
		if got := string(custom.Append(nil)); l != want || custom.Number != number || got != text {
			t.Errorf("got %d %v %q, want %d %d %q", l, custom, got, want, number, text)
		}
	}
	l, c := FromSlog(6554)
	check(l, c, 32765, 6554, "CRITICAL+6542")
	l, c = FromSlog(-6554)
	check(l, c, -32765, -6554, "DEBUG-6550")
	l, c = FromSlog(math.MaxInt)
	check(l, c, 32765, math.MaxInt32, "CRITICAL+2147483635")
	l, c = FromPython(16404)
	check(l, c, 32766, 16404, "Level 16404")
	l, c = FromPython(math.MinInt)
	check(l, c, -32768, math.MinInt32, "Level -2147483648")
	for _, n := range []int{16403, -16364} {
		if l, c := FromPython(n); c.Scale != 0 || int(l) != (n-20)*2 {
			t.Errorf("Python %d: %d %v, want it exact", n, l, c)
		}
	}
	for _, n := range []slog.Level{6553, -6553} {
		if l, c := FromSlog(n); c.Scale != 0 || slog.Level(l) != n*5 {
			t.Errorf("slog %d: %d %v, want it exact", n, l, c)
		}
	}
}

func TestACustomNameWinsOverTheNumber(t *testing.T) {
	t.Parallel()
	c := CustomLevel[[]byte]{ScalePython, 25, []byte("NOTICE")}
	if got := string(c.Append(nil)); got != "NOTICE" {
		t.Errorf("got %q", got)
	}
}

func TestParseLevelTakesNamesInAnyCaseWithSteps(t *testing.T) {
	t.Parallel()
	cases := map[string]Level{
		"debug": -20, "INFO": 0, "Warn": 20, "warning": 20, "error": 40, "Critical": 60,
		"info+2": 10, "DEBUG-3": -35, "warn+1": 25, "info-0": 0, "critical+6541": 32765,
	}
	for s, want := range cases {
		if got, err := ParseLevel(s); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", s, got, err, want)
		}
	}
}

func TestParseLevelNamesWhatItRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "loud", "info+", "info+x", "info+1.5", "info +2", "+2", "info+2+3", "info+99999", "critical+6542", "20"} {
		_, err := ParseLevel(s)
		if err == nil {
			t.Errorf("%q: accepted", s)
			continue
		}
		for _, part := range []string{"record: ", `"` + s + `"`, "debug", "critical", "info+2"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %q does not have %q", s, err, part)
			}
		}
	}
}

func TestEveryLevelsTextOfSlogParsesBack(t *testing.T) {
	t.Parallel()
	for l := Level(-32765); l < 32765; l += perSlog {
		if got, err := ParseLevel(l.String()); err != nil || got != l {
			t.Fatalf("%v: got %d, %v, want %d", l, got, err, l)
		}
	}
}
